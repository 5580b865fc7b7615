//! [`StormLine`]: what `simulate` found for one policy.

use std::time::Duration;

use serde::Serialize;

use crate::simulate::StormOutcome;

/// One policy in one storm.
#[derive(Debug, Serialize)]
pub(crate) struct StormLine<'a> {
    kind: &'static str,
    policy: &'a str,
    rule: &'a str,
    source: &'a str,
    clients: u32,
    attempts: u64,
    attempts_per_client: f64,
    first_try: u32,
    fullest_100ms: u32,
    fullest_second: u64,
    peak_over_mean: Option<f64>,
    back: u32,
    gave_up: u32,
    half_back_ms: Option<u64>,
    nearly_back_ms: Option<u64>,
    all_back_ms: Option<u64>,
}

impl<'a> StormLine<'a> {
    pub(crate) fn new(
        policy: &'a str,
        rule: &'a str,
        source: &'a str,
        outcome: &StormOutcome,
    ) -> Self {
        Self {
            kind: "storm",
            policy,
            rule,
            source,
            clients: outcome.clients,
            attempts: outcome.attempts,
            attempts_per_client: outcome.attempts_per_client(),
            first_try: outcome.first_try,
            fullest_100ms: outcome.fullest_slot(),
            fullest_second: outcome.fullest_second(),
            peak_over_mean: outcome.peak_over_mean(),
            back: outcome.back,
            gave_up: outcome.gave_up,
            half_back_ms: outcome.half.map(millis),
            nearly_back_ms: outcome.nearly.map(millis),
            all_back_ms: outcome.all.map(millis),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

//! The steps of `diagnose`, for people and as JSON. The fields are API.

use std::time::Duration;

use serde::Serialize;

use crate::diagnose::{Outcome, Step};

/// A step on one line.
pub(crate) fn text(step: &Step) -> String {
    let mark = match step.outcome {
        Outcome::Passed => "ok",
        Outcome::Noted => "note",
        Outcome::Failed => "FAIL",
        Outcome::Skipped => "-",
    };
    format!("{mark:<5}{:<16}{}\n", step.id.id(), step.text)
}

/// A step of the log.
#[derive(Debug, Serialize)]
pub(crate) struct StepFields<'a> {
    step: &'static str,
    outcome: &'static str,
    ms: u64,
    text: &'a str,
}

impl<'a> StepFields<'a> {
    pub(crate) fn new(step: &'a Step) -> Self {
        Self {
            step: step.id.id(),
            outcome: step.outcome.id(),
            ms: milliseconds(step.took),
            text: &step.text,
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

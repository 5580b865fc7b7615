//! Endings and decisions as JSON has them, for `serde` (feature `serde`).
//!
//! The fields are API: `docs/json.md` of the repository describes them.

use std::time::Duration;

use serde::Serialize;

use crate::ending::{CallSite, CloseFrame, Detail, Initiator};
use crate::reconnect::{Class, Decision};
use crate::{CloseCode, Ending};

/// An [`Ending`] as a JSON object.
#[derive(Debug, Serialize)]
pub struct EndingFields<'a> {
    code: u16,
    name: &'static str,
    reason: &'a str,
    cause: &'static str,
    detail: Option<String>,
    finish: &'static str,
    clean: bool,
    initiator: Option<&'static str>,
    sent: Option<FrameFields<'a>>,
    received: Option<FrameFields<'a>>,
    order: Option<&'static str>,
    open_ms: u64,
    idle_ms: u64,
    in_frame: bool,
    closed_at: Option<String>,
    status: Option<u16>,
    discarded: u64,
    unsent: u64,
    text: String,
}

/// A [`Decision`] as a JSON object.
#[derive(Debug, Serialize)]
pub struct DecisionFields<'a> {
    retry: bool,
    delay_ms: Option<u64>,
    rule: &'a str,
    class: &'static str,
    stop: Option<&'static str>,
    attempt: u32,
    advised: bool,
}

#[derive(Debug, Serialize)]
struct FrameFields<'a> {
    code: Option<u16>,
    reason: &'a str,
}

impl<'a> EndingFields<'a> {
    /// The fields of `ending`.
    #[must_use]
    pub fn new(ending: &'a Ending) -> Self {
        let code = ending.code();
        Self {
            code: code.get(),
            name: code.facts().name,
            reason: ending.reason(),
            cause: ending.cause.id(),
            detail: (ending.detail != Detail::None).then(|| ending.detail.to_string()),
            finish: ending.finish.id(),
            clean: ending.is_clean(),
            initiator: ending.initiator.map(Initiator::id),
            sent: ending.sent.as_ref().map(FrameFields::new),
            received: ending.received.as_ref().map(FrameFields::new),
            order: ending.sent_first().map(|sent_first| match sent_first {
                true => "sent-first",
                false => "received-first",
            }),
            open_ms: milliseconds(ending.open_for),
            idle_ms: milliseconds(ending.idle_for),
            in_frame: ending.in_frame,
            closed_at: ending.closed_at.as_ref().map(place),
            status: ending.response.as_ref().map(|response| response.status),
            discarded: ending.discarded,
            unsent: ending.unsent,
            text: ending.to_string(),
        }
    }
}

impl<'a> DecisionFields<'a> {
    /// The fields of `decision`.
    #[must_use]
    pub fn new(decision: &'a Decision) -> Self {
        Self {
            retry: decision.is_retry(),
            delay_ms: decision.delay.map(milliseconds),
            rule: &decision.rule,
            class: decision.class.id(),
            stop: match decision.class {
                Class::Stop(why) => Some(why.id()),
                _ => None,
            },
            attempt: decision.attempt,
            advised: decision.is_advised(),
        }
    }
}

impl<'a> FrameFields<'a> {
    fn new(frame: &'a CloseFrame) -> Self {
        Self {
            code: frame.wire_code().map(CloseCode::get),
            reason: frame.reason(),
        }
    }
}

fn place(site: &CallSite) -> String {
    format!("{}:{}", site.file, site.line)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

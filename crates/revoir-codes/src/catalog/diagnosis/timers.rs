//! Timers of libraries and servers: after how long they give up, by default.

use alloc::vec::Vec;
use core::time::Duration;

use super::limits;
use crate::catalog::source::Source;
use crate::generated::diagnosis::TIMERS;

/// After how long an implementation gives up, by default.
#[derive(Debug)]
#[non_exhaustive]
pub struct Timer {
    /// The implementation.
    pub name: &'static str,
    /// What it waits for.
    pub kind: TimerKind,
    /// How long.
    pub seconds: u32,
    /// Where this was read.
    pub source: Source,
}

/// What an implementation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimerKind {
    /// The answer to a ping, or anything at all, from the last byte on.
    Heartbeat,
    /// The answer to its Close frame.
    Close,
    /// Anything at all, either way.
    Idle,
}

/// Every timer on record.
#[must_use]
pub fn timers() -> &'static [Timer] {
    TIMERS
}

/// Whose timers fit a measured time.
pub(super) fn fitting(kind: TimerKind, measured: Duration) -> Vec<&'static str> {
    timers()
        .iter()
        .filter(|timer| timer.kind == kind && limits::fits(measured, timer.seconds))
        .map(|timer| timer.name)
        .collect()
}

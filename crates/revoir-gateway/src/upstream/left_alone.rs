//! [`LeftAlone`]: until when something is left alone that failed.

use std::time::Duration;

/// How long at first.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How long at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Until when something is left alone that failed. The pauses grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeftAlone {
    pub(super) until: Duration,
    pause: Duration,
}

impl LeftAlone {
    /// It has failed at `now`, after it was left alone as `before` says.
    pub(super) fn after(before: Option<Self>, now: Duration) -> Self {
        let pause = match before {
            None => FIRST_PAUSE,
            Some(before) => (before.pause * 2).min(LONGEST_PAUSE),
        };
        let until = now + pause;
        Self { until, pause }
    }

    /// It is tried at `now`: nobody else needs to find out.
    pub(super) fn tried(&mut self, now: Duration) {
        self.until = now + self.pause;
    }
}

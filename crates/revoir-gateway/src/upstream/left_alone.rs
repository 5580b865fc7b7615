//! [`LeftAlone`]: until when something is left alone that failed.

use std::time::Duration;

/// Pauses that grow: each is twice as long as the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// The first one.
    pub first: Duration,
    /// None is longer.
    pub longest: Duration,
}

impl Pauses {
    /// For an upstream that failed.
    pub(crate) const OF_UPSTREAM: Self = Self {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(10),
    };

    /// The one behind `before`.
    pub(super) fn after(self, before: Duration) -> Duration {
        (before * 2).clamp(self.first, self.longest.max(self.first))
    }
}

/// Until when something is left alone that failed. The pauses grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeftAlone {
    pub(super) until: Duration,
    pause: Duration,
}

impl LeftAlone {
    /// It has failed at `now`, after it was left alone as `before` says.
    pub(super) fn after(before: Option<Self>, now: Duration, pauses: Pauses) -> Self {
        let pause = pauses.after(before.map_or(Duration::ZERO, |before| before.pause));
        let until = now + pause;
        Self { until, pause }
    }

    /// It is tried at `now`: nobody else needs to find out.
    pub(super) fn tried(&mut self, now: Duration) {
        self.until = now + self.pause;
    }
}

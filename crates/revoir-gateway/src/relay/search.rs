//! [`Search`]: when a client asks for another backend.

use std::time::Duration;

/// Between two re-dials of a client that are answered, at first.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The same, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A client's re-dials, one after another.
#[derive(Debug)]
pub(super) struct Search {
    /// No re-dial before this.
    not_before: Duration,
    is_dialing: bool,
    /// After the last answer to a re-dial that did not lead to a backend.
    pause: Duration,
}

impl Search {
    pub(super) const fn from(now: Duration) -> Self {
        Self {
            not_before: now,
            is_dialing: false,
            pause: Duration::ZERO,
        }
    }

    /// A re-dial is to start at `now`. It is asked for once.
    pub(super) fn wants_dial(&mut self, now: Duration) -> bool {
        let wants_dial = !self.is_dialing && self.not_before <= now;
        self.is_dialing |= wants_dial;
        wants_dial
    }

    /// No re-dial before `at`.
    pub(super) const fn put_off(&mut self, at: Duration) {
        self.not_before = at;
    }

    /// A re-dial did not lead to a backend. `is_answered`: a backend was there, and its answer may be meant
    /// for this client alone. `advice`: when it may be asked again.
    pub(super) fn failed(&mut self, now: Duration, is_answered: bool, advice: Option<Duration>) {
        self.is_dialing = false;
        // Who may dial when nobody is there, the dial queue says.
        if is_answered {
            self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        }
        let pause = is_answered.then_some(self.pause);
        self.not_before = now + advice.or(pause).unwrap_or_default();
    }

    /// When `wants_dial` is worth to be asked.
    pub(super) fn next(&self) -> Option<Duration> {
        (!self.is_dialing).then_some(self.not_before)
    }
}

//! [`Hold`]: the time without a backend.

use std::time::Duration;

use crate::relay::search::Search;
use crate::relay::verdict::{HoldCause, RanOut};
use crate::rules::Rules;

/// A client that waits for a backend.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(super) why: HoldCause,
    pub(super) since: Duration,
    pub(super) previous: Previous,
    pub(super) search: Search,
    /// Whether the backend was left because it was silent: it has dropped nobody.
    pub(super) was_silent: bool,
    /// Whether its upstream was removed: the others go on where they are, and nobody waits for this one.
    pub(super) is_moved: bool,
    /// Whether the last answer to a re-dial broke a rule.
    pub(super) is_invalid: bool,
    /// Whether the client was not read from, because others keep too much.
    pub(super) is_crowded: bool,
    /// What is left of the budget.
    left: Duration,
    clock: Clock,
}

/// Which limit runs.
#[derive(Clone, Copy, Debug)]
enum Clock {
    /// The backend does not accept: the budget.
    Budget { since: Duration },
    /// The backend accepts others: the limit of the queue.
    Queue { until: Duration },
}

/// A client that looks for another backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seeking {
    /// The connection to the one that it had.
    pub(crate) previous: Previous,
    pub(crate) since: Duration,
}

/// The connection to the backend that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Previous {
    /// Whole messages that were written to it.
    pub(crate) written: u64,
    /// Whole messages that came from it.
    pub(crate) received: u64,
}

impl Hold {
    /// `left` is the budget, less what earlier holds in a row have used.
    pub(super) fn new(now: Duration, why: HoldCause, left: Duration, previous: Previous) -> Self {
        Self {
            why,
            since: now,
            previous,
            search: Search::from(now),
            was_silent: false,
            is_moved: false,
            is_invalid: false,
            is_crowded: false,
            left,
            clock: Clock::Budget { since: now },
        }
    }

    /// Takes note of whether the backend accepts.
    pub(super) fn note(&mut self, now: Duration, accepts: bool, rules: &Rules) {
        match (self.clock, accepts) {
            (Clock::Budget { .. }, true) => {
                self.left = self.left(now);
                let until = now + rules.queue_limit;
                self.clock = Clock::Queue { until };
            }
            (Clock::Queue { .. }, false) => self.clock = Clock::Budget { since: now },
            (Clock::Budget { .. }, false) | (Clock::Queue { .. }, true) => {}
        }
    }

    /// When it is over, and what it ran out of then.
    pub(super) fn deadline(&self) -> (Duration, RanOut) {
        match self.clock {
            Clock::Budget { since } => (since + self.left, RanOut::Budget),
            Clock::Queue { until } => (until, RanOut::Queue),
        }
    }

    /// What is left of the budget at `now`.
    pub(super) fn left(&self, now: Duration) -> Duration {
        match self.clock {
            Clock::Budget { since } => self.left.saturating_sub(now.saturating_sub(since)),
            Clock::Queue { .. } => self.left,
        }
    }
}

//! [`Schedule`]: the arithmetic of a drain, for connections that no tracker knows.

use std::time::Duration;

use crate::drain::slots::{Slots, due, shuffle};
use crate::entropy::Entropy;

/// When connections are closed, and when each may return: what [`Drain`](crate::drain::Drain) says, for a program that
/// has connections of its own, such as a gateway. Times count from the start of the drain.
///
/// ```
/// use std::time::Duration;
///
/// let plan = revoir::drain::Drain::restart().return_over(Duration::from_secs(30));
/// let schedule = plan.schedule(9000);
/// // Half of them are told to close in half of the first second.
/// assert!((4500..4700).contains(&schedule.due(Duration::from_millis(490))));
/// assert_eq!(schedule.due(Duration::from_secs(1)), 9000);
/// // Each has its own time to return, once the successor is ready.
/// assert!(schedule.slot(0) >= Duration::from_secs(5));
/// assert!(schedule.slot(0) < schedule.slot(8999));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    slots: Slots,
    count: usize,
    closing_over: Duration,
}

impl Schedule {
    /// Connections are told to close so often, a few at a time.
    pub const TICK: Duration = Duration::from_millis(20);

    pub(super) fn new(slots: Slots, count: usize, closing_over: Duration) -> Self {
        Self {
            slots,
            count,
            closing_over,
        }
    }

    /// Puts those to be closed in a random order; every order is as likely.
    pub fn shuffle<T>(all: &mut [T]) {
        shuffle(all, &mut Entropy);
    }

    /// How many have to be told to close by the end of the tick that begins at `elapsed`.
    #[must_use]
    pub fn due(&self, elapsed: Duration) -> usize {
        due(self.count, elapsed, self.closing_over, Self::TICK)
    }

    /// When the client with the number `index`, from 0, may return: a random time in a part of the
    /// window that is its own. Who gets which number is to be random.
    #[must_use]
    pub fn slot(&self, index: usize) -> Duration {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.slots.nth(index, &mut Entropy)
    }

    /// When a client may return that came at `elapsed` and is not among those counted.
    #[must_use]
    pub fn latecomer(&self, elapsed: Duration) -> Duration {
        self.slots.latecomer(elapsed, &mut Entropy)
    }
}

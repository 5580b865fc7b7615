//! [`Clock`]: the time, for one piece of work on a connection.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// The time since a connection's epoch. It is read when it is first asked for, because much of the
/// work needs none, and stands still from then on.
#[derive(Debug)]
pub(crate) struct Clock {
    epoch: Instant,
    read: Cell<Option<Duration>>,
}

impl Clock {
    pub(crate) fn new(epoch: Instant) -> Self {
        let read = Cell::new(None);
        Self { epoch, read }
    }

    /// Has the clock show a time that was read before.
    pub(crate) fn set(&self, now: Duration) {
        self.read.set(Some(now));
    }

    pub(crate) fn now(&self) -> Duration {
        self.read.get().unwrap_or_else(|| {
            let now = self.epoch.elapsed();
            self.read.set(Some(now));
            now
        })
    }
}

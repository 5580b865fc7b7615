//! [`Clock`]: the time, for one piece of work on a connection.

use std::cell::Cell;
use std::time::Duration;

use crate::driver::epoch::Epoch;

/// The time since a connection's epoch. It is read when it is first asked for, because much of the
/// work needs none, and stands still from then on. It never goes back: each piece of work begins
/// with the latest time that the one before it has seen.
#[derive(Debug)]
pub(crate) struct Clock {
    epoch: Epoch,
    latest: Duration,
    read: Cell<Option<Duration>>,
}

impl Clock {
    pub(crate) fn new(epoch: Epoch, latest: Duration) -> Self {
        let read = Cell::new(None);
        Self {
            epoch,
            latest,
            read,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.read.get().unwrap_or_else(|| {
            let now = self.epoch.instant().elapsed().max(self.latest);
            self.read.set(Some(now));
            now
        })
    }

    /// Shows the latest time again, in place of reading it.
    pub(crate) fn stand_still(&self) {
        self.read.set(Some(self.latest));
    }

    /// The latest time that was seen.
    pub(crate) fn latest(&self) -> Duration {
        self.read.get().unwrap_or(self.latest)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn it_never_goes_back_and_stands_still_once_it_was_read() {
        let ahead = Duration::from_secs(1000);
        let clock = Clock::new(Epoch::now(), ahead);
        assert_eq!((clock.latest(), clock.now()), (ahead, ahead));
        let clock = Clock::new((Instant::now() - ahead).into(), Duration::ZERO);
        let now = clock.now();
        assert!(now >= ahead);
        assert_eq!((clock.now(), clock.latest()), (now, now));
    }
}

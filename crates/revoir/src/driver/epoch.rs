//! [`Epoch`]: when a connection began, in half the room that an `Instant` takes.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

/// Nanoseconds from the first one of the process. Before it too: under paused time each runtime has a
/// clock of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Epoch(i64);

impl Epoch {
    pub(crate) fn now() -> Self {
        Instant::now().into()
    }

    pub(crate) fn instant(self) -> Instant {
        let away = Duration::from_nanos(self.0.unsigned_abs());
        match self.0 {
            0.. => first() + away,
            _ => first() - away,
        }
    }
}

impl From<Instant> for Epoch {
    fn from(at: Instant) -> Self {
        let nanos = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        Self(match at.checked_duration_since(first()) {
            Some(after) => nanos(after),
            None => -nanos(first() - at),
        })
    }
}

fn first() -> Instant {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    *FIRST.get_or_init(Instant::now)
}

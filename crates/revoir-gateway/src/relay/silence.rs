//! [`Silence`]: a backend that shows no sign of life, and is not gone for all that.

use std::time::Duration;

use revoir_proto::Cause;

/// A backend that goes on is heard by all its connections, one after another: that it answers somebody
/// else proves nothing before this.
const LAST_CHANCE: Duration = Duration::from_secs(1);

/// A backend that is there, and shows no sign of life.
#[derive(Debug)]
pub(super) struct Silence {
    /// It answers no ping, or takes no bytes.
    pub(super) cause: Cause,
    pub(super) since: Duration,
    /// Then it is lost.
    until: Duration,
    /// When it first was known that its upstream answers others, or is gone.
    known_since: Option<Duration>,
}

impl Silence {
    pub(super) const fn new(cause: Cause, since: Duration, until: Duration) -> Self {
        Self {
            cause,
            since,
            until,
            known_since: None,
        }
    }

    /// Takes note of when its upstream was last heard of.
    pub(super) fn note(&mut self, now: Duration, heard_of: Option<Duration>) {
        if heard_of.is_some_and(|heard_of| heard_of >= self.since) {
            self.known_since.get_or_insert(now);
        }
    }

    /// When it is left.
    pub(super) fn deadline(&self) -> Duration {
        let known = self.known_since.map(|since| since + LAST_CHANCE);
        known.map_or(self.until, |known| known.min(self.until))
    }
}

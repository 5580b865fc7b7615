//! [`Silence`]: a backend that shows no sign of life, and is not gone for all that.

use std::time::Duration;

use revoir_proto::Cause;

use crate::relay::search::Search;

/// A backend that goes on is heard by all its connections, one after another: that it answers somebody
/// else proves nothing before this.
pub(crate) const LAST_CHANCE: Duration = Duration::from_secs(1);

/// A backend that is there, and shows no sign of life.
#[derive(Debug)]
pub(super) struct Silence {
    /// It answers no ping, or takes no bytes.
    pub(super) cause: Cause,
    pub(super) since: Duration,
    /// Then it is lost.
    pub(super) until: Duration,
    /// When it first was known that the upstream has answered others since.
    pub(super) others_since: Option<Duration>,
    pub(super) search: Search,
}

impl Silence {
    pub(super) fn deadline(&self, may_be_replaced: bool) -> Duration {
        let left = self.others_since.map(|since| since + LAST_CHANCE);
        let next = match may_be_replaced {
            true => self.search.next(),
            false => left,
        };
        next.map_or(self.until, |next| next.min(self.until))
    }
}

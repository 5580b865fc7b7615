//! [`ClientRate`]: how much one client may send.

use std::num::NonZeroU32;
use std::time::Duration;

/// How much one client may send, on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientRate {
    /// Whole messages; pings, pongs and fragments of less than 126 bytes as well. `None`: any number.
    pub messages_per_second: Option<NonZeroU32>,
    /// Bytes on the wire. `None`: any number.
    pub bytes_per_second: Option<NonZeroU32>,
    /// What comes at once may be what the rate allows in this time.
    pub burst: Duration,
}

impl Default for ClientRate {
    fn default() -> Self {
        Self {
            messages_per_second: None,
            bytes_per_second: None,
            burst: Duration::from_secs(5),
        }
    }
}

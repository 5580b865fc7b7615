//! [`RateConfig`]: the `[route.rate]` of the file.

use serde::{Deserialize, Serialize};

use crate::client_rate::ClientRate;
use crate::config::values::{Most, Time, some_time};

/// How much one client may send, on one connection.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateConfig {
    /// Messages per second.
    pub messages: Most,
    /// Bytes per second, as they travel.
    pub bytes: Most,
    /// What comes at once may be what the rate allows in this time.
    #[serde(deserialize_with = "some_time")]
    pub burst: Time,
}

impl Default for RateConfig {
    fn default() -> Self {
        Self {
            messages: Most::ANY,
            bytes: Most::ANY,
            burst: Time(ClientRate::default().burst),
        }
    }
}

impl RateConfig {
    pub(super) fn rate(&self) -> ClientRate {
        ClientRate {
            messages_per_second: self.messages.rate(),
            bytes_per_second: self.bytes.rate(),
            burst: self.burst.0,
        }
    }
}

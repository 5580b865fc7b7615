//! [`DnsConfig`]: the `[dns]` of the file.

use serde::{Deserialize, Serialize};

use crate::config::values::{self, Time};
use crate::upstream::NameTimes;

/// How long the addresses of upstreams hold that have a name.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DnsConfig {
    /// After this time they are looked up again, in the background.
    #[serde(deserialize_with = "values::some_time")]
    pub refresh: Time,
    /// So long they are used while that fails.
    pub keep: Time,
}

impl Default for DnsConfig {
    fn default() -> Self {
        let NameTimes { refresh, keep } = NameTimes::default();
        Self {
            refresh: Time(refresh),
            keep: Time(keep),
        }
    }
}

impl DnsConfig {
    pub(super) const fn times(&self) -> NameTimes {
        NameTimes {
            refresh: self.refresh.0,
            keep: self.keep.0,
        }
    }
}

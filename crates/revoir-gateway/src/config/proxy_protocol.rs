//! [`ProxyProtocolConfig`]: the `[proxy-protocol]` of the file.

use serde::{Deserialize, Serialize};

use crate::config::values::{Time, at_least_ms};
use crate::front::ProxyProtocol;
use crate::net::{ListenAddr, Peers};

/// Which connections begin with a PROXY header.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProxyProtocolConfig {
    /// The balancers that send one, always.
    pub from: Peers,
    /// Those of the addresses of `listen` that they connect to. Empty: all.
    pub listen: Vec<ListenAddr>,
    /// For the header to come.
    #[serde(deserialize_with = "at_least_ms::<100, _>")]
    pub time: Time,
}

impl Default for ProxyProtocolConfig {
    fn default() -> Self {
        let ProxyProtocol { from, at, limit } = ProxyProtocol::default();
        Self {
            from,
            listen: at,
            time: Time(limit),
        }
    }
}

impl ProxyProtocolConfig {
    pub(super) fn settings(&self) -> ProxyProtocol {
        ProxyProtocol {
            from: self.from.clone(),
            at: self.listen.clone(),
            limit: self.time.0,
        }
    }
}

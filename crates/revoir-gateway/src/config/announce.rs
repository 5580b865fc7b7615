//! [`AnnounceConfig`]: whether connections to upstreams begin with a PROXY header.

use serde::{Deserialize, Serialize};

use crate::proxy_protocol::Version;

/// Whether connections to upstreams begin with a PROXY header, and of which version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnnounceConfig {
    /// They do not.
    #[default]
    None,
    /// Of version 1, as a line of text.
    V1,
    /// Of version 2.
    V2,
}

impl AnnounceConfig {
    pub(super) const fn version(self) -> Option<Version> {
        match self {
            Self::None => None,
            Self::V1 => Some(Version::V1),
            Self::V2 => Some(Version::V2),
        }
    }
}

//! [`Overview`]: how the whole gateway stands, at one moment.

use serde::{Deserialize, Serialize};

use super::traffic::Sum;

/// How the whole gateway stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overview {
    /// WebSocket connections, held ones among them.
    pub(crate) connections: usize,
    /// Clients without a backend.
    pub(crate) held: usize,
    /// Bytes that wait for a backend.
    pub(crate) held_bytes: usize,
    /// What has come from clients so far, also from those that have left.
    pub(crate) from_clients: Sum,
    /// What has come from backends so far.
    pub(crate) from_backends: Sum,
    pub(crate) draining: bool,
    pub(crate) upstreams: Vec<UpstreamState>,
}

/// How one upstream stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UpstreamState {
    /// Host and port.
    pub(crate) upstream: String,
    /// Whether the last attempt to reach it succeeded.
    pub(crate) accepts: bool,
    pub(crate) connections: usize,
}

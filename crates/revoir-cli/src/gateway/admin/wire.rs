//! What the admin interface says and takes, as JSON. The fields are API: docs/json.md lists them,
//! and a test compares.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::gateway::connection::Handle;
use crate::gateway::overview::UpstreamState;
use crate::gateway::session::Side;
use crate::gateway::traffic::Sum;

/// One connection that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ConnectionLine {
    pub(crate) id: String,
    pub(crate) peer: String,
    pub(crate) host: Option<String>,
    pub(crate) path: String,
    pub(crate) query: bool,
    pub(crate) user_agent: Option<String>,
    pub(crate) subprotocol: Option<String>,
    pub(crate) upstream: String,
    pub(crate) age_ms: u64,
    pub(crate) idle_ms: u64,
    /// For how long it is held; `None`: it has a backend.
    pub(crate) held_ms: Option<u64>,
    pub(crate) from_client: Sum,
    pub(crate) from_backend: Sum,
    pub(crate) client_rtt_ms: Option<f64>,
    pub(crate) backend_rtt_ms: Option<f64>,
}

/// How the gateway stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusLine {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) uptime_ms: u64,
    pub(crate) draining: bool,
    pub(crate) connections: usize,
    pub(crate) held: usize,
    pub(crate) held_bytes: usize,
    pub(crate) from_clients: Sum,
    pub(crate) from_backends: Sum,
    pub(crate) upstreams: Vec<UpstreamState>,
    pub(crate) dropped_lines: u64,
}

/// With what a connection is to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndWith {
    pub(crate) code: u16,
    #[serde(default)]
    pub(crate) reason: String,
}

/// A connection that was told to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndingLine {
    pub(crate) id: String,
    pub(crate) code: u16,
    pub(crate) reason: String,
}

/// How the gateway is to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrainAs {
    /// Whether a successor is coming. `None`: as `serve` was told.
    #[serde(default)]
    pub(crate) restart: Option<bool>,
}

/// A drain that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DrainLine {
    pub(crate) connections: usize,
}

/// Why there is no answer, and what would have one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    pub(crate) error: String,
    pub(crate) hint: String,
}

impl ConnectionLine {
    /// `now` in the gateway's time.
    pub(super) fn new(handle: &Handle, now: Duration) -> Self {
        let (asked, traffic) = (&handle.asked, &handle.traffic);
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let rtt = |side| Some(traffic.rtt(side)?.as_secs_f64() * 1000.0);
        let last = traffic.last().max(handle.opened);
        let held = traffic.held_since();
        Self {
            id: handle.name.to_string(),
            peer: asked.peer.to_string(),
            host: text(&asked.host),
            path: asked.path.to_string(),
            query: asked.has_query,
            user_agent: text(&asked.user_agent),
            subprotocol: text(&handle.agreement.subprotocol),
            upstream: handle.upstream().to_string(),
            age_ms: milliseconds(now.saturating_sub(handle.opened)),
            idle_ms: milliseconds(now.saturating_sub(last)),
            held_ms: held.map(|since| milliseconds(now.saturating_sub(since))),
            from_client: traffic.sum(Side::Client),
            from_backend: traffic.sum(Side::Backend),
            client_rtt_ms: rtt(Side::Client),
            backend_rtt_ms: rtt(Side::Backend),
        }
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

//! [`Rules`]: what a route is told.

use std::time::Duration;

use revoir_proto::{KeepaliveConfig, SendCode};
use serde::{Deserialize, Serialize};

use crate::client_rate::ClientRate;

/// What a route does with its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A client stays if its backend says that it may; everything else is a tunnel whose lost backend
    /// is told as a restart.
    Auto,
    /// Frames pass; an ending is translated.
    Tunnel,
    /// Clients stay while the backend is away.
    Hold,
}

/// How a route treats its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Which clients are held.
    pub mode: Mode,
    /// The longest message of a client, in payload bytes on the wire.
    pub client_message: u64,
    /// The longest frame or message that is kept until it is whole.
    pub keep: usize,
    /// Pings, on both sides of the gateway.
    pub keepalive: Option<KeepaliveConfig>,
    /// How long a side may take no bytes while some wait for it.
    pub write_timeout: Duration,
    /// How long a closing handshake may take.
    pub close_budget: Duration,
    /// How long a backend may be away after it announced a restart.
    pub planned_budget: Duration,
    /// How long a backend may be away after it was lost.
    pub lost_budget: Duration,
    /// How long a return may take once the backend accepts again.
    pub queue_limit: Duration,
    /// A connection that lasted so long gets a whole budget again.
    pub stable_after: Duration,
    /// Whether 1011 from a backend starts a hold.
    pub hold_on_1011: bool,
    /// How long a connection may be open. `None`: any time. Each ends up to a tenth earlier.
    pub max_age: Option<Duration>,
    /// How long no message may come from either side. `None`: any time. Pings are no messages.
    pub idle_limit: Option<Duration>,
    /// How much one client may send.
    pub client_rate: ClientRate,
    /// In `tunnel`: the code for a backend that was lost, 1011 or 1014.
    pub lost_code: SendCode,
    /// What one client may send during a hold, in bytes on the wire.
    pub held_bytes: usize,
    /// What one client may send during a hold, in messages.
    pub held_messages: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            mode: Mode::Auto,
            client_message: 16 * 1024 * 1024,
            keep: 1024 * 1024,
            keepalive: Some(KeepaliveConfig::default()),
            write_timeout: Duration::from_secs(20),
            close_budget: Duration::from_secs(5),
            planned_budget: Duration::from_secs(30),
            lost_budget: Duration::from_secs(10),
            queue_limit: Duration::from_secs(60),
            stable_after: Duration::from_secs(10),
            hold_on_1011: false,
            max_age: None,
            idle_limit: None,
            client_rate: ClientRate::default(),
            lost_code: SendCode::INTERNAL_ERROR,
            held_bytes: 64 * 1024,
            held_messages: 64,
        }
    }
}

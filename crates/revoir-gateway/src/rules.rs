//! [`Rules`]: what a route is told.

use std::time::Duration;

use revoir_adapters::{Applications, Handshake, Protocol, Unholdable};
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

/// Whose adapter looks at a connection in `auto`, to say its hello again when the client is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum ProtocolRule {
    /// That of the protocol which the opening handshake tells, if there is one.
    #[default]
    Auto,
    /// Nobody's.
    None,
    /// This one's, whatever the opening handshake tells.
    Named(Protocol),
}

impl ProtocolRule {
    /// The protocol of a connection with this opening handshake.
    pub(crate) fn of(self, handshake: &Handshake<'_>) -> Option<Protocol> {
        match self {
            Self::Auto => Protocol::detect(handshake),
            Self::None => None,
            Self::Named(protocol) => Some(protocol),
        }
    }

    /// Why a connection with this opening handshake, which has no adapter, is not held.
    pub(crate) fn unholdable(self, handshake: &Handshake<'_>) -> Option<Unholdable> {
        match self {
            Self::Auto => handshake.unholdable(),
            Self::None | Self::Named(_) => None,
        }
    }

    /// Whether the operator vouches for what speaks the protocol.
    pub(crate) const fn applications(self) -> Applications {
        match self {
            Self::Named(_) => Applications::Known,
            Self::Auto | Self::None => Applications::Unknown,
        }
    }
}

impl TryFrom<String> for ProtocolRule {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match &*name {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            name => match name.parse() {
                Ok(protocol) => Ok(Self::Named(protocol)),
                Err(error) => Err(format!("{error}, and auto and none")),
            },
        }
    }
}

impl From<ProtocolRule> for String {
    fn from(rule: ProtocolRule) -> Self {
        match rule {
            ProtocolRule::Auto => "auto".to_owned(),
            ProtocolRule::None => "none".to_owned(),
            ProtocolRule::Named(protocol) => protocol.name().to_owned(),
        }
    }
}

/// How a route treats its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Which clients are held.
    pub mode: Mode,
    /// Whose adapter may say a hello again, in `auto`.
    pub protocol: ProtocolRule,
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
    /// How long a backend that shows no sign of life is kept, until it counts as lost. Zero: it is lost
    /// at once.
    pub silent_budget: Duration,
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
            protocol: ProtocolRule::Auto,
            client_message: 16 * 1024 * 1024,
            keep: 1024 * 1024,
            keepalive: Some(KeepaliveConfig::default()),
            write_timeout: Duration::from_secs(20),
            close_budget: Duration::from_secs(5),
            planned_budget: Duration::from_secs(60),
            lost_budget: Duration::from_secs(60),
            silent_budget: Duration::from_secs(60),
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

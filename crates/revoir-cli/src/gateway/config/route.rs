//! [`RouteConfig`]: one `[[route]]` of the file.

use std::sync::Arc;

use revoir_proto::{KeepaliveConfig, SendCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::super::pool::{PoolSettings, Target};
use super::super::{Destination, Mode, RouteSettings, Rules, Site};
use super::values::{self, Time};

/// One route. What is absent has its default.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RouteConfig {
    #[serde(
        deserialize_with = "values::host",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) host: Option<String>,
    #[serde(deserialize_with = "values::path")]
    pub(crate) path: String,
    /// None: what is built in.
    pub(crate) upstreams: Vec<Target>,
    pub(crate) mode: Mode,
    /// Returns of held clients per second.
    pub(crate) return_rate: u32,
    /// The longest message of a client.
    pub(crate) message_bytes: u64,
    /// In a tunnel: the code for a backend that was lost.
    pub(crate) lost_code: LostCode,
    pub(crate) ping_interval: Time,
    pub(crate) pong_timeout: Time,
    pub(crate) hold: Holding,
}

/// How long clients are held.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Holding {
    /// After a backend announced a restart.
    pub(crate) planned: Time,
    /// After a backend was lost.
    pub(crate) lost: Time,
    /// Once the backend accepts again.
    pub(crate) queue: Time,
    /// Whether 1011 from a backend starts a hold.
    pub(crate) on_1011: bool,
    /// What one client may send meanwhile.
    pub(crate) bytes: usize,
    pub(crate) messages: usize,
}

/// 1011 or 1014.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LostCode(pub(crate) SendCode);

impl Default for RouteConfig {
    fn default() -> Self {
        let rules = Rules::default();
        let keepalive = KeepaliveConfig::default();
        Self {
            host: None,
            path: "/".to_owned(),
            upstreams: Vec::new(),
            mode: rules.mode,
            return_rate: PoolSettings::REDIAL_RATE,
            message_bytes: rules.client_message,
            lost_code: LostCode(rules.lost_code),
            ping_interval: Time(keepalive.interval),
            pong_timeout: Time(keepalive.timeout),
            hold: Holding::default(),
        }
    }
}

impl Default for Holding {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            planned: Time(rules.planned_budget),
            lost: Time(rules.lost_budget),
            queue: Time(rules.queue_limit),
            on_1011: rules.hold_on_1011,
            bytes: rules.held_bytes,
            messages: rules.held_messages,
        }
    }
}

impl RouteConfig {
    /// Everything to one upstream.
    pub(crate) fn to(upstream: Target, mode: Mode) -> Self {
        Self {
            upstreams: vec![upstream],
            mode,
            ..Self::default()
        }
    }

    /// What is built in.
    pub(crate) fn built_in(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// The route. Without an upstream it leads to `site`.
    pub(crate) fn settings(&self, site: &Site) -> RouteSettings {
        let to = match self.upstreams.split_first() {
            None => Destination::Site(site.clone()),
            Some((target, more)) => Destination::Upstreams(PoolSettings {
                target: target.clone(),
                more: more.to_vec(),
                rules: Arc::new(self.rules()),
                redial_rate: self.return_rate,
            }),
        };
        RouteSettings {
            host: self.host.clone(),
            path: self.path.clone(),
            to,
        }
    }

    fn rules(&self) -> Rules {
        let mut keepalive = KeepaliveConfig::default();
        keepalive.interval = self.ping_interval.0;
        keepalive.timeout = self.pong_timeout.0;
        Rules {
            mode: self.mode,
            client_message: self.message_bytes,
            keepalive: (!keepalive.interval.is_zero()).then_some(keepalive),
            planned_budget: self.hold.planned.0,
            lost_budget: self.hold.lost.0,
            queue_limit: self.hold.queue.0,
            hold_on_1011: self.hold.on_1011,
            lost_code: self.lost_code.0,
            held_bytes: self.hold.bytes,
            held_messages: self.hold.messages,
            ..Rules::default()
        }
    }
}

impl<'de> Deserialize<'de> for LostCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u16::deserialize(deserializer)? {
            1011 => Ok(Self(SendCode::INTERNAL_ERROR)),
            1014 => Ok(Self(SendCode::BAD_GATEWAY)),
            _ => Err(de::Error::custom("choose 1011 or 1014")),
        }
    }
}

impl Serialize for LostCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0.get())
    }
}

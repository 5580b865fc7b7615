//! [`RouteConfig`]: one `[[route]]` of the file.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use revoir::server::Origins;
use revoir_proto::{KeepaliveConfig, SendCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::config::announce::AnnounceConfig;
use crate::config::auth::AuthConfig;
use crate::config::away::AwayConfig;
use crate::config::error::ConfigError;
use crate::config::rate::RateConfig;
use crate::config::session::{self, SessionConfig};
use crate::config::upstream::UpstreamConfig;
use crate::config::values;
use crate::config::values::Time;
use crate::front::{Destination, LocalService, RouteSettings};
use crate::rules::{Mode, ProtocolRule, Rules};
use crate::upstream::{
    Balance, Check, Connecting, KeepAlive, PoolSettings, Target, Thresholds, UpstreamTls, Weights,
};

/// One route. What is absent has its default.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RouteConfig {
    /// Requests for this host; `None`: for any.
    #[serde(
        deserialize_with = "values::host",
        skip_serializing_if = "Option::is_none"
    )]
    pub host: Option<String>,
    /// Requests at this path and below.
    #[serde(deserialize_with = "values::path")]
    pub path: String,
    /// None: what is built in.
    pub upstreams: Vec<UpstreamConfig>,
    /// Used only where none of those is fit.
    pub backups: Vec<UpstreamConfig>,
    /// Which of those that are fit a client goes to.
    pub balance: Balance,
    /// Whether connections to them begin with a PROXY header.
    pub proxy_protocol: AnnounceConfig,
    /// What becomes of its connections.
    pub mode: Mode,
    /// Whose adapter may say a hello again, in `auto`.
    pub protocol: ProtocolRule,
    /// Which web pages may connect, beside those of the same host.
    #[serde(deserialize_with = "values::origins")]
    pub origins: Vec<String>,
    /// Returns of held clients per second.
    #[serde(deserialize_with = "values::at_least_one")]
    pub return_rate: u32,
    /// The longest message of a client.
    #[serde(deserialize_with = "values::at_least_one")]
    pub message_bytes: u64,
    /// In `tunnel`: the code for a backend that was lost.
    pub lost_code: LostCode,
    /// How long a side may take no bytes while some wait for it.
    #[serde(deserialize_with = "values::at_least_ms::<100, _>")]
    pub write_time: Time,
    /// Connections to one upstream that are kept for further plain requests.
    pub kept_connections: usize,
    /// For how long.
    #[serde(deserialize_with = "values::at_least_ms::<100, _>")]
    pub kept_time: Time,
    /// How long a closing handshake may take.
    #[serde(deserialize_with = "values::at_least_ms::<100, _>")]
    pub close_time: Time,
    /// Until a quiet side is asked for a sign of life; 0: never.
    #[serde(deserialize_with = "values::none_or_ms::<100, _>")]
    pub ping_interval: Time,
    /// Until a side counts as dead that gives none.
    #[serde(deserialize_with = "values::at_least_ms::<100, _>")]
    pub pong_timeout: Time,
    /// How long a connection may be open; 0: any time.
    #[serde(deserialize_with = "values::none_or_ms::<1000, _>")]
    pub max_age: Time,
    /// How long no message may come from either side; 0: any time.
    #[serde(deserialize_with = "values::none_or_ms::<1000, _>")]
    pub idle_time: Time,
    /// Who is asked whether a request may pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthConfig>,
    /// Whether clients may have sessions, and which.
    #[serde(
        deserialize_with = "session::session",
        skip_serializing_if = "Option::is_none"
    )]
    pub session: Option<SessionConfig>,
    /// How much one client may send.
    pub rate: RateConfig,
    /// How long clients are held.
    pub hold: HoldConfig,
    /// Whether and how upstreams are asked how they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckConfig>,
    /// When answers make an upstream count as away.
    pub away: AwayConfig,
    /// Which certificates upstreams may have.
    pub tls: UpstreamTlsConfig,
}

/// How long clients are held.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HoldConfig {
    /// After a backend announced a restart.
    #[serde(deserialize_with = "values::some_time")]
    pub planned: Time,
    /// After a backend was lost.
    #[serde(deserialize_with = "values::some_time")]
    pub lost: Time,
    /// While a backend shows no sign of life, and is not gone; 0: it counts as lost at once.
    #[serde(deserialize_with = "values::none_or_ms::<100, _>")]
    pub silent: Time,
    /// Once the backend accepts again.
    #[serde(deserialize_with = "values::some_time")]
    pub queue: Time,
    /// Whether 1011 from a backend starts a hold.
    pub on_1011: bool,
    /// A connection that lasted so long with a backend may be held for the whole of each time again.
    #[serde(deserialize_with = "values::some_time")]
    pub renewed_after: Time,
    /// The longest frame or message that is kept until it is whole; a longer one goes on as it comes.
    #[serde(deserialize_with = "values::at_least_one")]
    pub whole_bytes: usize,
    /// What one client may send meanwhile.
    #[serde(deserialize_with = "values::at_least_one")]
    pub bytes: usize,
    /// The same, in messages.
    #[serde(deserialize_with = "values::at_least_one")]
    pub messages: usize,
}

/// How upstreams are checked.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CheckConfig {
    /// What is asked for. `None`: a connection is good enough.
    #[serde(
        deserialize_with = "values::some_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub path: Option<String>,
    /// Between two checks.
    #[serde(deserialize_with = "values::at_least_ms::<100, _>")]
    pub interval: Time,
    /// For one check.
    #[serde(deserialize_with = "values::at_least_ms::<10, _>")]
    pub timeout: Time,
    /// In a row, until an upstream is left out.
    #[serde(deserialize_with = "values::at_least_one")]
    pub failures: u32,
    /// In a row, until it is taken in again.
    #[serde(deserialize_with = "values::at_least_one")]
    pub successes: u32,
}

/// Which certificates upstreams may have.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct UpstreamTlsConfig {
    /// The roots. `None`: the platform's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Any certificate will do.
    pub insecure: bool,
}

/// 1011 or 1014.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostCode(pub SendCode);

impl Default for RouteConfig {
    fn default() -> Self {
        let rules = Rules::default();
        let keepalive = KeepaliveConfig::default();
        Self {
            host: None,
            path: "/".to_owned(),
            upstreams: Vec::new(),
            backups: Vec::new(),
            balance: Balance::default(),
            proxy_protocol: AnnounceConfig::default(),
            mode: rules.mode,
            protocol: rules.protocol,
            origins: vec!["*".to_owned()],
            return_rate: PoolSettings::REDIAL_RATE,
            message_bytes: rules.client_message,
            lost_code: LostCode(rules.lost_code),
            write_time: Time(rules.write_timeout),
            kept_connections: KeepAlive::default().connections,
            kept_time: Time(KeepAlive::default().time),
            close_time: Time(rules.close_budget),
            ping_interval: Time(keepalive.interval),
            pong_timeout: Time(keepalive.timeout),
            max_age: Time(rules.max_age.unwrap_or_default()),
            idle_time: Time(rules.idle_limit.unwrap_or_default()),
            auth: None,
            session: None,
            rate: RateConfig::default(),
            hold: HoldConfig::default(),
            check: None,
            away: AwayConfig::default(),
            tls: UpstreamTlsConfig::default(),
        }
    }
}

impl Default for CheckConfig {
    fn default() -> Self {
        Self {
            path: None,
            interval: Time::seconds(5),
            timeout: Time::seconds(2),
            failures: 3,
            successes: 2,
        }
    }
}

impl Default for HoldConfig {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            planned: Time(rules.planned_budget),
            lost: Time(rules.lost_budget),
            silent: Time(rules.silent_budget),
            queue: Time(rules.queue_limit),
            on_1011: rules.hold_on_1011,
            renewed_after: Time(rules.stable_after),
            whole_bytes: rules.keep,
            bytes: rules.held_bytes,
            messages: rules.held_messages,
        }
    }
}

impl RouteConfig {
    /// Everything to one upstream.
    pub fn to(upstream: Target, mode: Mode) -> Self {
        Self {
            upstreams: vec![upstream.into()],
            mode,
            ..Self::default()
        }
    }

    /// What is built in.
    pub fn built_in(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// Whether it leads to what is built in.
    pub fn is_built_in(&self) -> bool {
        self.upstreams.is_empty()
    }

    /// The route. Without an upstream it leads to `site`.
    ///
    /// # Errors
    ///
    /// The roots cannot be read or used.
    pub fn settings(&self, site: &LocalService) -> Result<RouteSettings, ConfigError> {
        let to = match self.upstreams.split_first() {
            None => Destination::LocalService(site.clone()),
            Some((first, more)) => Destination::Upstreams(PoolSettings {
                target: first.url.clone(),
                more: targets(more),
                backups: targets(&self.backups),
                balance: self.balance.clone(),
                weights: self.weights(),
                connecting: Connecting {
                    announce: self.proxy_protocol.version(),
                    ..Connecting::default()
                },
                rules: Arc::new(self.rules()),
                redial_rate: self.return_rate,
                check: self.check.as_ref().map(CheckConfig::check),
                away: self.away.counts(),
                redials: self.away.redials(),
                keep_alive: KeepAlive {
                    connections: self.kept_connections,
                    time: self.kept_time.0,
                },
                origins: self.origins(),
                trust: self.trust()?,
            }),
        };
        Ok(RouteSettings {
            host: self.host.clone(),
            path: self.path.clone(),
            auth: self.auth.as_ref().map(AuthConfig::settings).transpose()?,
            session: self
                .session
                .as_ref()
                .map(SessionConfig::settings)
                .transpose()?,
            to,
        })
    }

    fn weights(&self) -> Weights {
        let all = self.upstreams.iter().chain(&self.backups);
        Weights::new(all.map(|one| (one.url.clone(), one.weight)))
    }

    fn origins(&self) -> Origins {
        match self.origins.iter().any(|origin| origin == "*") {
            true => Origins::Any,
            false => Origins::only(&self.origins),
        }
    }

    fn trust(&self) -> Result<Option<UpstreamTls>, ConfigError> {
        let mut targets = self.upstreams.iter().chain(&self.backups);
        let is_secure = targets.any(|one| one.url.secure);
        let trust = match &self.tls.ca {
            _ if self.tls.insecure => UpstreamTls::anybody(),
            None if !is_secure => return Ok(None),
            None => UpstreamTls::platform(),
            // What cannot be used is said before it is needed.
            Some(path) => {
                let unusable = |error| ConfigError::Roots {
                    key: "route.tls.ca",
                    path: path.clone(),
                    error,
                };
                let pem = fs::read(path).map_err(|error| unusable(error.into()))?;
                UpstreamTls::roots(pem).map_err(|error| unusable(error.into()))?
            }
        };
        Ok(is_secure.then_some(trust))
    }

    fn rules(&self) -> Rules {
        let mut keepalive = KeepaliveConfig::default();
        keepalive.interval = self.ping_interval.0;
        keepalive.timeout = self.pong_timeout.0;
        Rules {
            mode: self.mode,
            protocol: self.protocol,
            client_message: self.message_bytes,
            keepalive: (!keepalive.interval.is_zero()).then_some(keepalive),
            max_age: self.max_age.unless_zero(),
            idle_limit: self.idle_time.unless_zero(),
            client_rate: self.rate.rate(),
            planned_budget: self.hold.planned.0,
            lost_budget: self.hold.lost.0,
            silent_budget: self.hold.silent.0,
            queue_limit: self.hold.queue.0,
            stable_after: self.hold.renewed_after.0,
            keep: self.hold.whole_bytes,
            write_timeout: self.write_time.0,
            close_budget: self.close_time.0,
            hold_on_1011: self.hold.on_1011,
            lost_code: self.lost_code.0,
            held_bytes: self.hold.bytes,
            held_messages: self.hold.messages,
        }
    }
}

fn targets(upstreams: &[UpstreamConfig]) -> Vec<Target> {
    upstreams.iter().map(|one| one.url.clone()).collect()
}

impl CheckConfig {
    fn check(&self) -> Check {
        Check {
            path: self.path.clone(),
            interval: self.interval.0,
            timeout: self.timeout.0,
            thresholds: Thresholds {
                failures: self.failures,
                successes: self.successes,
            },
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

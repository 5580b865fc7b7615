//! [`Config`]: everything that can be told to a gateway, as a file of TOML. The keys are described
//! in `docs/gateway.md`; `docs/revoir.toml` has them all.

pub(crate) mod admin_address;
mod announce;
mod auth;
mod away;
mod dns;
mod error;
mod log;
mod mistake;
mod node;
mod permissions;
mod place;
mod proxy_protocol;
mod rate;
mod reading;
mod restart;
mod route;
mod session;
mod store;
mod tls;
mod upstream;
mod values;
mod words;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::Path;

use axum::Router;
use revoir::drain::Drain;
use serde::{Deserialize, Serialize};

use crate::connection::ClientLimits;
use crate::front::{Destination, HttpTimes, LocalService, RouteSettings, Settings};
use crate::net::{ListenAddr, Peers};
use crate::upstream::{Connecting, Place};
use crate::watch::Logs;
pub use admin_address::{AdminAddr, InvalidAdminAddr};
pub use announce::AnnounceConfig;
pub use auth::{AuthConfig, FieldName, HookUrl};
pub use away::AwayConfig;
pub use dns::DnsConfig;
pub use error::{ConfigError, Mistake, Wrong};
pub use log::{LogFormat, LogLevel};
pub use permissions::Permissions;
pub use proxy_protocol::ProxyProtocolConfig;
pub use rate::RateConfig;
pub use reading::{parse, read};
pub use route::{CheckConfig, HoldConfig, LostCode, RouteConfig, UpstreamTlsConfig};
pub use session::SessionConfig;
pub use store::{RedisAddress, SessionsConfig, StoreConfig};
pub use tls::{CertificateFiles, ClientCertConfig, TlsConfig};
pub use upstream::UpstreamConfig;
pub use values::{Most, Time};

/// The whole file. What is absent has its default.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where clients connect.
    pub listen: Vec<ListenAddr>,
    /// Of the Unix sockets among those, as chmod has them.
    pub listen_permissions: Permissions,
    /// What is written to stdout.
    pub access_log: Logs,
    /// From which level on something is written to stderr.
    pub log: LogLevel,
    /// How.
    pub log_format: LogFormat,
    /// Over TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsConfig>,
    /// The proxies whose word about clients is taken.
    pub trusted_proxies: Peers,
    /// Which connections begin with a PROXY header.
    pub proxy_protocol: ProxyProtocolConfig,
    /// What clients may ask for.
    pub limits: LimitsConfig,
    /// How long the addresses of names hold.
    pub dns: DnsConfig,
    /// Where the sessions of all routes are kept.
    pub session: SessionsConfig,
    /// How the gateway ends.
    pub drain: DrainConfig,
    /// Where an operator asks and steers it.
    pub admin: AdminConfig,
    /// Empty: everything is built in.
    #[serde(rename = "route")]
    pub routes: Vec<RouteConfig>,
}

/// What clients may ask for.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitsConfig {
    /// For a request, and then for a backend's answer to a handshake.
    #[serde(deserialize_with = "values::at_least_ms::<100, _>")]
    pub handshake_time: Time,
    /// For a backend to be there that a handshake waits for.
    pub wait_time: Time,
    /// Handshakes that wait for one.
    pub waiting: Most,
    /// For a connection to an upstream, with TLS.
    #[serde(deserialize_with = "values::at_least_ms::<10, _>")]
    pub connect_time: Time,
    /// For the next bytes of a plain request's body.
    #[serde(deserialize_with = "values::at_least_ms::<100, _>")]
    pub body_time: Time,
    /// For the head of the answer to a plain request.
    #[serde(deserialize_with = "values::at_least_ms::<100, _>")]
    pub response_time: Time,
    /// For the next bytes of its body; 0: any.
    #[serde(deserialize_with = "values::none_or_ms::<100, _>")]
    pub response_idle_time: Time,
    /// For a client to take bytes of an answer.
    #[serde(deserialize_with = "values::at_least_ms::<100, _>")]
    pub write_time: Time,
    /// For the next request of a connection to begin.
    #[serde(deserialize_with = "values::at_least_ms::<100, _>")]
    pub keep_alive_time: Time,
    /// Connections of any kind.
    pub sockets: Most,
    /// The same, of one address.
    pub sockets_per_address: Most,
    /// The head of a request.
    #[serde(deserialize_with = "values::head_bytes")]
    pub header_bytes: usize,
    /// The header fields of a request.
    #[serde(deserialize_with = "values::at_least_one")]
    pub header_fields: usize,
    /// WebSocket connections, with those that are opening.
    pub connections: Most,
    /// The same, of one client address.
    pub connections_per_address: Most,
    /// Opening handshakes.
    pub handshakes_per_second: Most,
    /// The memory that all clients together fill.
    #[serde(deserialize_with = "values::held_bytes")]
    pub held_bytes: usize,
}

/// How the gateway ends.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DrainConfig {
    /// How long it may take.
    pub time: Time,
    /// Whether a successor is coming: 1012 with a slot, and not 1001.
    pub restart: bool,
    /// After which time the successor is there.
    pub ready_in: Time,
    /// How many clients may come back per second.
    pub return_rate: NonZeroU32,
    /// Over which time connections are closed.
    pub closing_over: Time,
}

/// Where an operator asks and steers the gateway.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdminConfig {
    /// `None`: where `ctl` looks by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<AdminAddr>,
    /// Further names that it may be asked as.
    pub hosts: Vec<String>,
    /// Where else it only tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<SocketAddr>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)).into()],
            listen_permissions: Permissions::default(),
            access_log: Logs::All,
            log: LogLevel::default(),
            log_format: LogFormat::default(),
            tls: None,
            trusted_proxies: Peers::default(),
            proxy_protocol: ProxyProtocolConfig::default(),
            limits: LimitsConfig::default(),
            admin: AdminConfig::default(),
            dns: DnsConfig::default(),
            drain: DrainConfig::default(),
            session: SessionsConfig::default(),
            routes: Vec::new(),
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            handshake_time: Time(settings.handshake_limit),
            wait_time: Time(settings.wait_limit),
            waiting: Most(settings.waiting),
            connect_time: Time(Connecting::default().limit),
            body_time: Time(settings.http.body),
            response_time: Time(settings.http.response),
            response_idle_time: Time(settings.http.response_idle),
            write_time: Time(settings.http.write),
            keep_alive_time: Time(settings.http.keep_alive),
            sockets: Most(settings.sockets),
            sockets_per_address: Most(settings.sockets_per_address),
            header_bytes: settings.head_bytes,
            header_fields: settings.head_fields,
            connections: Most(settings.room.in_all),
            connections_per_address: Most(settings.room.per_address),
            handshakes_per_second: Most::ANY,
            held_bytes: settings.held_bytes,
        }
    }
}

impl Default for DrainConfig {
    fn default() -> Self {
        Self {
            time: Time::seconds(10),
            restart: false,
            ready_in: Time::seconds(5),
            return_rate: NonZeroU32::MIN.saturating_add(499),
            closing_over: Time::seconds(1),
        }
    }
}

impl DrainConfig {
    /// How to end; `restart`: for a successor.
    pub fn plan(&self, restart: bool) -> Drain {
        let plan = match restart {
            true => Drain::restart()
                .reason("the gateway restarts")
                .ready_in(self.ready_in.0),
            false => Drain::going_away().reason("the gateway stops"),
        };
        plan.within(self.time.0)
            .closing_over(self.closing_over.0)
            .return_rate(self.return_rate)
    }
}

impl Config {
    /// Has paths that are relative stand in `directory`.
    fn stands_in(&mut self, directory: &Path) {
        let files = self.tls.iter_mut().flat_map(TlsConfig::paths);
        let routes = self.routes.iter_mut();
        let roots = routes.flat_map(|route| {
            let hook = route.auth.as_mut().and_then(|auth| auth.ca.as_mut());
            let session = route.session.as_mut();
            let keys = session.and_then(|session| session.keys.as_mut());
            route.tls.ca.iter_mut().chain(hook).chain(keys)
        });
        let sessions = self.session.keys.iter_mut();
        let store = match &mut self.session.store {
            StoreConfig::Disk(path) => Some(path),
            StoreConfig::Memory | StoreConfig::Redis(_) => None,
        };
        for path in files.chain(roots).chain(sessions).chain(store) {
            *path = directory.join(&*path);
        }
        let listeners = &mut self.proxy_protocol.listen;
        for address in self.listen.iter_mut().chain(listeners) {
            address.stands_in(directory);
        }
        let upstreams = self.routes.iter_mut().flat_map(|route| {
            let RouteConfig {
                upstreams, backups, ..
            } = route;
            upstreams.iter_mut().chain(backups)
        });
        for upstream in upstreams {
            if let Place::Unix(path) = &mut upstream.url.place {
                *path = directory.join(&*path);
            }
        }
        if let Some(AdminAddr::Unix(path)) = &mut self.admin.listen {
            *path = directory.join(&*path);
        }
    }

    /// Looks for everything for which a gateway would not start with this, but for what depends on the
    /// moment: ports that others have, for example. The files that it names are read.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(mistake) = self.mistake() {
            return Err(ConfigError::Mistake(mistake));
        }
        self.tls.as_ref().map(TlsConfig::server).transpose()?;
        // Nobody is going to be answered by it.
        self.routes(&LocalService::new(Router::new())).map(|_| ())
    }

    /// The routes. Those without upstreams lead to `service`.
    ///
    /// # Errors
    ///
    /// The files of a route cannot be read or used.
    pub fn routes(&self, service: &LocalService) -> Result<Vec<RouteSettings>, ConfigError> {
        let session_keys = self.session.keys.as_ref();
        let session_keys = session_keys
            .map(|path| session::keys("session.keys", path))
            .transpose()?;
        let route = |route: &RouteConfig| {
            let mut settings = route.settings(service)?;
            if let Destination::Upstreams(pool) = &mut settings.to {
                pool.connecting.limit = self.limits.connect_time.0;
                pool.connecting.names = self.dns.times();
            }
            if let Some(auth) = &mut settings.auth {
                auth.names = self.dns.times();
            }
            if let Some(session) = &mut settings.session {
                session.keys = session.keys.take().or_else(|| session_keys.clone());
                if let Some(callback) = &mut session.callback {
                    callback.names = self.dns.times();
                }
            }
            Ok(settings)
        };
        self.routes.iter().map(route).collect()
    }

    /// What holds for all routes.
    pub fn settings(&self) -> Settings {
        let limits = &self.limits;
        Settings {
            handshake_limit: limits.handshake_time.0,
            wait_limit: limits.wait_time.0,
            waiting: limits.waiting.0,
            sockets: limits.sockets.0,
            sockets_per_address: limits.sockets_per_address.0,
            http: HttpTimes {
                body: limits.body_time.0,
                response: limits.response_time.0,
                response_idle: limits.response_idle_time.0,
                write: limits.write_time.0,
                keep_alive: limits.keep_alive_time.0,
            },
            head_bytes: limits.header_bytes,
            head_fields: limits.header_fields,
            held_bytes: limits.held_bytes,
            room: ClientLimits {
                in_all: limits.connections.0,
                per_address: limits.connections_per_address.0,
                per_second: limits.handshakes_per_second.rate(),
            },
            proxy_protocol: self.proxy_protocol.settings(),
            trusted: self.trusted_proxies.clone(),
        }
    }
}

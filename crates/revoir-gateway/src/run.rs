//! A gateway as its configuration says, from its routes to its listeners.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::{fmt, io};

use revoir::tls::ServerTls;

use crate::config::{Config, ConfigError, TlsConfig};
use crate::front::LocalService;
use crate::gateway::{Gateway, Reloaded};
use crate::net::{ListenAddr, Listener};
use crate::watch::Observer;

/// Why a gateway does not run.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// Nothing can listen on an address of the configuration.
    Listen {
        /// The address.
        address: ListenAddr,
        /// Why not.
        error: io::Error,
    },
    /// A certificate, its key or the roots of clients cannot be read or used.
    Tls(ConfigError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Tls(error) => write!(f, "{error}"),
        }
    }
}

impl Error for StartError {}

impl Gateway {
    /// The gateway that `config` describes. `service` answers the routes that have no upstreams.
    /// To be called in a runtime.
    ///
    /// # Errors
    ///
    /// What [`Config::check`] finds, and that the store of sessions cannot be opened.
    pub fn from_config(
        config: &Config,
        service: &LocalService,
        observer: Arc<dyn Observer>,
    ) -> Result<Arc<Self>, ConfigError> {
        config.check()?;
        let routes = config.routes(service)?;
        let store = config.session.store.open()?;
        let settings = config.settings();
        Ok(Self::with_store(routes, settings, observer, store))
    }

    /// Takes the routes and settings of `config`, as [`reload`](Self::reload) does; what stays at an
    /// upstream that is removed may stay for `drain.time`. What
    /// [`needs_restart`](Config::needs_restart) stays as it is.
    ///
    /// # Errors
    ///
    /// What [`Config::check`] finds, and everything stays as it was.
    pub fn reload_config(
        self: &Arc<Self>,
        config: &Config,
        service: &LocalService,
    ) -> Result<Reloaded, ConfigError> {
        config.check()?;
        let stay = config.drain.time.0;
        Ok(self.reload(config.routes(service)?, config.settings(), stay))
    }

    /// Listens where `config` says, over TLS if it says so, and serves until it is dropped, which
    /// leaves open connections alone. Call [`drain`](Self::drain) beside it for a graceful end.
    ///
    /// # Errors
    ///
    /// [`StartError`], before anything is served.
    pub async fn run(self: &Arc<Self>, config: &Config) -> Result<Infallible, StartError> {
        let tls = config.tls.as_ref().map(TlsConfig::server).transpose();
        let tls = tls.map_err(StartError::Tls)?.map(ServerTls::from_config);
        let mut listeners = Vec::new();
        for address in &config.listen {
            let permissions = config.listen_permissions.0;
            let listener = Listener::bind(address, permissions).await;
            let address = address.clone();
            let failed = |error| StartError::Listen { address, error };
            listeners.push(listener.map_err(failed)?);
        }
        self.serve(listeners, tls).await;
        std::future::pending().await
    }
}

//! A gateway as its configuration says, from its routes to its listeners.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, fs, io};

use revoir::{ServerTls, TlsError};
use tokio::net::TcpListener;

use crate::config::{Config, ConfigError, TlsFiles};
use crate::front::{LocalService, RouteSettings};
use crate::gateway::{Gateway, Reloaded};
use crate::watch::Observer;

/// Why a gateway does not run.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// Nothing can listen on an address of the configuration.
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// A file of the certificate cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The certificate or its key cannot be used.
    Certificate {
        /// The file of the chain.
        path: PathBuf,
        /// Why not.
        error: TlsError,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Unreadable { path, error } => {
                write!(f, "cannot read {}: {error}", path.display())
            }
            Self::Certificate { path, error } => write!(f, "{}: {error}", path.display()),
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
    /// [`ConfigError::Roots`] if the roots of a route cannot be read or used.
    pub fn from_config(
        config: &Config,
        service: &LocalService,
        observer: Arc<dyn Observer>,
    ) -> Result<Arc<Self>, ConfigError> {
        let routes = routes(config, service)?;
        Ok(Self::new(routes, config.settings(), observer))
    }

    /// Takes the routes and settings of `config`. Connections of routes that are as before stay as
    /// they are; the others are closed, and their clients come back in slots. Listeners,
    /// certificates, the log and the admin interface stay.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Roots`], and everything stays as it was.
    pub fn reload_config(
        self: &Arc<Self>,
        config: &Config,
        service: &LocalService,
    ) -> Result<Reloaded, ConfigError> {
        Ok(self.reload(routes(config, service)?, config.settings()))
    }

    /// Listens where `config` says, over TLS if it says so, and serves until it is dropped, which
    /// leaves open connections alone. Call [`drain`](Self::drain) beside it to end in order.
    ///
    /// # Errors
    ///
    /// [`StartError`], before anything is served.
    pub async fn run(self: &Arc<Self>, config: &Config) -> Result<Infallible, StartError> {
        let tls = config.tls.as_ref().map(tls).transpose()?;
        let mut listeners = Vec::new();
        for &address in &config.listen {
            let listener = TcpListener::bind(address).await;
            let failed = |error| StartError::Listen { address, error };
            listeners.push(listener.map_err(failed)?);
        }
        self.serve(listeners, tls).await;
        std::future::pending().await
    }
}

fn routes(config: &Config, service: &LocalService) -> Result<Vec<RouteSettings>, ConfigError> {
    let routes = config.routes.iter().map(|route| route.settings(service));
    routes.collect()
}

fn tls(files: &TlsFiles) -> Result<ServerTls, StartError> {
    let read = |path: &PathBuf| {
        fs::read(path).map_err(|error| StartError::Unreadable {
            path: path.clone(),
            error,
        })
    };
    let tls = ServerTls::from_pem(&read(&files.cert)?, &read(&files.key)?);
    tls.map_err(|error| StartError::Certificate {
        path: files.cert.clone(),
        error,
    })
}

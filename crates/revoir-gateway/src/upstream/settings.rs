//! [`PoolSettings`]: what a pool is told.

use std::sync::Arc;
use std::time::Duration;

use revoir::server::Origins;
use revoir::tls::{ClientTls, TlsError};

use crate::rules::Rules;
use crate::upstream::answers::BadAnswers;
use crate::upstream::bad_paths::Redials;
use crate::upstream::balance::{Balance, Weights};
use crate::upstream::connecting::Connecting;
use crate::upstream::health::Thresholds;
use crate::upstream::target::Target;

/// The upstreams of a route, and how connections to them are treated.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolSettings {
    /// The first upstream.
    pub target: Target,
    /// Others that do the same.
    pub more: Vec<Target>,
    /// Used only where none of those is fit.
    pub backups: Vec<Target>,
    /// Which of those that are fit a connection goes to.
    pub balance: Balance,
    /// Which of them get more than others.
    pub weights: Weights,
    /// How connections to them are made.
    pub connecting: Connecting,
    /// How connections are treated.
    pub rules: Arc<Rules>,
    /// Re-dials per second, over all targets.
    pub redial_rate: u32,
    /// Whether and how upstreams are checked.
    pub check: Option<Check>,
    /// How many paths answer badly before an upstream is left alone as a whole.
    pub away: BadAnswers,
    /// How re-dials go on while no backend is there.
    pub redials: Redials,
    /// Connections that are kept for further plain requests.
    pub keep_alive: KeepAlive,
    /// Which web pages may connect, beside those of the same host.
    pub origins: Origins,
    /// For targets that are spoken to over TLS.
    pub trust: Option<UpstreamTls>,
}

/// The connections to one upstream that are kept for further plain requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// At most: files are scarce.
    pub connections: usize,
    /// For how long.
    pub time: Duration,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self {
            connections: 64,
            time: Duration::from_secs(90),
        }
    }
}

/// How the upstreams of a pool are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is asked for; 2xx and 3xx are good. `None`: a connection is good enough.
    pub path: Option<String>,
    /// Between two checks.
    pub interval: Duration,
    /// For one check.
    pub timeout: Duration,
    /// How many in a row count.
    pub thresholds: Thresholds,
}

/// Whose certificates upstreams may have.
#[derive(Clone, Debug)]
pub struct UpstreamTls {
    whom: Whom,
    tls: ClientTls,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whom {
    Platform,
    /// In PEM.
    Roots(Vec<u8>),
    Anybody,
}

impl UpstreamTls {
    /// Those that the platform's roots vouch for.
    pub fn platform() -> Self {
        Self {
            whom: Whom::Platform,
            tls: ClientTls::platform(),
        }
    }

    /// Those that these roots vouch for, in PEM.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if there is none, or one is malformed.
    pub fn roots(pem: Vec<u8>) -> Result<Self, TlsError> {
        Ok(Self {
            tls: ClientTls::with_roots(&pem)?,
            whom: Whom::Roots(pem),
        })
    }

    /// Any at all: for tests.
    pub fn anybody() -> Self {
        Self {
            whom: Whom::Anybody,
            tls: ClientTls::insecure(),
        }
    }

    pub(crate) fn tls(&self) -> &ClientTls {
        &self.tls
    }
}

impl PartialEq for UpstreamTls {
    fn eq(&self, other: &Self) -> bool {
        self.whom == other.whom
    }
}

impl PoolSettings {
    /// Re-dials per second, unless told otherwise.
    pub(crate) const REDIAL_RATE: u32 = 1000;

    /// One target, and the defaults.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            more: Vec::new(),
            backups: Vec::new(),
            balance: Balance::default(),
            weights: Weights::default(),
            connecting: Connecting::default(),
            rules: Arc::default(),
            redial_rate: Self::REDIAL_RATE,
            check: None,
            away: BadAnswers::default(),
            redials: Redials::default(),
            keep_alive: KeepAlive::default(),
            origins: Origins::Any,
            trust: None,
        }
    }
}

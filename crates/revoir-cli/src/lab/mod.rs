//! The lab: real connections to this server that end in every way there is.
//!
//! A [`Way`] names an ending and says what a browser will tell of it. The page that shows it opens a
//! connection to `/lab/end/{way}?token=…` ([`end`]), where the server, or the [`Wire`](wire) between
//! the two, ends it so. Afterwards the page asks `/lab/endings/{token}` for the server's own `Ending`
//! ([`endings`]), and `/lab/decision` for what a client does next ([`decision`]).
//!
//! The first page has one connection that lasts: through the gateway at `/lab/live` to a [`Backend`],
//! with buttons for what may happen to it ([`live`]).
//!
//! Nothing here reaches another host: a way is a word of a fixed list. How often it is asked for is
//! limited ([`pace`]), and so are the connections, their number, length and messages.

mod backend;
mod decision;
mod end;
mod endings;
mod live;
mod pace;
#[cfg(test)]
mod tests;
mod way;
mod wire;

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get, post};
use revoir::{Acceptor, Admission, Tracker};

pub(crate) use backend::Backend;
use endings::Endings;
use pace::Pace;
use revoir_gateway::{Gateway, Target};
pub(crate) use way::{Sight, Way};

/// Connections of the lab at once.
const CONNECTIONS: usize = 64;
/// Of them, from one address.
const CONNECTIONS_PER_ADDRESS: usize = 16;
/// New connections per second.
const RATE: NonZeroU32 = NonZeroU32::new(50).unwrap();

/// What the routes of the lab share.
#[derive(Clone, Debug)]
pub(crate) struct Lab {
    acceptor: Acceptor,
    endings: Endings,
    pace: Arc<Pace>,
    /// Behind the live connection.
    backend: Arc<Backend>,
    /// In front of it.
    gateway: Arc<OnceLock<Weak<Gateway>>>,
}

impl Lab {
    /// A lab with `backend` behind its live connection.
    pub(crate) fn new(backend: Arc<Backend>) -> Self {
        let acceptor = Acceptor::new()
            .with_max_connections(CONNECTIONS)
            .with_max_connections_per_ip(CONNECTIONS_PER_ADDRESS)
            .with_admission(Admission::per_second(RATE))
            .with_handshake_timeout(Duration::from_secs(5));
        Self {
            acceptor,
            endings: Endings::default(),
            pace: Arc::default(),
            backend,
            gateway: Arc::default(),
        }
    }

    /// Where the live connection leads.
    pub(crate) fn live(&self) -> Target {
        let address = self.backend.address();
        Target {
            secure: false,
            host: address.ip().to_string(),
            port: address.port(),
        }
    }

    /// Knows the connections of the lab, for the drain of the server.
    pub(crate) fn tracker(&self) -> &Tracker {
        self.acceptor.tracker()
    }

    /// The routes under `/lab`.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/end/{way}", any(end::end))
            .route("/endings/{token}", get(endings::ending))
            .route("/decision", get(decision::decision))
            .route("/do/{act}", post(live::act))
            .with_state(self.clone())
    }
}

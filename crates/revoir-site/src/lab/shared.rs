//! [`Lab`]: what the routes of the lab share.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use revoir::Acceptor;
use revoir::drain::Tracker;
use revoir::server::Admission;

use super::backend::LabBackend;
use super::endings::Endings;
use super::pace::Pace;
use super::raw_stream::TakeOver;

/// Connections of the lab at once.
const CONNECTIONS: usize = 64;
/// Of them, from one address.
const CONNECTIONS_PER_ADDRESS: usize = 16;
/// New connections per second.
const RATE: NonZeroU32 = NonZeroU32::new(50).unwrap();

/// What the routes of the lab share. Clones are the same lab.
#[derive(Clone, Debug)]
pub struct Lab {
    pub(super) acceptor: Acceptor,
    pub(super) endings: Endings,
    pub(super) pace: Arc<Pace>,
    pub(super) take_over: TakeOver,
    /// Behind the live connection.
    pub(super) backend: Arc<LabBackend>,
    /// In front of it.
    clients: Arc<OnceLock<Arc<dyn Clients>>>,
}

/// The clients of the gateway in front of the lab's backend, by the name that the gateway gives to
/// a connection: the field Revoir-Conn of its handshake with the backend.
pub trait Clients: fmt::Debug + Send + Sync {
    /// Closes a client's connection with 1012, and says when to come back. Returns whether it is
    /// there.
    fn close(&self, name: &str) -> bool;
    /// Cuts a client's connection without a Close frame. Returns whether it is there.
    fn cut(&self, name: &str) -> bool;
}

impl Lab {
    /// Starts a lab, with a backend for the live connection on a free port of the loopback
    /// interface. To be called in a tokio runtime, which then runs the backend.
    ///
    /// `take_over` is for connections that are reset or cut below HTTP.
    ///
    /// # Errors
    ///
    /// No port could be had.
    pub async fn start(take_over: TakeOver) -> io::Result<Self> {
        let backend = LabBackend::start().await?;
        let acceptor = Acceptor::new()
            .with_max_connections(CONNECTIONS)
            .with_max_connections_per_ip(CONNECTIONS_PER_ADDRESS)
            .with_admission(Admission::per_second(RATE))
            .with_handshake_timeout(Duration::from_secs(5));
        Ok(Self {
            acceptor,
            endings: Endings::default(),
            pace: Arc::default(),
            take_over,
            backend,
            clients: Arc::default(),
        })
    }

    /// Where the backend listens: a gateway that holds leads `/lab/live` there.
    #[must_use]
    pub fn backend(&self) -> SocketAddr {
        self.backend.address()
    }

    /// Says whose clients the live connections are. Without it, and until it is called, only the
    /// backend can be restarted.
    pub fn attach(&self, clients: Arc<dyn Clients>) {
        // A second one would be a mistake of the caller, and the first one stays.
        let _ = self.clients.set(clients);
    }

    pub(super) fn clients(&self) -> Option<&dyn Clients> {
        self.clients.get().map(|clients| &**clients)
    }

    /// Knows the connections of the lab, but the live ones, for the drain of the server.
    #[must_use]
    pub fn tracker(&self) -> &Tracker {
        self.acceptor.tracker()
    }
}

//! The gateway: WebSocket clients stay while the backend behind them restarts.
//!
//! A request comes in at [`front`]. Plain HTTP passes through; a WebSocket handshake is answered as
//! the backend answers it, and then a [`driver`] moves bytes between the two sockets as a pure
//! [`session`] says, which forwards frames ([`relay`]), keeps both sides alive ([`hop`]), and
//! decides what follows when the backend is gone ([`verdict`]). Whose turn it is to dial again is
//! the [`upstream`]'s to say. What operators see of it is in `docs/gateway.md`.

mod agreement;
mod connection;
mod dial;
mod driver;
mod entropy;
mod front;
mod headers;
mod hop;
mod observer;
mod redial;
mod relay;
mod rules;
mod session;
#[cfg(test)]
mod tests;
mod upstream;
mod verdict;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use connection::{Connection, Handle};
use entropy::Entropy;
pub(crate) use observer::{Observer, Unobserved};
pub(crate) use rules::{Mode, Rules};
pub(crate) use upstream::Target;
use upstream::Upstream;
pub(crate) use verdict::Goodbye;

/// What a gateway is told.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) rules: Arc<Rules>,
    /// Re-dials per second.
    pub(crate) redial_rate: u32,
    /// How long a client may take to send its request, and then wait for the backend's answer.
    pub(crate) handshake_limit: Duration,
    /// The most bytes of a request's head.
    pub(crate) head_bytes: usize,
    /// The most header fields of a request.
    pub(crate) head_fields: usize,
    /// The most bytes that all holds together hold back.
    pub(crate) held_bytes: usize,
    /// The most WebSocket connections.
    pub(crate) connections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rules: Arc::default(),
            redial_rate: 1000,
            handshake_limit: Duration::from_secs(10),
            head_bytes: 32 * 1024,
            head_fields: 100,
            held_bytes: 64 * 1024 * 1024,
            connections: usize::MAX,
        }
    }
}

/// One gateway in front of one upstream.
#[derive(Debug)]
pub(crate) struct Gateway {
    settings: Settings,
    upstream: Arc<Upstream>,
    observer: Arc<dyn Observer>,
    /// The zero of all times.
    epoch: Instant,
    /// Tells the connections of this process from those of another one.
    boot: u32,
    next: AtomicU64,
    held_bytes: AtomicUsize,
    connections: Mutex<HashMap<u64, Arc<Handle>>>,
    left: Notify,
}

impl Gateway {
    pub(crate) fn new(
        target: Target,
        settings: Settings,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        let epoch = Instant::now();
        let restart = settings.rules.planned_budget;
        Arc::new(Self {
            upstream: Upstream::new(target, epoch, settings.redial_rate, restart),
            settings,
            observer,
            epoch,
            boot: u32::from_ne_bytes(Entropy::bytes()),
            next: AtomicU64::new(1),
            held_bytes: AtomicUsize::new(0),
            connections: Mutex::default(),
            left: Notify::new(),
        })
    }

    /// Serves `listener`. Runs until it is dropped, which leaves open connections alone.
    pub(crate) async fn serve(self: &Arc<Self>, listener: TcpListener) {
        tokio::join!(
            Arc::clone(&self.upstream).give_turns(),
            front::serve(Arc::clone(self), listener)
        );
    }

    /// Closes every connection, and waits until all have ended or `limit` is over. Returns how many
    /// are left.
    pub(crate) async fn drain(&self, goodbye: &Goodbye, limit: Duration) -> usize {
        let all: Vec<Arc<Handle>> = self.open().values().cloned().collect();
        for handle in all {
            handle.leave(goodbye.clone());
        }
        let emptied = async {
            loop {
                let left = self.left.notified();
                if self.open().is_empty() {
                    return;
                }
                left.await;
            }
        };
        // What is left over is the answer.
        let _ = timeout(limit, emptied).await;
        self.open().len()
    }

    /// How many WebSocket connections there are.
    pub(crate) fn connections(&self) -> usize {
        self.open().len()
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn connection(self: &Arc<Self>, peer: SocketAddr, id: u64, resource: String) -> Connection {
        Connection::new(self, id, peer, resource)
    }

    fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn enter(&self, id: u64, handle: &Arc<Handle>) {
        self.open().insert(id, Arc::clone(handle));
    }

    fn leave(&self, id: u64) {
        self.open().remove(&id);
        self.left.notify_one();
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Handle>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

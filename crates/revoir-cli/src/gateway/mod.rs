//! The gateway: WebSocket clients stay while the backend behind them restarts.
//!
//! A request comes in at [`front`] and takes a [`route`], to a [`site`] that is built in or to a
//! backend. Plain HTTP passes through; a WebSocket handshake is answered as the backend answers it, and then a [`driver`] moves bytes between the two sockets as a pure
//! [`session`] says, which forwards frames ([`relay`]), keeps both sides alive ([`hop`]), and
//! decides what follows when the backend is gone ([`verdict`]). Whose turn it is to dial again is
//! the [`pool`]'s to say. What operators see of it is in `docs/gateway.md`.

mod agreement;
pub(crate) mod config;
mod connection;
mod dial;
mod driver;
pub(crate) mod entropy;
mod front;
mod headers;
mod hop;
mod observer;
mod pool;
mod redial;
mod relay;
mod route;
mod rules;
mod session;
mod settings;
mod site;
mod stream;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revoir::{Drain, SendCode, ServerTls};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use connection::Handle;
use entropy::Entropy;
pub(crate) use observer::{Observer, Unobserved};
#[cfg(test)]
pub(crate) use pool::PoolSettings;
pub(crate) use pool::Target;
use route::Routes;
pub(crate) use route::{Destination, RouteSettings};
pub(crate) use rules::{Mode, Rules};
pub(crate) use settings::Settings;
pub(crate) use site::Site;
pub(crate) use stream::Stream;
pub(crate) use verdict::Goodbye;

/// One gateway, with all its routes.
#[derive(Debug)]
pub(crate) struct Gateway {
    settings: Settings,
    routes: Routes,
    observer: Arc<dyn Observer>,
    /// The zero of all times.
    epoch: Instant,
    /// Tells the connections of this process from those of another one.
    boot: u32,
    next: AtomicU64,
    held_bytes: AtomicUsize,
    connections: Mutex<HashMap<u64, Arc<Handle>>>,
    left: Notify,
    /// Whether a drain has begun. Whoever speaks plain HTTP listens.
    draining: watch::Sender<bool>,
}

impl Gateway {
    /// A gateway with these routes. To be called in a runtime.
    pub(crate) fn new(
        routes: Vec<RouteSettings>,
        settings: Settings,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        let epoch = Instant::now();
        Arc::new(Self {
            routes: Routes::start(routes, epoch),
            settings,
            observer,
            epoch,
            boot: u32::from_ne_bytes(Entropy::bytes()),
            next: AtomicU64::new(1),
            held_bytes: AtomicUsize::new(0),
            connections: Mutex::default(),
            left: Notify::new(),
            draining: watch::Sender::new(false),
        })
    }

    /// Serves the listeners, over TLS if that is given. Runs until it is dropped, which leaves open
    /// connections alone.
    pub(crate) async fn serve(
        self: &Arc<Self>,
        listeners: Vec<TcpListener>,
        tls: Option<ServerTls>,
    ) {
        front::serve(Arc::clone(self), listeners, tls).await;
    }

    /// Closes every connection, and waits until all have ended or `limit` is over. What was asked
    /// over plain HTTP is answered first. Returns how many WebSocket connections are left.
    pub(crate) async fn drain(&self, goodbye: &Goodbye, limit: Duration) -> usize {
        self.draining.send_replace(true);
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
        for tracker in self.routes.sites().filter_map(Site::tracker) {
            let plan = match goodbye.code {
                SendCode::SERVICE_RESTART => Drain::restart(),
                _ => Drain::going_away(),
            };
            // It keeps to the limit by itself.
            drop(tracker.drain(plan.within(limit)));
        }
        // What is left over is the answer.
        let _ = timeout(limit, async {
            tokio::join!(emptied, self.draining.closed());
        })
        .await;
        self.open().len()
    }

    /// Whether a drain has begun.
    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// How many WebSocket connections there are.
    pub(crate) fn connections(&self) -> usize {
        self.open().len()
    }

    /// The connection of this name, as Revoir-Conn has it.
    pub(crate) fn handle(&self, name: &str) -> Option<Arc<Handle>> {
        let (boot, id) = name.split_once('-')?;
        let own = u32::from_str_radix(boot, 16).ok()? == self.boot;
        let id = id.parse().ok().filter(|_| own)?;
        self.open().get(&id).cloned()
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
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

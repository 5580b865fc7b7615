//! A gateway for WebSocket backends: clients stay while the backend behind them restarts.
//!
//! A request comes in at the front and takes a route, to a service of the program that embeds the
//! gateway ([`Site`]) or to a backend. Plain HTTP passes through; a WebSocket handshake is answered
//! as the backend answers it, and then a task per client moves bytes between the two sockets: it
//! forwards frames, keeps both sides alive, and decides what follows when the backend is gone.
//! `docs/gateway.md` of the repository says what operators see of it.

mod access_log;
mod admin;
mod agreement;
mod asked;
pub mod config;
mod connection;
mod dial;
mod drain;
mod driver;
mod entrance;
mod exchange;
mod front;
mod headers;
mod hop;
mod json_line;
mod metrics;
mod observer;
mod operations;
mod overview;
mod pool;
mod redial;
mod relay;
mod reload;
mod route;
mod rules;
mod session;
mod settings;
mod site;
mod source;
mod stream;
#[cfg(test)]
mod tests;
mod traffic;
mod verdict;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use revoir::{Entropy, ServerTls};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

pub use access_log::{AccessLog, Format, Json, Lines};
pub use admin::{
    Admin, AdminAddr, AdminListener, ConnectionLine, DrainAs, DrainLine, EndWith, EndingLine,
    HEADER as ADMIN_HEADER, InvalidAdminAddr, Problem, StatusLine, Unbound, UnixSocket,
};
pub use asked::Asked;
pub use connection::{Handle, Record};
use drain::Ongoing;
use entrance::Entrance;
pub use entrance::Room;
pub use exchange::Exchange;
pub use front::taken_over;
pub use observer::{Limit, Observer, Unobserved};
pub use operations::{Logs, Operations};
use overview::merged;
pub use overview::{Overview, UpstreamState};
use pool::Pool;
pub use pool::{Check, InvalidTarget, PoolSettings, Target, Thresholds, Trust};
pub use reload::Reloaded;
use route::Routes;
pub use route::{Destination, RouteSettings};
pub use rules::{Mode, Rules};
pub use session::{Ended, Side};
pub use settings::Settings;
pub use site::Site;
pub use stream::Stream;
pub use traffic::{Sum, Traffic};
pub use verdict::{Goodbye, Redialed, Why};

/// One gateway, with all its routes.
#[derive(Debug)]
pub struct Gateway {
    current: RwLock<Arc<Current>>,
    observer: Arc<dyn Observer>,
    /// The zero of all times.
    epoch: Instant,
    /// Tells the connections of this process from those of another one.
    boot: u32,
    next: AtomicU64,
    entrance: Arc<Entrance>,
    held_bytes: AtomicUsize,
    connections: Mutex<Connections>,
    left: Notify,
    /// Whether a drain has begun. Whoever speaks plain HTTP listens.
    draining: watch::Sender<bool>,
    /// When a drain is over at the latest.
    deadline: watch::Sender<Instant>,
    ongoing: Mutex<Option<Ongoing>>,
}

/// What a reload replaces.
#[derive(Debug)]
struct Current {
    settings: Settings,
    routes: Routes,
}

/// The open connections, and what came through those that are over.
#[derive(Debug, Default)]
struct Connections {
    handles: HashMap<u64, Arc<Handle>>,
    /// From clients and from backends.
    earlier: (Sum, Sum),
}

impl Gateway {
    /// A gateway with these routes. To be called in a runtime.
    pub fn new(
        routes: Vec<RouteSettings>,
        settings: Settings,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        let epoch = Instant::now();
        Arc::new(Self {
            entrance: Entrance::new(settings.room),
            current: RwLock::new(Arc::new(Current {
                routes: Routes::start(routes, epoch),
                settings,
            })),
            observer,
            epoch,
            boot: u32::from_ne_bytes(Entropy::bytes()),
            next: AtomicU64::new(1),
            held_bytes: AtomicUsize::new(0),
            connections: Mutex::default(),
            left: Notify::new(),
            draining: watch::Sender::new(false),
            deadline: watch::Sender::new(epoch),
            ongoing: Mutex::default(),
        })
    }

    /// Serves the listeners, over TLS if that is given. Runs until it is dropped, which leaves open
    /// connections alone.
    pub async fn serve(self: &Arc<Self>, listeners: Vec<TcpListener>, tls: Option<ServerTls>) {
        front::serve(Arc::clone(self), listeners, tls).await;
    }

    /// The settings and the routes as of now.
    fn current(&self) -> Arc<Current> {
        let current = self.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// How many WebSocket connections there are.
    pub fn connections(&self) -> usize {
        self.open().handles.len()
    }

    /// How it stands.
    pub fn overview(&self) -> Overview {
        let current = self.current();
        let open = self.open();
        let (mut from_clients, mut from_backends) = open.earlier;
        for handle in open.handles.values() {
            from_clients += handle.traffic.sum(Side::Client);
            from_backends += handle.traffic.sum(Side::Backend);
        }
        Overview {
            connections: open.handles.len(),
            held: current
                .routes
                .pools()
                .map(|pool| pool.held.load(Ordering::Relaxed))
                .sum(),
            held_bytes: self.held_bytes.load(Ordering::Relaxed),
            from_clients,
            from_backends,
            draining: self.is_draining(),
            upstreams: merged(current.routes.pools().flat_map(Pool::states)),
        }
    }

    /// All connections.
    pub(crate) fn handles(&self) -> Vec<Arc<Handle>> {
        self.open().handles.values().cloned().collect()
    }

    /// The connection of this name, or of the number at its end.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Handle>> {
        match name.parse() {
            Ok(id) => self.open().handles.get(&id).cloned(),
            Err(_) => self.handle(name),
        }
    }

    /// The connection of this name, as Revoir-Conn has it.
    pub fn handle(&self, name: &str) -> Option<Arc<Handle>> {
        let (boot, id) = name.split_once('-')?;
        let own = u32::from_str_radix(boot, 16).ok()? == self.boot;
        let id = id.parse().ok().filter(|_| own)?;
        self.open().handles.get(&id).cloned()
    }

    /// Somebody asked for more than is allowed.
    fn limited(&self, limit: Limit) {
        tracing::debug!(target: "revoir", limit = limit.id(), "too much was asked for");
        self.observer.limited(limit);
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The name of connection number `id`, which no other process gives to one of its own.
    fn name(&self, id: u64) -> String {
        format!("{:08x}-{id}", self.boot)
    }

    fn enter(&self, id: u64, handle: &Arc<Handle>) {
        self.open().handles.insert(id, Arc::clone(handle));
        // A drain or a reload that has begun before this has not seen it.
        if let Some(goodbye) = self.goodbye_to_latecomer() {
            handle.leave(goodbye);
        } else if !self.current().routes.lead_to(handle.pool()) {
            handle.leave(Goodbye::restart(reload::CHANGED));
        }
    }

    fn leave(&self, id: u64) {
        let mut open = self.open();
        // In one step, so that nothing is counted twice or not at all.
        if let Some(handle) = open.handles.remove(&id) {
            open.earlier.0 += handle.traffic.sum(Side::Client);
            open.earlier.1 += handle.traffic.sum(Side::Backend);
        }
        drop(open);
        self.left.notify_one();
    }

    fn open(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

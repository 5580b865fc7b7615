//! [`Registry`]: the open connections of a gateway, and what they have in common.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revoir::Ending;
use revoir::reconnect::Entropy;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::connection::drain::Draining;
use crate::connection::held_bytes::HeldBytes;
use crate::relay::{Goodbye, Side};
use crate::watch::{Handle, Limit, Observer, RouteState, SessionsState, Sum};

/// What the clients of a route are told that is no more.
pub(crate) const CHANGED: &str = "the route has changed";

/// The open connections of a gateway, and what they have in common.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) observer: Arc<dyn Observer>,
    /// The zero of all times.
    epoch: Instant,
    /// Tells the connections of this process from those of another one.
    boot: u32,
    next: AtomicU64,
    open: Mutex<Open>,
    /// A connection is over.
    pub(super) left: Notify,
    pub(crate) held_bytes: Arc<HeldBytes>,
    pub(crate) draining: Draining,
}

/// The open connections, and what came through those that are over.
#[derive(Debug, Default)]
struct Open {
    handles: HashMap<u64, Arc<Handle>>,
    /// From clients and from backends.
    earlier: (Sum, Sum),
}

impl Registry {
    /// `held_bytes`: the most memory that all clients together fill.
    pub(crate) fn new(observer: Arc<dyn Observer>, held_bytes: usize) -> Self {
        let epoch = Instant::now();
        Self {
            observer,
            epoch,
            boot: u32::from_ne_bytes(Entropy::bytes()),
            next: AtomicU64::new(1),
            open: Mutex::default(),
            left: Notify::new(),
            held_bytes: Arc::new(HeldBytes::new(held_bytes)),
            draining: Draining::new(epoch),
        }
    }

    pub(crate) fn epoch(&self) -> Instant {
        self.epoch
    }

    pub(crate) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The name of connection number `id`, which no other process gives to one of its own.
    pub(crate) fn name(&self, id: u64) -> String {
        format!("{:08x}-{id}", self.boot)
    }

    /// How many connections there are.
    pub(crate) fn len(&self) -> usize {
        self.open().handles.len()
    }

    /// What has come from clients and from backends so far, and how many connections there are.
    pub(crate) fn sums(&self) -> (Sum, Sum, usize) {
        let open = self.open();
        let (mut from_clients, mut from_backends) = open.earlier;
        for handle in open.handles.values() {
            from_clients += handle.traffic.sum(Side::Client);
            from_backends += handle.traffic.sum(Side::Backend);
        }
        (from_clients, from_backends, open.handles.len())
    }

    /// How many connections, and held ones among them, each of these routes has, and every other
    /// one that has any.
    pub(crate) fn routes(&self, all: impl Iterator<Item = Arc<str>>) -> Vec<RouteState> {
        let state = |route| RouteState {
            route,
            connections: 0,
            held: 0,
        };
        let mut states: BTreeMap<_, _> = all.map(|name| (Arc::clone(&name), state(name))).collect();
        for handle in self.open().handles.values() {
            let name = handle.request.route_label();
            let one = states
                .entry(Arc::clone(&name))
                .or_insert_with(|| state(name));
            one.connections += 1;
            one.held += usize::from(handle.traffic.held_since().is_some());
        }
        states.into_values().collect()
    }

    /// How the clients stand that have sessions.
    pub(crate) fn sessions(&self) -> SessionsState {
        let mut state = SessionsState::default();
        for session in self
            .open()
            .handles
            .values()
            .filter_map(|handle| handle.session())
        {
            let status = session.status();
            match status.is_attached {
                true => state.attached += 1,
                false => state.detached += 1,
            }
            state.kept_bytes += status.kept_bytes;
        }
        state
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
    pub(crate) fn handle(&self, name: &str) -> Option<Arc<Handle>> {
        let (boot, id) = name.split_once('-')?;
        let own = u32::from_str_radix(boot, 16).ok()? == self.boot;
        let id = id.parse().ok().filter(|_| own)?;
        self.open().handles.get(&id).cloned()
    }

    /// Somebody asked for more than is allowed.
    pub(crate) fn limited(&self, limit: Limit) {
        match limit.key() {
            Some(key) => {
                tracing::warn!(target: "revoir", key, "a limit for all clients is reached")
            }
            None => {
                tracing::debug!(target: "revoir", limit = limit.id(), "a client asks for too much")
            }
        }
        self.observer.limited(limit);
    }

    /// Counts a client that has ended, if a drain has begun.
    pub(super) fn count_drained(&self, ending: &Ending) {
        self.draining.count(ending);
    }

    pub(super) fn enter(&self, id: u64, handle: &Arc<Handle>) {
        self.open().handles.insert(id, Arc::clone(handle));
        // A drain or a reload that has begun before this has not seen it.
        if let Some(goodbye) = self.draining.goodbye_to_latecomer(self.now()) {
            handle.leave(goodbye);
        } else if handle.pool().is_retired() {
            handle.leave(Goodbye::restart(CHANGED));
        } else if handle.is_elsewhere() {
            handle.tell_to_move();
        }
    }

    pub(super) fn leave(&self, id: u64) {
        let mut open = self.open();
        // In one step, so that nothing is counted twice or not at all.
        if let Some(handle) = open.handles.remove(&id) {
            open.earlier.0 += handle.traffic.sum(Side::Client);
            open.earlier.1 += handle.traffic.sum(Side::Backend);
        }
        drop(open);
        self.left.notify_one();
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! [`Gateway`]: the front, the connections, and what an operator does with them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use revoir::drain::{Drain, DrainReport, Tracker};
use revoir::session::Store;
use revoir::tls::ServerTls;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::connection::{CHANGED, REMOVED, Registry};
use crate::front::{Changed, Front, LocalService, Replaced, RouteSettings, Settings, serve};
use crate::net::Listener;
use crate::upstream::Pool;
use crate::watch::{Going, Handle, Observer, Overview, merged};

/// One gateway, with all its routes.
#[derive(Debug)]
pub struct Gateway {
    front: Arc<Front>,
    registry: Arc<Registry>,
}

/// Whether a connection is one of these pools.
fn is_of(pools: Vec<Arc<Pool>>) -> impl Fn(&Arc<Handle>) -> bool {
    move |handle| pools.iter().any(|pool| Arc::ptr_eq(pool, handle.pool()))
}

/// What a reload came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// Routes that are as before.
    pub kept: usize,
    /// Routes whose rules or upstreams are others.
    pub changed: usize,
    /// Routes that are new.
    pub begun: usize,
    /// Connections whose upstream is no more: they get another one, or a time to leave.
    pub moved: usize,
    /// Connections to which no route leads any more: they may stay for a time, and are then closed with
    /// 1012, each with a slot.
    pub drained: usize,
}

impl Gateway {
    /// A gateway with these routes. To be called in a runtime.
    pub fn new(
        routes: Vec<RouteSettings>,
        settings: Settings,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        Self::with_store(routes, settings, observer, None)
    }

    /// The same, whose sessions outlive this process in a store.
    pub fn with_store(
        routes: Vec<RouteSettings>,
        settings: Settings,
        observer: Arc<dyn Observer>,
        store: Option<Arc<dyn Store>>,
    ) -> Arc<Self> {
        let registry = Arc::new(Registry::new(observer, settings.held_bytes));
        let front = Front::new(Arc::clone(&registry), routes, settings, store);
        let front = Arc::new(front);
        Arc::new(Self { front, registry })
    }

    /// Serves the listeners, over TLS if that is given. Runs until it is dropped, which leaves open
    /// connections alone.
    pub async fn serve<L: Into<Listener>>(
        self: &Arc<Self>,
        listeners: Vec<L>,
        tls: Option<ServerTls>,
    ) {
        let listeners = listeners.into_iter().map(Into::into).collect();
        serve(Arc::clone(&self.front), listeners, tls).await;
    }

    /// How many WebSocket connections there are.
    pub fn connections(&self) -> usize {
        self.registry.len()
    }

    /// How it stands.
    pub fn overview(&self) -> Overview {
        let current = self.front.current();
        let (from_clients, from_backends, connections) = self.registry.sums();
        Overview {
            connections,
            held: current
                .routes
                .pools()
                .map(|pool| pool.held.load(Ordering::Relaxed))
                .sum(),
            waiting: self.front.waiting.now(),
            routes: self.registry.routes(current.routes.names()),
            sessions: self.registry.sessions(),
            store_answers: self.front.store_answers(),
            held_bytes: self.registry.held_bytes.now(),
            from_clients,
            from_backends,
            draining: self.is_draining(),
            upstreams: merged(current.routes.pools().flat_map(|pool| pool.states())),
        }
    }

    /// All connections.
    pub(crate) fn handles(&self) -> Vec<Arc<Handle>> {
        self.registry.handles()
    }

    /// The connection of this name, or of the number at its end.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Handle>> {
        self.registry.find(name)
    }

    /// The connection of this name, as Revoir-Conn has it.
    pub fn handle(&self, name: &str) -> Option<Arc<Handle>> {
        self.registry.handle(name)
    }

    /// How long it has been there.
    pub(crate) fn now(&self) -> Duration {
        self.registry.now()
    }

    /// Whether a drain has begun.
    pub fn is_draining(&self) -> bool {
        self.registry.draining.has_begun()
    }

    /// Closes every connection as `plan` says, and waits until all have ended; at its deadline the
    /// rest is cut. What was asked over plain HTTP is answered first; and if there is a store, it has all sessions as they
    /// are then, unless it does not answer: half a second after the deadline nobody waits for it. To be called once.
    pub async fn drain(&self, plan: Drain) -> DrainReport {
        let started = Instant::now();
        let connections = self.connections();
        tracing::info!(target: "revoir", connections, "a drain begins");
        let begun = self.registry.begin_drain(&plan);
        let mut sites = JoinSet::new();
        for tracker in self.trackers() {
            sites.spawn(tracker.drain(plan.clone()));
        }
        let mut report = self.registry.drain(begun).await;
        // They keep to the same deadline by themselves.
        for site in sites.join_all().await {
            report += site;
        }
        self.front.hand_over(self.registry.time_is_up()).await;
        report.took = started.elapsed();
        tracing::info!(target: "revoir", "{report}");
        report
    }

    /// Of the local services that hand connections to a server of the library.
    fn trackers(&self) -> Vec<Tracker> {
        let front = self.front.current();
        let sites = front.routes.sites().into_iter();
        sites.filter_map(LocalService::tracker).cloned().collect()
    }

    /// Has a drain be over within `limit` from now.
    pub fn hurry(&self, limit: Duration) {
        if let Some(plan) = self.registry.draining.hurry(limit) {
            for tracker in self.trackers() {
                drop(tracker.drain(plan.clone().within(limit)));
            }
        }
    }

    /// Takes other routes and settings. A route at the same host and path stays: its connections go by
    /// the new rules from here on, and upstreams come and go. Of one that is removed, clients that may
    /// be held are dialled again at the rate of returns; others may stay for the time `stay`, as those of
    /// routes that are no more may, and are then closed with 1012 and a slot.
    pub fn reload(
        self: &Arc<Self>,
        routes: Vec<RouteSettings>,
        settings: Settings,
        stay: Duration,
    ) -> Reloaded {
        let all = routes.len();
        let Replaced {
            kept,
            changed,
            retired,
        } = self.front.replace(routes, settings);
        let (held, gone) = self.without_route(&retired);
        let reloaded = Reloaded {
            kept,
            changed: changed.len(),
            begun: all - kept - changed.len(),
            moved: self.move_on(&changed, stay),
            drained: held.len() + gone.len(),
        };
        if reloaded.drained > 0 {
            let registry = Arc::clone(&self.registry);
            tokio::spawn(async move {
                let until = Instant::now() + stay;
                // No backend is dialled for them any more.
                registry.send_back(held, CHANGED).await;
                sleep_until(until).await;
                let still: Vec<_> = registry
                    .handles()
                    .into_iter()
                    .filter(is_of(retired))
                    .collect();
                registry.send_back(still, CHANGED).await;
            });
        }
        reloaded
    }

    /// The connections of pools to which no route leads any more: those that are held, and the others.
    fn without_route(&self, retired: &[Arc<Pool>]) -> (Vec<Arc<Handle>>, Vec<Arc<Handle>>) {
        let all = self.handles().into_iter();
        all.filter(is_of(retired.to_vec()))
            .filter(|handle| handle.marks(Going::Away))
            .partition(|handle| handle.traffic.held_since().is_some())
    }

    /// Tells the connections of these pools, and returns how many have an upstream that is removed.
    fn move_on(&self, changed: &[Changed], stay: Duration) -> usize {
        let mut moved = 0;
        for Changed { pool, removed } in changed {
            let handles = self.handles().into_iter();
            let (elsewhere, others): (Vec<_>, Vec<_>) = handles
                .filter(|handle| Arc::ptr_eq(handle.pool(), pool))
                .inspect(|handle| handle.tell_of_rules())
                .partition(|handle| handle.is_elsewhere() && handle.marks(Going::Elsewhere));
            drop(others);
            moved += elsewhere.len();
            if !removed.is_empty() {
                let rate = pool.live().settings.redial_rate;
                let registry = Arc::clone(&self.registry);
                let removed = removed.clone();
                tokio::spawn(async move {
                    let until = Instant::now() + stay;
                    registry.move_all(elsewhere, rate).await;
                    sleep_until(until).await;
                    registry
                        .send_back(registry.still_at(&removed), REMOVED)
                        .await;
                });
            }
        }
        moved
    }
}

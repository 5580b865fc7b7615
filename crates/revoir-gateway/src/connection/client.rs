//! [`Connection`]: what is known of one client's connection beside its bytes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use crate::connection::held_bytes::Held;
use crate::connection::limits::ClientPermit;
use crate::connection::registry::Registry;
use crate::relay::{Ended, HoldCause, Outlook, RedialFailure, Relay, Side};
use crate::rules::Rules;
use crate::session::Shared;
use crate::treatment::Treatment;
use crate::upstream::{Agreement, Pool, Upstream, UpstreamPermit};
use crate::watch::{Handle, Limit, LoggedRequest, Record};

/// One client's connection, at its task.
#[derive(Debug)]
pub(crate) struct Connection {
    registry: Arc<Registry>,
    id: u64,
    pool: Arc<Pool>,
    rules: Arc<Rules>,
    /// Where the backend is, if there is one.
    upstream: Option<UpstreamPermit>,
    /// Where it was, while there is none.
    lost: Option<Arc<Upstream>>,
    /// Its place among all clients.
    _client_permit: ClientPermit,
    handle: Arc<Handle>,
    holds: u32,
    held: Duration,
    /// Backends that it had.
    backends: u32,
    /// Whole messages that came from backends it has no more.
    earlier_messages: u64,
    /// In boxes: each is as large as the rest, and comes when most of that is over.
    client: Option<Box<Ended>>,
    backend: Option<Box<Ended>>,
    /// Its session, if it has one.
    session: Option<Arc<Shared>>,
}

impl Connection {
    /// Connection number `id` begins: both opening handshakes are done.
    pub(crate) fn new(
        registry: &Arc<Registry>,
        id: u64,
        asked: LoggedRequest,
        (agreement, rules, treatment): (Agreement, Arc<Rules>, Treatment),
        (pool, upstream, client_permit): (Arc<Pool>, UpstreamPermit, ClientPermit),
    ) -> Self {
        let handle = Arc::new(Handle::new(
            registry.name(id).into(),
            registry.now(),
            (asked, agreement, treatment),
            (Arc::clone(&pool), upstream.name()),
        ));
        registry.enter(id, &handle);
        registry.observer.opened(&handle);
        Self {
            registry: Arc::clone(registry),
            id,
            pool,
            rules,
            upstream: Some(upstream),
            lost: None,
            _client_permit: client_permit,
            handle,
            holds: 0,
            held: Duration::ZERO,
            backends: 1,
            earlier_messages: 0,
            client: None,
            backend: None,
            session: None,
        }
    }

    /// The same, of a client with a session.
    pub(crate) fn with_session(mut self, session: Arc<Shared>) -> Self {
        self.handle.set_session(session.watcher().clone());
        self.session = Some(session);
        self
    }

    /// Its session, if it has one.
    pub(crate) fn session(&self) -> Option<&Shared> {
        self.session.as_deref()
    }

    pub(crate) fn now(&self) -> Duration {
        self.registry.now()
    }

    pub(crate) fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// Takes the rules that its route has now. `None`: they are as before.
    pub(crate) fn take_rules(&mut self) -> Option<(Arc<Rules>, Arc<Rules>)> {
        let rules = Arc::clone(&self.pool.live().settings.rules);
        if Arc::ptr_eq(&rules, &self.rules) || rules == self.rules {
            return None;
        }
        let before = std::mem::replace(&mut self.rules, Arc::clone(&rules));
        Some((before, rules))
    }

    /// Whether it has an upstream that its route has no more.
    pub(crate) fn is_elsewhere(&self) -> bool {
        let upstream = self.upstream.as_ref();
        upstream.is_some_and(|upstream| !self.pool.has(&upstream.name()))
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The upstream that it has.
    pub(crate) fn upstream(&self) -> Option<&Arc<Upstream>> {
        self.upstream.as_ref().map(UpstreamPermit::upstream)
    }

    /// Where it had its last backend, while it has none.
    pub(crate) fn lost(&self) -> Option<Arc<Upstream>> {
        self.lost.clone()
    }

    pub(crate) fn outlook(&self, now: Duration) -> Outlook {
        self.pool
            .outlook(now, self.upstream().or(self.lost.as_ref()))
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The point in time that is `at` in the gateway's time.
    pub(crate) fn instant(&self, at: Duration) -> tokio::time::Instant {
        self.registry.epoch() + at
    }

    /// Its part of the memory that everybody fills.
    pub(crate) fn held(&self) -> Held {
        Held::of(&self.registry.held_bytes)
    }

    /// The client is not read from, because all holds together keep as much as they may.
    pub(crate) fn found_no_room(&self) {
        self.registry.limited(Limit::Held);
    }

    /// The client sends more than it may.
    pub(crate) fn limited(&self, limit: Limit) {
        self.registry.limited(limit);
    }

    /// Whole messages that have come from either side, from all backends.
    pub(crate) fn messages(&self) -> u64 {
        let traffic = &self.handle.traffic;
        traffic.sum(Side::Client).messages + traffic.sum(Side::Backend).messages
    }

    /// `bytes` came from `side` and were given to `relay`.
    #[inline]
    pub(crate) fn heard(&self, now: Duration, side: Side, bytes: usize, relay: &Relay) {
        let traffic = &self.handle.traffic;
        traffic.heard(now, side, bytes);
        // A backend that has just ended is counted when its ending is.
        if let Some(messages) = relay.messages(side) {
            let earlier = match side {
                Side::Client => 0,
                Side::Backend => self.earlier_messages,
            };
            traffic.set_messages(side, earlier + messages);
        }
        if let Some(rtt) = relay.rtt(side) {
            traffic.set_rtt(side, rtt);
        }
    }

    pub(crate) fn begin_hold(&mut self, since: Duration) {
        self.holds += 1;
        self.handle.traffic.set_held(Some(since));
        self.pool.held.fetch_add(1, Ordering::Relaxed);
    }

    /// The client has a backend again, at `upstream`, whose opening handshake took so long.
    pub(crate) fn returned(&mut self, upstream: UpstreamPermit, took: Duration) {
        let request = &self.handle.request;
        self.registry.observer.backend_accepted(request, took);
        self.backends += 1;
        self.handle.set_upstream(upstream.name());
        self.upstream = Some(upstream);
        self.lost = None;
        if let Some(after) = self.take_hold() {
            self.registry.observer.returned(after, &self.handle);
            tracing::debug!(target: "revoir", conn = self.id, ?after, "the client has a backend again");
        }
    }

    /// The hold is over. If the client has not returned, it ends.
    pub(crate) fn end_hold(&mut self) {
        self.pool.held.fetch_sub(1, Ordering::Relaxed);
        if let Some(after) = self.take_hold() {
            self.registry.observer.given_up(after, &self.handle);
        }
    }

    /// Adds up how long the client was held, once for every hold.
    fn take_hold(&mut self) -> Option<Duration> {
        let since = self.handle.traffic.held_since()?;
        self.handle.traffic.set_held(None);
        let after = self.now().saturating_sub(since);
        self.held += after;
        Some(after)
    }

    pub(crate) fn redial_failed(&self, redialed: &RedialFailure) {
        self.registry.observer.redial_failed(redialed, &self.handle);
        tracing::debug!(target: "revoir", conn = self.id, ?redialed, "the backend did not accept");
    }

    pub(crate) fn ended(&mut self, ended: Ended) {
        self.registry.observer.ended(&ended, &self.handle);
        if let Some(why) = ended.held {
            self.registry.observer.held(why, &self.handle);
            let ending = &ended.ending;
            tracing::debug!(target: "revoir", conn = self.id, why = why.id(), %ending, "held");
            if let (HoldCause::Planned, Some(upstream)) = (why, &self.upstream) {
                self.pool.restarts(upstream);
            }
        }
        match ended.side {
            Side::Client => {
                self.registry.count_drained(&ended.ending);
                self.client = Some(Box::new(ended));
            }
            Side::Backend => {
                let upstream = self.upstream.take();
                self.lost = upstream.map(|upstream| Arc::clone(upstream.upstream()));
                self.earlier_messages += ended.received;
                let traffic = &self.handle.traffic;
                traffic.set_messages(Side::Backend, self.earlier_messages);
                self.backend = Some(Box::new(ended));
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.registry.observer.closed(Record {
            at: SystemTime::now(),
            handle: Arc::clone(&self.handle),
            open_for: self.now().saturating_sub(self.handle.opened),
            holds: self.holds,
            held: self.held,
            backends: self.backends,
            client: self.client.take().map(|ended| *ended),
            backend: self.backend.take().map(|ended| *ended),
        });
        // Once nobody is left, everything is logged.
        self.registry.leave(self.id);
    }
}

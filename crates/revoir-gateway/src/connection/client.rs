//! [`Connection`]: what is known of one client's connection beside its bytes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use crate::connection::limits::Admitted;
use crate::connection::registry::Registry;
use crate::relay::{Ended, Outlook, Redialed, Session, Side, Why};
use crate::rules::Rules;
use crate::upstream::{Agreement, Pool, Seat};
use crate::watch::{Asked, Handle, Limit, Record};

/// One client's connection, at its task.
#[derive(Debug)]
pub(crate) struct Connection {
    registry: Arc<Registry>,
    id: u64,
    pool: Arc<Pool>,
    /// Where the backend is, if there is one.
    seat: Option<Seat>,
    /// Its place among all clients.
    _admitted: Admitted,
    handle: Arc<Handle>,
    holds: u32,
    held: Duration,
    /// Backends that it had.
    backends: u32,
    /// Whole messages that came from backends it has no more.
    earlier_messages: u64,
    client: Option<Ended>,
    backend: Option<Ended>,
}

impl Connection {
    /// Connection number `id` begins: both opening handshakes are done.
    pub(crate) fn new(
        registry: &Arc<Registry>,
        id: u64,
        asked: Asked,
        agreement: Agreement,
        (pool, seat, admitted): (Arc<Pool>, Seat, Admitted),
    ) -> Self {
        let handle = Arc::new(Handle::new(
            registry.name(id).into(),
            registry.now(),
            (asked, agreement),
            (Arc::clone(&pool), seat.name()),
        ));
        registry.enter(id, &handle);
        registry.observer.opened(handle.asked.since.elapsed());
        Self {
            registry: Arc::clone(registry),
            id,
            pool,
            seat: Some(seat),
            _admitted: admitted,
            handle,
            holds: 0,
            held: Duration::ZERO,
            backends: 1,
            earlier_messages: 0,
            client: None,
            backend: None,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.registry.now()
    }

    pub(crate) fn rules(&self) -> &Arc<Rules> {
        &self.pool.settings.rules
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    pub(crate) fn outlook(&self, now: Duration) -> Outlook {
        self.pool.outlook(now, self.seat.as_ref())
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The point in time that is `at` in the gateway's time.
    pub(crate) fn instant(&self, at: Duration) -> tokio::time::Instant {
        self.registry.epoch() + at
    }

    /// Takes room for up to `wanted` bytes that are held back, and returns how much there is.
    pub(crate) fn take_room(&self, wanted: usize) -> usize {
        self.registry.held_bytes.take(wanted)
    }

    /// Counts bytes that are held back already.
    pub(crate) fn add_room(&self, bytes: usize) {
        self.registry.held_bytes.add(bytes);
    }

    /// Gives back room that was taken.
    pub(crate) fn give_room(&self, bytes: usize) {
        self.registry.held_bytes.give(bytes);
    }

    /// The client is not read from, because all holds together keep as much as they may.
    pub(crate) fn found_no_room(&self) {
        self.registry.limited(Limit::Held);
    }

    /// `bytes` came from `side` and were given to `session`.
    #[inline]
    pub(crate) fn heard(&self, now: Duration, side: Side, bytes: usize, session: &Session) {
        let traffic = &self.handle.traffic;
        traffic.heard(now, side, bytes);
        // A backend that has just ended is counted when its ending is.
        if let Some(messages) = session.messages(side) {
            let earlier = match side {
                Side::Client => 0,
                Side::Backend => self.earlier_messages,
            };
            traffic.set_messages(side, earlier + messages);
        }
        if let Some(rtt) = session.rtt(side) {
            traffic.set_rtt(side, rtt);
        }
    }

    pub(crate) fn begin_hold(&mut self, since: Duration) {
        self.holds += 1;
        self.handle.traffic.set_held(Some(since));
        self.pool.held.fetch_add(1, Ordering::Relaxed);
    }

    /// The client has a backend again, at `seat`, whose opening handshake took so long.
    pub(crate) fn returned(&mut self, seat: Seat, took: Duration) {
        self.registry.observer.backend_accepted(took);
        self.backends += 1;
        self.handle.set_upstream(seat.name());
        self.seat = Some(seat);
        if let Some(after) = self.take_hold() {
            self.registry.observer.returned(after);
            tracing::debug!(target: "revoir", conn = self.id, ?after, "the client has a backend again");
        }
    }

    /// The hold is over. If the client has not returned, it ends.
    pub(crate) fn end_hold(&mut self) {
        self.pool.held.fetch_sub(1, Ordering::Relaxed);
        if let Some(after) = self.take_hold() {
            self.registry.observer.given_up(after);
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

    pub(crate) fn redial_failed(&self, redialed: &Redialed) {
        self.registry.observer.redial_failed(redialed);
        tracing::debug!(target: "revoir", conn = self.id, ?redialed, "the backend did not accept");
    }

    pub(crate) fn ended(&mut self, ended: Ended) {
        self.registry.observer.ended(&ended, &self.handle);
        if let Some(why) = ended.held {
            self.registry.observer.held(why);
            let ending = &ended.ending;
            tracing::debug!(target: "revoir", conn = self.id, why = why.id(), %ending, "held");
            if let (Why::Planned, Some(seat)) = (why, &self.seat) {
                self.pool.restarts(seat);
            }
        }
        match ended.side {
            Side::Client => {
                self.registry.count_drained(&ended.ending);
                self.client = Some(ended);
            }
            Side::Backend => {
                self.seat = None;
                self.earlier_messages += ended.received;
                let traffic = &self.handle.traffic;
                traffic.set_messages(Side::Backend, self.earlier_messages);
                self.backend = Some(ended);
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
            client: self.client.take(),
            backend: self.backend.take(),
        });
        // Once nobody is left, everything is logged.
        self.registry.leave(self.id);
    }
}

//! [`Connection`]: what is known of one client's connection beside its bytes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::{Duration, SystemTime};

use super::Gateway;
use super::agreement::Agreement;
use super::asked::Asked;
use super::entrance::Admitted;
use super::observer::Limit;
use super::pool::{Pool, Seat};
use super::rules::Rules;
use super::session::{Ended, Outlook, Session, Side};
use super::traffic::Traffic;
use super::verdict::{Goodbye, Redialed, Why};

/// One client's connection, at its task.
#[derive(Debug)]
pub(crate) struct Connection {
    gateway: Arc<Gateway>,
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

/// One client's connection, as it is seen and reached from outside its task.
#[derive(Debug)]
pub struct Handle {
    /// As in Revoir-Conn.
    pub name: Box<str>,
    /// The request that it began with.
    pub asked: Asked,
    pub(crate) agreement: Agreement,
    /// The last backend.
    upstream: Mutex<Arc<str>>,
    /// In the gateway's time.
    pub(crate) opened: Duration,
    /// What came from both sides.
    pub traffic: Traffic,
    pool: Arc<Pool>,
    message: Mutex<Message>,
}

/// A connection that is over.
#[derive(Debug)]
pub struct Record {
    /// When it ended.
    pub at: SystemTime,
    /// Which one it was.
    pub handle: Arc<Handle>,
    /// From its opening handshake to its end.
    pub open_for: Duration,
    /// How often the client was held.
    pub holds: u32,
    /// In all holds together.
    pub held: Duration,
    /// How many it had, one after the other.
    pub backends: u32,
    /// `None`: the gateway stopped before.
    pub client: Option<Ended>,
    /// Of the last backend.
    pub backend: Option<Ended>,
}

#[derive(Debug, Default)]
struct Message {
    order: Option<Order>,
    waker: Option<Waker>,
}

/// What a connection is told from outside its task.
#[derive(Debug)]
pub(crate) enum Order {
    /// To close.
    Leave(Goodbye),
    /// To end now, with this.
    End(Goodbye),
    /// To drop the client.
    Cut,
}

impl Handle {
    /// Host and port of the last backend.
    pub fn upstream(&self) -> Arc<str> {
        let upstream = self.upstream.lock();
        Arc::clone(&upstream.unwrap_or_else(PoisonError::into_inner))
    }

    /// The upstreams that it may have.
    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Has the connection closed.
    pub fn leave(&self, goodbye: Goodbye) {
        self.order(Order::Leave(goodbye));
    }

    /// Has the connection end now. Its Close frame comes first, where there is room for it.
    pub fn end(&self, goodbye: Goodbye) {
        self.order(Order::End(goodbye));
    }

    /// Has the client's TCP dropped without a word.
    pub fn cut(&self) {
        self.order(Order::Cut);
    }

    fn order(&self, order: Order) {
        let mut message = self.message.lock().unwrap_or_else(PoisonError::into_inner);
        message.order = Some(order);
        if let Some(waker) = message.waker.take() {
            waker.wake();
        }
    }

    /// What was said to the connection. Whatever comes later wakes `waker`.
    pub(crate) fn take(&self, waker: &Waker) -> Option<Order> {
        let mut message = self.message.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |old: &Waker| old.will_wake(waker);
        if !message.waker.as_ref().is_some_and(is_same) {
            message.waker = Some(waker.clone());
        }
        message.order.take()
    }
}

impl Connection {
    /// Connection number `id` begins: both opening handshakes are done.
    pub(super) fn new(
        gateway: &Arc<Gateway>,
        id: u64,
        asked: Asked,
        agreement: Agreement,
        (pool, seat, admitted): (Arc<Pool>, Seat, Admitted),
    ) -> Self {
        let handle = Arc::new(Handle {
            name: gateway.name(id).into(),
            asked,
            agreement,
            upstream: Mutex::new(seat.name()),
            opened: gateway.now(),
            traffic: Traffic::default(),
            pool: Arc::clone(&pool),
            message: Mutex::default(),
        });
        gateway.enter(id, &handle);
        gateway.observer.opened(handle.asked.since.elapsed());
        Self {
            gateway: Arc::clone(gateway),
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
        self.gateway.now()
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
        self.gateway.epoch + at
    }

    /// Takes room for up to `wanted` bytes that are held back, and returns how much there is.
    pub(crate) fn take_room(&self, wanted: usize) -> usize {
        let limit = self.gateway.current().settings.held_bytes;
        let held = &self.gateway.held_bytes;
        let taking = |held: usize| Some(held + wanted.min(limit.saturating_sub(held)));
        match held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taking) {
            Ok(before) | Err(before) => wanted.min(limit.saturating_sub(before)),
        }
    }

    /// Counts bytes that are held back already.
    pub(crate) fn add_room(&self, bytes: usize) {
        self.gateway.held_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Gives back room that was taken.
    pub(crate) fn give_room(&self, bytes: usize) {
        self.gateway.held_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The client is not read from, because all holds together keep as much as they may.
    pub(crate) fn found_no_room(&self) {
        self.gateway.limited(Limit::Held);
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
        self.gateway.observer.backend_accepted(took);
        self.backends += 1;
        let upstream = self.handle.upstream.lock();
        *upstream.unwrap_or_else(PoisonError::into_inner) = seat.name();
        self.seat = Some(seat);
        if let Some(after) = self.take_hold() {
            self.gateway.observer.returned(after);
            tracing::debug!(target: "revoir", conn = self.id, ?after, "the client has a backend again");
        }
    }

    /// The hold is over. If the client has not returned, it ends.
    pub(crate) fn end_hold(&mut self) {
        self.pool.held.fetch_sub(1, Ordering::Relaxed);
        if let Some(after) = self.take_hold() {
            self.gateway.observer.given_up(after);
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
        self.gateway.observer.redial_failed(redialed);
        tracing::debug!(target: "revoir", conn = self.id, ?redialed, "the backend did not accept");
    }

    pub(crate) fn ended(&mut self, ended: Ended) {
        self.gateway.observer.ended(&ended, &self.handle);
        if let Some(why) = ended.held {
            self.gateway.observer.held(why);
            let ending = &ended.ending;
            tracing::debug!(target: "revoir", conn = self.id, why = why.id(), %ending, "held");
            if let (Why::Planned, Some(seat)) = (why, &self.seat) {
                self.pool.restarts(seat);
            }
        }
        match ended.side {
            Side::Client => {
                self.gateway.count_drained(&ended.ending);
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
        self.gateway.observer.closed(Record {
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
        self.gateway.leave(self.id);
    }
}

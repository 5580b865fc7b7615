//! [`Connection`]: what is known of one client's connection beside its bytes.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

use revoir_proto::Ending;

use super::Gateway;
use super::pool::{Pool, Seat};
use super::rules::Rules;
use super::session::{Ended, Outlook, Side};
use super::verdict::{Goodbye, Redialed, Why};

/// One client's connection: its number, and its record for the access log.
#[derive(Debug)]
pub(crate) struct Connection {
    gateway: Arc<Gateway>,
    id: u64,
    peer: SocketAddr,
    resource: String,
    pool: Arc<Pool>,
    /// Where the backend is, if there is one.
    seat: Option<Seat>,
    opened: Duration,
    handle: Arc<Handle>,
    holds: u32,
    held: Duration,
    client: Option<Ended>,
    backend: Option<Ended>,
}

/// What reaches a connection from outside its task.
#[derive(Debug, Default)]
pub(crate) struct Handle(Mutex<Message>);

#[derive(Debug, Default)]
struct Message {
    goodbye: Option<Goodbye>,
    cut: bool,
    waker: Option<Waker>,
}

impl Handle {
    /// Has the connection closed.
    pub(crate) fn leave(&self, goodbye: Goodbye) {
        let mut message = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        message.goodbye = Some(goodbye);
        if let Some(waker) = message.waker.take() {
            waker.wake();
        }
    }

    /// Has the client's TCP dropped without a word.
    pub(crate) fn cut(&self) {
        let mut message = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        message.cut = true;
        if let Some(waker) = message.waker.take() {
            waker.wake();
        }
    }

    /// Whether the client's TCP is to be dropped, now. [`take`](Self::take) comes before.
    pub(crate) fn take_cut(&self) -> bool {
        let mut message = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut message.cut)
    }

    /// What was said to the connection. Whatever comes later wakes `waker`.
    pub(crate) fn take(&self, waker: &Waker) -> Option<Goodbye> {
        let mut message = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |old: &Waker| old.will_wake(waker);
        if !message.waker.as_ref().is_some_and(is_same) {
            message.waker = Some(waker.clone());
        }
        message.goodbye.take()
    }
}

impl Connection {
    pub(super) fn new(
        gateway: &Arc<Gateway>,
        id: u64,
        peer: SocketAddr,
        resource: String,
        (pool, seat): (Arc<Pool>, Seat),
    ) -> Self {
        let handle = Arc::new(Handle::default());
        gateway.enter(id, &handle);
        gateway.observer.opened();
        Self {
            opened: gateway.now(),
            gateway: Arc::clone(gateway),
            id,
            peer,
            resource,
            pool,
            seat: Some(seat),
            handle,
            holds: 0,
            held: Duration::ZERO,
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

    /// Changes what is held back from `before` to `after` bytes.
    pub(crate) fn count_held(&self, before: usize, after: usize) {
        let held = &self.gateway.held_bytes;
        if after >= before {
            held.fetch_add(after - before, Ordering::Relaxed);
        } else {
            held.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    /// Whether all holds together hold back as much as they may.
    pub(crate) fn is_held_full(&self) -> bool {
        self.gateway.held_bytes.load(Ordering::Relaxed) >= self.gateway.settings.held_bytes
    }

    pub(crate) fn begin_hold(&mut self) {
        self.holds += 1;
        self.pool.held.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end_hold(&mut self) {
        self.pool.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// The client has a backend again, at `seat`, after this time.
    pub(crate) fn returned(&mut self, after: Duration, seat: Seat) {
        self.held += after;
        self.seat = Some(seat);
        self.gateway.observer.returned(after);
        tracing::debug!(target: "revoir", conn = self.id, ?after, "the client has a backend again");
    }

    pub(crate) fn redial_failed(&self, redialed: &Redialed) {
        self.gateway.observer.redial_failed(redialed);
        tracing::debug!(target: "revoir", conn = self.id, ?redialed, "the backend did not accept");
    }

    pub(crate) fn ended(&mut self, ended: Ended) {
        self.gateway.observer.ended(&ended);
        if let Some(why) = ended.held {
            self.gateway.observer.held(why);
            let ending = &ended.ending;
            tracing::debug!(target: "revoir", conn = self.id, why = why.id(), %ending, "held");
            if let (Why::Planned, Some(seat)) = (why, &self.seat) {
                self.pool.restarts(seat);
            }
        }
        match ended.side {
            Side::Client => self.client = Some(ended),
            Side::Backend => {
                self.seat = None;
                self.backend = Some(ended);
            }
        }
    }
}

/// The line of the access log, with both endings.
impl Drop for Connection {
    fn drop(&mut self) {
        self.gateway.leave(self.id);
        let code = |ended: &Option<Ended>| ended.as_ref().map(|e| e.ending.code().get());
        let cause = |ended: &Option<Ended>| ended.as_ref().map(|e| e.ending.cause.id());
        let finish = |ended: &Option<Ended>| ended.as_ref().map(|e| e.ending.finish.id());
        let messages = |ended: &Option<Ended>| ended.as_ref().map(|e| e.received);
        let text = |ended: &Option<Ended>| ended.as_ref().map(|e| text(&e.ending));
        let (client, backend) = (&self.client, &self.backend);
        tracing::info!(
            target: "revoir::access",
            conn = self.id,
            peer = %self.peer,
            resource = self.resource,
            open_ms = self.now().saturating_sub(self.opened).as_millis() as u64,
            holds = self.holds,
            held_ms = self.held.as_millis() as u64,
            client_code = code(client),
            client_cause = cause(client),
            client_finish = finish(client),
            client_messages = messages(client),
            client_text = text(client),
            backend_code = code(backend),
            backend_cause = cause(backend),
            backend_finish = finish(backend),
            backend_messages = messages(backend),
            backend_text = text(backend),
        );
    }
}

fn text(ending: &Ending) -> String {
    ending.to_string()
}

//! [`Handle`]: a connection as it is seen and reached from outside its task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, SystemTime};

use revoir::session::Watcher;

use crate::relay::{Ended, Goodbye};
use crate::treatment::Treatment;
use crate::upstream::{Agreement, Pool};
use crate::watch::request::LoggedRequest;
use crate::watch::traffic::Traffic;

/// One client's connection, as it is seen and reached from outside its task.
#[derive(Debug)]
pub struct Handle {
    /// As in Revoir-Conn.
    pub name: Box<str>,
    /// The request that it began with.
    pub request: LoggedRequest,
    pub(crate) agreement: Agreement,
    treatment: Mutex<Treatment>,
    /// The last backend.
    upstream: Mutex<Arc<str>>,
    /// From its request to the 101.
    pub handshake: Duration,
    /// In the gateway's time.
    pub(crate) opened: Duration,
    /// What came from both sides.
    pub traffic: Traffic,
    pool: Arc<Pool>,
    message: Mutex<Message>,
    /// Whether a reload has it closed, now or later.
    goes_away: AtomicBool,
    /// Whether a reload has it get another upstream, now or later.
    goes_elsewhere: AtomicBool,
    /// Its session, if it has one.
    session: OnceLock<Watcher>,
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
    told: Told,
    waker: Option<Waker>,
}

/// What becomes of a connection after a reload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Going {
    /// It is closed.
    Away,
    /// It gets another upstream, if it may be held.
    Elsewhere,
}

/// What a connection was told since it last listened.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) order: Option<Order>,
    /// The rules of its route are others.
    pub(crate) has_new_rules: bool,
    /// Its upstream was removed.
    pub(crate) moves: bool,
}

impl Told {
    /// Whether there is nothing.
    pub(crate) const fn is_nothing(&self) -> bool {
        self.order.is_none() && !self.has_new_rules && !self.moves
    }
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
    /// The connection `name`, opened at a time of the gateway, at one of the upstreams of `pool`.
    pub(crate) fn new(
        name: Box<str>,
        opened: Duration,
        (asked, agreement, treatment): (LoggedRequest, Agreement, Treatment),
        (pool, upstream): (Arc<Pool>, Arc<str>),
    ) -> Self {
        Self {
            name,
            handshake: asked.since.elapsed(),
            request: asked,
            agreement,
            treatment: Mutex::new(treatment),
            upstream: Mutex::new(upstream),
            opened,
            traffic: Traffic::default(),
            pool,
            message: Mutex::default(),
            goes_away: AtomicBool::new(false),
            goes_elsewhere: AtomicBool::new(false),
            session: OnceLock::new(),
        }
    }

    /// Its session, if it has one: the client may be away then.
    pub fn session(&self) -> Option<&Watcher> {
        self.session.get()
    }

    pub(crate) fn set_session(&self, session: Watcher) {
        // It has one at most.
        let _ = self.session.set(session);
    }

    /// Host and port of the last backend.
    pub fn upstream(&self) -> Arc<str> {
        let upstream = self.upstream.lock();
        Arc::clone(&upstream.unwrap_or_else(PoisonError::into_inner))
    }

    /// What becomes of it when its backend ends, and why.
    pub fn treatment(&self) -> Treatment {
        *self
            .treatment
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// It is treated in another way from now on.
    pub(crate) fn set_treatment(&self, treatment: Treatment) {
        *self
            .treatment
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = treatment;
    }

    /// It has another backend.
    pub(crate) fn set_upstream(&self, upstream: Arc<str>) {
        *self.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream;
        self.goes_elsewhere.store(false, Ordering::Relaxed);
    }

    /// The upstreams that it may have.
    pub(crate) fn pool(&self) -> &Arc<Pool> {
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

    /// Has it look at the rules of its route again.
    pub(crate) fn tell_of_rules(&self) {
        self.tell(|told| told.has_new_rules = true);
    }

    /// Notes that it is going to be told to leave, or to move. Returns whether nobody has done so.
    pub(crate) fn marks(&self, going: Going) -> bool {
        let mark = match going {
            Going::Away => &self.goes_away,
            Going::Elsewhere => &self.goes_elsewhere,
        };
        !mark.swap(true, Ordering::Relaxed)
    }

    /// Has it get another upstream, as soon as that does no harm.
    pub(crate) fn tell_to_move(&self) {
        self.tell(|told| told.moves = true);
    }

    /// Whether its route has the upstream no more that it is connected to.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.traffic.held_since().is_none() && !self.pool.has(&self.upstream())
    }

    fn order(&self, order: Order) {
        self.tell(|told| told.order = Some(order));
    }

    fn tell(&self, say: impl FnOnce(&mut Told)) {
        let mut message = self.message.lock().unwrap_or_else(PoisonError::into_inner);
        say(&mut message.told);
        if let Some(waker) = message.waker.take() {
            waker.wake();
        }
    }

    /// What was said to the connection. Whatever comes later wakes `waker`.
    pub(crate) fn take(&self, waker: &Waker) -> Told {
        let mut message = self.message.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |old: &Waker| old.will_wake(waker);
        if !message.waker.as_ref().is_some_and(is_same) {
            message.waker = Some(waker.clone());
        }
        std::mem::take(&mut message.told)
    }
}

//! [`Hop`]: the gateway's connection to one side.

use std::sync::Arc;
use std::time::Duration;

use revoir_proto::frame::{CloseFrame, Opcode};
use revoir_proto::{
    Cause, Detail, Ending, Finish, Initiator, KeepaliveConfig, Liveness, Random, Role,
};

use crate::relay::frame::own_frame;
use crate::relay::outgoing::{Accept, Outgoing};
use crate::relay::silence::Silence;
use crate::rules::Rules;

/// One side of a relayed connection: what waits for it, its signs of life, and its Close frames.
#[derive(Debug)]
pub(crate) struct Hop {
    /// The gateway's role on it.
    role: Role,
    opened: Duration,
    rules: Arc<Rules>,
    liveness: Liveness,
    pub(crate) out: Outgoing,
    /// The answer to the last ping, until it can be queued: one at most.
    pong: Option<Vec<u8>>,
    /// Since when the transport has taken nothing of what waits.
    stuck_since: Option<Duration>,
    /// Since when nothing is read.
    deaf_since: Option<Duration>,
    /// It shows no sign of life, and is not gone for all that: it is not asked for one then.
    pub(super) silence: Option<Box<Silence>>,
    /// It is in this process, where nobody has to give a sign of life.
    pub(super) is_here: bool,
    /// Once it has begun to close. In a box: Close frames are large, and most hops have none for hours.
    closing: Option<Box<Closing>>,
    /// Whether what comes from this side means nothing any more.
    failed: bool,
    /// Messages that nobody took.
    discarded: u64,
}

/// How far the ending of a hop has come.
#[derive(Debug, Default)]
struct Closing {
    began: Option<Began>,
    sent: Option<CloseFrame>,
    received: Option<CloseFrame>,
    crossed: bool,
}

/// What began the ending of a hop.
#[derive(Clone, Debug)]
struct Began {
    cause: Cause,
    detail: Detail,
}

impl Hop {
    pub(crate) fn new(now: Duration, role: Role, rules: &Arc<Rules>, jitter: u32) -> Self {
        Self {
            role,
            opened: now,
            rules: Arc::clone(rules),
            liveness: Liveness::new(now, jitter),
            out: Outgoing::default(),
            pong: None,
            stuck_since: None,
            deaf_since: None,
            silence: None,
            is_here: false,
            closing: None,
            failed: false,
            discarded: 0,
        }
    }

    /// Keeps alive and waits as `rules` say from here on.
    pub(crate) fn set_rules(&mut self, rules: &Arc<Rules>) {
        self.rules = Arc::clone(rules);
    }

    /// Takes note of received bytes.
    #[inline]
    pub(crate) fn on_received(&mut self, now: Duration) {
        self.liveness.on_received(now);
    }

    /// Takes note of what the transport took, if it did, and of what it left.
    #[inline]
    pub(crate) fn on_written(&mut self, now: Duration, sent_before: u64) {
        let progressed = self.out.sent() != sent_before;
        if progressed {
            self.liveness.on_written(now, self.out.sent());
        }
        if self.out.is_empty() {
            self.stuck_since = None;
        } else if progressed || self.stuck_since.is_none() {
            self.stuck_since = Some(now);
        }
    }

    /// Writes what waits. `may_insert`: whether the data forwarded so far ends with a frame.
    pub(crate) fn flush(
        &mut self,
        now: Duration,
        transport: &mut dyn Accept,
        may_insert: bool,
        random: &mut dyn Random,
    ) {
        if self.sent().is_none()
            && !self.out.has_controls()
            && let Some(payload) = self.pong.take()
        {
            let frame = own_frame(self.role, Opcode::Pong, &payload, random);
            self.out.push_control(&frame);
        }
        let before = self.out.sent();
        self.out.flush(transport, may_insert);
        self.on_written(now, before);
    }

    /// Whether something waits that `flush` would write.
    pub(crate) fn wants_flush(&self) -> bool {
        !self.out.is_empty() || self.pong.is_some()
    }

    /// Answers a ping. A ping that was not answered yet needs no answer any more (RFC 6455
    /// section 5.5.3).
    pub(crate) fn answer_ping(&mut self, payload: &[u8]) {
        self.pong = Some(payload.to_vec());
    }

    /// Takes note of a pong, and returns whether it answers a ping of ours.
    pub(crate) fn on_pong(&mut self, now: Duration, payload: &[u8]) -> bool {
        self.liveness.on_pong(now, payload).is_some()
    }

    /// The last round trip.
    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.liveness.rtt()
    }

    /// Tells whether this side is read from.
    pub(crate) fn set_reading(&mut self, now: Duration, reads: bool) {
        match (reads, self.deaf_since) {
            (false, None) => self.deaf_since = Some(now),
            (true, Some(since)) => {
                self.deaf_since = None;
                self.liveness.on_hearing_again(now, since);
            }
            (true, None) | (false, Some(_)) => {}
        }
    }

    /// When a side that takes nothing counts as dead.
    fn stuck_until(&self) -> Option<Duration> {
        self.stuck_since
            .map(|since| since + self.rules.write_timeout)
    }

    /// The next time at which `on_timeout` has something to do.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        if self.silence.is_some() || self.is_here {
            return None;
        }
        let life = match self.rules.keepalive {
            Some(config) if self.sent().is_none() => {
                earlier(self.ping_at(&config), self.dead_at(&config))
            }
            _ => None,
        };
        earlier(self.stuck_until(), life)
    }

    /// Does what is due: queues a ping, or says why this side counts as dead.
    pub(crate) fn on_timeout(&mut self, now: Duration, random: &mut dyn Random) -> Option<Cause> {
        if self.silence.is_some() || self.is_here {
            return None;
        }
        let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        if is_due(self.stuck_until()) {
            return Some(Cause::WriteTimeout);
        }
        let config = self.rules.keepalive.filter(|_| self.sent().is_none())?;
        if is_due(self.dead_at(&config)) {
            return Some(Cause::PongTimeout);
        }
        if is_due(self.ping_at(&config)) {
            let id = random.next_u32().to_ne_bytes();
            let frame = own_frame(self.role, Opcode::Ping, &id, random);
            self.out.push_control(&frame);
            let end = self.out.sent_in_the_end();
            self.liveness.on_ping_queued(id, end, random.next_u32());
        }
        None
    }

    /// Queues the Close frame of this side, once.
    pub(crate) fn send_close(
        &mut self,
        frame: CloseFrame,
        cause: Cause,
        detail: Detail,
        random: &mut dyn Random,
    ) {
        let closing = self.closing.get_or_insert_default();
        if closing.sent.is_some() {
            return;
        }
        closing.sent = Some(frame);
        closing.began.get_or_insert(Began { cause, detail });
        self.pong = None;
        let mut payload = Vec::new();
        frame.encode(&mut payload);
        let wire = own_frame(self.role, Opcode::Close, &payload, random);
        self.out.push_control(&wire);
    }

    /// Takes note of the peer's Close frame.
    pub(crate) fn receive_close(&mut self, frame: CloseFrame) {
        let closing = self.closing.get_or_insert_default();
        closing.crossed = closing.sent.is_some() && !self.out.is_empty();
        closing.received = Some(frame);
        closing.began.get_or_insert(Began {
            cause: Cause::ClosedByPeer,
            detail: Detail::None,
        });
    }

    /// What comes from this side means nothing any more.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }

    pub(crate) fn discard(&mut self, messages: u64) {
        self.discarded += messages;
    }

    pub(crate) fn sent(&self) -> Option<&CloseFrame> {
        self.closing.as_ref()?.sent.as_ref()
    }

    pub(crate) fn received(&self) -> Option<&CloseFrame> {
        self.closing.as_ref()?.received.as_ref()
    }

    /// Whether input from this side still counts.
    pub(crate) fn is_heard(&self) -> bool {
        self.received().is_none() && !self.failed
    }

    /// Whether nothing is left to do but to end TCP.
    pub(crate) fn is_settled(&self) -> bool {
        self.sent().is_some() && !self.is_heard() && self.out.is_empty()
    }

    /// The record of this side, which ends now. `cause` and `detail` hold if nothing began it yet.
    /// `leaves`: whether what waits is still written.
    pub(crate) fn end(
        &self,
        now: Duration,
        (cause, detail, finish): (Cause, Detail, Finish),
        leaves: bool,
        in_frame: bool,
    ) -> Ending {
        let closing = self.closing.as_deref();
        let began = closing.and_then(|closing| closing.began.clone());
        let began = began.unwrap_or(Began { cause, detail });
        let mut ending = Ending::never_opened(began.cause, began.detail);
        let (sent, received) = (self.sent().copied(), self.received().copied());
        ending.sent = sent.filter(|_| leaves || !self.out.has_controls());
        ending.received = received;
        ending.finish = match ending.is_clean() {
            true => Finish::Answered,
            false => finish,
        };
        ending.initiator = match (sent, received) {
            (None, None) => None,
            _ if began.cause == Cause::ClosedByPeer => Some(Initiator::Remote),
            _ => Some(Initiator::Local),
        };
        ending.crossed = closing.is_some_and(|closing| closing.crossed);
        ending.open_for = now.saturating_sub(self.opened);
        ending.idle_for = now.saturating_sub(self.liveness.received());
        ending.in_frame = in_frame;
        ending.discarded = self.discarded;
        ending.unsent = match leaves {
            true => 0,
            false => self.out.sent_in_the_end() - self.out.sent(),
        };
        ending
    }

    fn ping_at(&self, config: &KeepaliveConfig) -> Option<Duration> {
        let interval = self.liveness.interval(config);
        self.liveness.ping_at(interval, self.deaf_since.is_some())
    }

    fn dead_at(&self, config: &KeepaliveConfig) -> Option<Duration> {
        match self.deaf_since {
            Some(_) => None,
            None => self.liveness.dead_at(config),
        }
    }
}

/// The earlier one of two deadlines that may be absent.
pub(crate) fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

//! graphql-transport-ws, and the older graphql-ws of subscriptions-transport-ws.
//!
//! Said again: `connection_init`, and after the server's `connection_ack`, which the client has
//! had, every open operation that is a subscription. A query or a mutation that is open cannot be
//! repeated. An `error` or `complete` for what was said again is passed: it is what the client
//! would have been told.
//!
//! An identifier may be used again while the server's end of its first operation is on its way, or that of an operation
//! whose place it takes. Neither protocol tells which of them an end means, so from then on nobody knows what the server
//! runs, until the client has ended that too.
//!
//! A server of the older protocol that is frozen sends no heartbeats, and its clients would give up after 30 s, to come
//! back to the same server. The adapter sends them in its place for a minute, as long as a relay keeps such a server.
//!
//! Recorded from npm `graphql-ws` 6: its `dispose` closes with 1001. Its own codes (4400 to 4499,
//! 1011) mean this client.

mod document;
mod keep_alive;
mod stopped;
mod wire;

use std::time::Duration;

use crate::adapter::{Adapter, Fate, PROLOGUE_LIMIT, Unholdable};
use crate::graphql::keep_alive::KeepAlive;
use crate::graphql::stopped::Stopped;
use crate::graphql::wire::Said;
use crate::message::{Message, Outbox};

pub(crate) use wire::Dialect;

const PONG: &str = r#"{"type":"pong"}"#;
const KEEP_ALIVE: &str = r#"{"type":"ka"}"#;

/// Operations that may be open at a time. Beyond this many it is not known any more what is.
const OPEN_LIMIT: usize = 1024;

/// Bytes of an operation's id.
const ID_LIMIT: usize = 1024;

const TOO_LONG: &str = "the hello is longer than 64 KiB";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The client's own server has not acknowledged its hello.
    Opening,
    /// A server is there, and what the client sends goes to it.
    Attached,
    /// No server.
    Away,
    /// A later server has not acknowledged the hello.
    Greeting,
}

/// An operation that is open.
#[derive(Debug)]
struct Operation {
    id: String,
    start: Start,
    /// Ends of earlier operations under its identifier that the server may have sent.
    earlier: u32,
    /// Whether it may be over: one of them came, or its own.
    is_doubtful: bool,
}

/// What began an operation.
#[derive(Debug)]
enum Start {
    /// The message that can be said again.
    Subscription(Vec<u8>),
    /// There is no room for it.
    TooLong,
    /// A query or a mutation.
    Once,
}

impl Operation {
    /// What can be said again.
    fn said(&self) -> Option<&[u8]> {
        match &self.start {
            Start::Subscription(said) => Some(said),
            Start::TooLong | Start::Once => None,
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Graphql {
    dialect: Dialect,
    phase: Phase,
    is_final: Option<Unholdable>,
    init: Vec<u8>,
    operations: Vec<Operation>,
    stopped: Stopped,
    /// Pings of the client that the server has not answered.
    pings: u32,
    keep_alive: KeepAlive,
}

impl Graphql {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            phase: Phase::Opening,
            is_final: None,
            init: Vec::new(),
            operations: Vec::new(),
            stopped: Stopped::default(),
            pings: 0,
            keep_alive: KeepAlive::default(),
        }
    }

    const fn mismatch(&self) -> Unholdable {
        Unholdable::forever(match self.dialect {
            Dialect::TransportWs => "this is not graphql-transport-ws",
            Dialect::Ws => "this is not graphql-ws",
        })
    }

    /// From now on everything passes, and nothing is held. A server that is being greeted is left.
    fn give_up(&mut self, why: Unholdable) -> Fate {
        if !self.is_ready() {
            return Fate::End(why);
        }
        self.is_final = Some(why);
        self.operations = Vec::new();
        self.stopped = Stopped::default();
        self.keep_alive = KeepAlive::default();
        Fate::Pass
    }

    /// The operation that is open under `id`, which it is not any more.
    fn close(&mut self, id: &str) -> Option<Operation> {
        let mut operations = self.operations.iter();
        let at = operations.position(|operation| operation.id == id)?;
        Some(self.operations.remove(at))
    }

    /// The client has ended what is open under `id`.
    fn stop(&mut self, id: &str) {
        if let Some(operation) = self.close(id) {
            self.stopped.add(id, operation.earlier + 1);
        }
    }

    /// The server says that what ran under `id` is over.
    fn ended(&mut self, id: &str) {
        let mut operations = self.operations.iter_mut();
        match operations.find(|operation| operation.id == id) {
            Some(operation) if operation.earlier > 0 => {
                operation.earlier -= 1;
                operation.is_doubtful = true;
            }
            Some(_) => {
                self.close(id);
            }
            None => self.stopped.end(id),
        }
    }

    fn size(&self) -> usize {
        let said = self.operations.iter().filter_map(Operation::said);
        self.init.len() + said.map(<[u8]>::len).sum::<usize>()
    }

    fn start(&mut self, id: &str, is_subscription: bool, payload: &[u8]) -> Fate {
        let earlier = match self.close(id) {
            Some(operation) => operation.earlier + 1,
            None => self.stopped.take(id),
        };
        let start = match is_subscription {
            true if self.size() + payload.len() > PROLOGUE_LIMIT => Start::TooLong,
            true => Start::Subscription(payload.to_vec()),
            false => Start::Once,
        };
        let id = id.to_owned();
        if id.len() > ID_LIMIT || self.operations.len() >= OPEN_LIMIT {
            return self.give_up(Unholdable::forever("too much is open"));
        }
        self.operations.push(Operation {
            id,
            start,
            earlier,
            is_doubtful: false,
        });
        Fate::Pass
    }

    fn acknowledged(&mut self, now: Duration, out: &mut Outbox) -> Fate {
        match self.phase {
            Phase::Greeting => {
                let said = self.operations.iter().filter_map(Operation::said);
                said.for_each(|said| out.text_to_server(said));
                self.phase = Phase::Attached;
                self.keep_alive.server_back(now);
                Fate::Swallow
            }
            Phase::Opening if !self.init.is_empty() => {
                self.phase = Phase::Attached;
                Fate::Pass
            }
            Phase::Opening | Phase::Attached | Phase::Away => self.give_up(self.mismatch()),
        }
    }
}

impl Adapter for Graphql {
    fn message_from_client(
        &mut self,
        _now: Duration,
        message: Message<'_>,
        _out: &mut Outbox,
    ) -> Fate {
        if self.is_final.is_some() {
            return Fate::Pass;
        }
        let payload = message.payload();
        match Said::parse(self.dialect, payload) {
            Some(Said::Init) if payload.len() > PROLOGUE_LIMIT => {
                return self.give_up(Unholdable::forever(TOO_LONG));
            }
            Some(Said::Init) if self.init.is_empty() => self.init = payload.to_vec(),
            Some(Said::Start {
                id,
                is_subscription,
            }) => return self.start(&id, is_subscription, payload),
            Some(Said::Over { id }) => self.stop(&id),
            Some(Said::Ping) => self.pings = self.pings.saturating_add(1),
            Some(Said::Pong) => {}
            Some(Said::Terminate) => {
                return self.give_up(Unholdable::forever("the client leaves"));
            }
            Some(Said::Init | Said::Ack | Said::Refused | Said::Data | Said::KeepAlive) | None => {
                return self.give_up(self.mismatch());
            }
        }
        Fate::Pass
    }

    fn message_from_server(
        &mut self,
        now: Duration,
        message: Message<'_>,
        out: &mut Outbox,
    ) -> Fate {
        if self.is_final.is_some() {
            return Fate::Pass;
        }
        match Said::parse(self.dialect, message.payload()) {
            Some(Said::Ack) => return self.acknowledged(now, out),
            Some(Said::Refused) if self.phase == Phase::Greeting => {
                return Fate::End(Unholdable::now("the backend refused the hello"));
            }
            Some(Said::Over { id }) => self.ended(&id),
            // The client's pong could not reach this server yet.
            Some(Said::Ping) if self.phase == Phase::Greeting => {
                out.text_to_server(PONG);
                return Fate::Swallow;
            }
            Some(Said::Pong) => self.pings = self.pings.saturating_sub(1),
            Some(Said::KeepAlive) => self.keep_alive.seen(now),
            Some(Said::Data | Said::Refused | Said::Ping) => {}
            Some(Said::Init | Said::Start { .. } | Said::Terminate) | None => {
                return self.give_up(self.mismatch());
            }
        }
        Fate::Pass
    }

    fn message_while_away(
        &mut self,
        _now: Duration,
        message: Message<'_>,
        out: &mut Outbox,
    ) -> Fate {
        match Said::parse(self.dialect, message.payload()) {
            Some(Said::Ping) => {
                out.text_to_client(PONG);
                Fate::Swallow
            }
            // For a ping of a server that is gone.
            Some(Said::Pong) => Fate::Swallow,
            // It takes the place of the one that is open: that need not begin again.
            Some(Said::Start { id, .. }) => {
                self.close(&id);
                Fate::Pass
            }
            // It need not begin again. What began meanwhile is kept, and so is its end.
            Some(Said::Over { id }) if self.close(&id).is_some() => Fate::Swallow,
            _ => Fate::Pass,
        }
    }

    fn holdable(&self) -> Result<(), Unholdable> {
        if let Some(why) = self.is_final {
            return Err(why);
        }
        if self.phase == Phase::Opening {
            return Err(Unholdable::now("the hello is not over"));
        }
        for operation in &self.operations {
            if operation.is_doubtful {
                return Err(Unholdable::now(
                    "nobody knows which operation under an identifier is over",
                ));
            }
            match operation.start {
                Start::Subscription(_) => {}
                Start::TooLong => return Err(Unholdable::now(TOO_LONG)),
                Start::Once => return Err(Unholdable::now("a query or a mutation is open")),
            }
        }
        Ok(())
    }

    fn server_gone(&mut self, _now: Duration, out: &mut Outbox) {
        self.phase = Phase::Away;
        self.stopped.clear();
        for operation in &mut self.operations {
            operation.earlier = 0;
        }
        for _ in 0..std::mem::take(&mut self.pings) {
            out.text_to_client(PONG);
        }
        self.keep_alive.server_gone();
    }

    fn say_hello(&mut self, _now: Duration, out: &mut Outbox) {
        self.phase = Phase::Greeting;
        out.text_to_server(self.init.clone());
    }

    fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Attached)
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.keep_alive.next()
    }

    fn handle_timeout(&mut self, now: Duration, out: &mut Outbox) {
        if self.keep_alive.next().is_some_and(|next| next <= now) {
            out.text_to_client(KEEP_ALIVE);
            self.keep_alive.stand_in(now);
        }
    }

    fn memory(&self) -> usize {
        let id = |operation: &Operation| operation.id.len() + size_of_val(operation);
        self.size() + self.stopped.memory() + self.operations.iter().map(id).sum::<usize>()
    }
}

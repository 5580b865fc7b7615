//! [`Relay`]: the contract of the adapters' front page, and what must be true of it.

use std::collections::VecDeque;
use std::time::Duration;

use revoir_adapters::{
    Adapter, Applications, Fate, Handshake, Outbox, OwnedMessage, PROLOGUE_LIMIT, Protocol,
};

use crate::adapted::servers::{Server, is_whole};
use crate::memory;

/// Beside what an adapter says that it keeps.
const SLACK: usize = 32 * 1024;

/// The query of Socket.IO's JavaScript client, and that of Python's.
pub(super) const JAVASCRIPT: &str = "EIO=4&transport=websocket";
pub(super) const PYTHON: &str = "transport=websocket&EIO=4";

/// One client, and the server that is there.
pub(super) struct Relay {
    protocol: Protocol,
    /// Whether its program may take no notice of another server.
    is_deaf: bool,
    is_honest: bool,
    is_persistent: bool,
    adapter: Box<dyn Adapter>,
    now: Duration,
    is_there: bool,
    /// Of the client, for the next server.
    kept: VecDeque<OwnedMessage>,
    /// Whether what had no answer is still to be said to the server.
    is_new: bool,
    /// Whether there is nothing more to see: the connection ended, or no server would go on with it.
    is_over: bool,
    server: Server,
    /// A server that never goes, and hears everything that the client says.
    ideal: Server,
    /// Heap that the adapter has.
    held: usize,
}

impl Relay {
    pub(super) fn new(
        protocol: Protocol,
        applications: Applications,
        query: &str,
        is_honest: bool,
        is_persistent: bool,
    ) -> Self {
        let handshake = Handshake {
            path: "/",
            query,
            subprotocol: None,
        };
        let adapter = protocol.adapter(&handshake, applications);
        let is_unknown = applications == Applications::Unknown;
        Self {
            protocol,
            is_deaf: protocol == Protocol::SocketIo && is_unknown && query != JAVASCRIPT,
            is_honest,
            is_persistent,
            adapter: adapter.expect("nothing speaks against it yet"),
            now: Duration::from_secs(1000),
            is_there: true,
            kept: VecDeque::new(),
            is_new: false,
            is_over: false,
            server: Server::new(protocol),
            ideal: Server::new(protocol),
            held: 0,
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn client(&mut self, message: &OwnedMessage) {
        if self.is_honest && self.ideal.hear(message).is_err() {
            self.is_over = true;
            return;
        }
        if self.is_there && self.adapter.is_ready() {
            self.forward(message.clone());
        } else {
            let fate = self.call(|adapter, now, out| {
                adapter.message_while_away(now, message.as_message(), out)
            });
            self.obey(fate, |relay| relay.kept.push_back(message.clone()));
        }
        self.send_kept();
    }

    fn forward(&mut self, message: OwnedMessage) {
        let mut said = Outbox::default();
        let fate = self.call_into(&mut said, |adapter, now, out| {
            adapter.message_from_client(now, message.as_message(), out)
        });
        if self.is_deaf && fate == Fate::Pass && is_event(&message) {
            let holdable = self.adapter.holdable();
            assert!(holdable.is_err_and(|why| why.is_final()), "{holdable:?}");
        }
        self.obey(fate, |relay| relay.send(&message));
        for message in said.to_server {
            self.send(&message);
        }
    }

    pub(super) fn server(&mut self, message: &OwnedMessage) {
        if self.is_there {
            let fate = self.call(|adapter, now, out| {
                adapter.message_from_server(now, message.as_message(), out)
            });
            self.obey(fate, |_| {});
            self.send_kept();
        }
    }

    /// So many messages of an honest server arrive.
    pub(super) fn hear(&mut self, count: usize) {
        for _ in 0..count {
            if !self.is_honest || !self.is_there || self.is_over {
                return;
            }
            let Some(message) = self.server.says.pop_front() else {
                return;
            };
            self.server(&message);
        }
    }

    pub(super) fn lose(&mut self, is_asked: bool) {
        if !self.is_there {
            return;
        }
        // One that goes before the client's messages may go to it takes nothing with it.
        if (is_asked || self.adapter.is_ready()) && self.adapter.holdable().is_err() {
            self.is_over = true;
            return;
        }
        self.is_there = false;
        self.server.goes(self.is_persistent);
        self.call(|adapter, now, out| adapter.server_gone(now, out));
    }

    pub(super) fn back(&mut self) {
        if self.is_there {
            return;
        }
        (self.is_there, self.is_new) = (true, true);
        self.server.comes();
        self.call(|adapter, now, out| adapter.say_hello(now, out));
        self.send_kept();
    }

    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.adapter.poll_timeout().filter(|&at| at <= until) {
            self.now = self.now.max(at);
            self.call(|adapter, now, out| adapter.handle_timeout(now, out));
            let next = self.adapter.poll_timeout();
            assert!(next.is_none_or(|next| next > at), "a timer that stays");
        }
        self.now = until;
    }

    /// The end of a case: with a server that has said all that it has to say.
    pub(super) fn come_to_rest(&mut self) {
        self.back();
        self.hear(usize::MAX);
        if self.is_over || !self.is_honest {
            return;
        }
        assert!(self.adapter.is_ready(), "a server has answered everything");
        assert!(self.kept.is_empty(), "what was kept has gone");
        if !self.ideal.is_inside_unit() {
            assert_eq!(
                self.server.state(),
                self.ideal.state(),
                "what the client has subscribed to"
            );
        }
    }

    fn send_kept(&mut self) {
        while self.is_there && !self.is_over && self.adapter.is_ready() {
            if std::mem::take(&mut self.is_new) {
                self.call(|adapter, now, out| adapter.say_unanswered(now, out));
            }
            let Some(message) = self.kept.pop_front() else {
                return;
            };
            self.forward(message);
        }
    }

    /// To the server, what the client said.
    fn send(&mut self, message: &OwnedMessage) {
        if self.is_honest && self.server.hear(message).is_err() {
            panic!("refused, and another server would have taken it");
        }
    }

    fn obey(&mut self, fate: Fate, pass: impl FnOnce(&mut Self)) {
        match fate {
            Fate::Pass => pass(self),
            Fate::Swallow => {}
            Fate::End(_) => self.is_over = true,
        }
    }

    /// Calls the adapter, and sends what it says of its own.
    fn call<T>(&mut self, ask: impl FnOnce(&mut dyn Adapter, Duration, &mut Outbox) -> T) -> T {
        let was_ready = self.adapter.is_ready();
        let mut said = Outbox::default();
        let answer = self.call_into(&mut said, ask);
        assert!(self.is_there || said.to_server.is_empty(), "said to nobody");
        for message in &said.to_server {
            assert!(
                was_ready || is_whole(self.protocol, message),
                "said again in parts"
            );
            self.send(message);
        }
        answer
    }

    fn call_into<T>(
        &mut self,
        said: &mut Outbox,
        ask: impl FnOnce(&mut dyn Adapter, Duration, &mut Outbox) -> T,
    ) -> T {
        let before = memory::in_use();
        let mut out = Outbox::default();
        let answer = ask(&mut *self.adapter, self.now, &mut out);
        let after = memory::in_use();
        *said = out.clone();
        let copied = memory::in_use();
        drop(out);
        let of_out = copied - memory::in_use();
        self.held = (self.held + after).saturating_sub(before + of_out);
        let told = self.adapter.memory();
        assert!(
            self.held <= 4 * told + SLACK,
            "{} held, {told} told",
            self.held
        );
        assert!(self.held <= 8 * PROLOGUE_LIMIT, "{} held", self.held);
        let length = |message: &OwnedMessage| message.as_message().payload().len();
        let of_own: usize = said.to_server.iter().map(length).sum();
        assert!(
            self.adapter.is_ready() || of_own <= 2 * PROLOGUE_LIMIT,
            "{of_own} bytes said again"
        );
        answer
    }
}

/// Whether a client of Socket.IO emits that.
fn is_event(message: &OwnedMessage) -> bool {
    let payload = message.as_message().payload();
    matches!(message, OwnedMessage::Text(_))
        && (payload.starts_with(b"42") || payload.starts_with(b"45"))
}

//! [`Relay`]: the contract of the crate's front page, without sockets.

use std::collections::VecDeque;
use std::time::Duration;

use revoir_adapters::{
    Adapter, Applications, Fate, Handshake, Message, Outbox, OwnedMessage, Protocol, Unholdable,
};

/// A client and its server, and what lies between them.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) adapter: Box<dyn Adapter>,
    pub(crate) now: Duration,
    /// Whether a server is there.
    is_there: bool,
    kept: VecDeque<OwnedMessage>,
    /// Whether what had no answer is still to be said to the server.
    is_new: bool,
    /// Whether others have still to return: what the client said waits.
    pub(crate) is_gated: bool,
    /// On its way to the client.
    pub(crate) to_client: VecDeque<OwnedMessage>,
    /// On its way to the server.
    pub(crate) to_server: VecDeque<OwnedMessage>,
    /// Why the connection ended.
    pub(crate) ended: Option<Unholdable>,
}

impl Relay {
    /// Of an application that somebody vouches for.
    pub(crate) fn new(protocol: Protocol, query: &str) -> Self {
        Self::of(protocol, query, Applications::Known)
    }

    pub(crate) fn of(protocol: Protocol, query: &str, applications: Applications) -> Self {
        let handshake = Handshake {
            path: "/",
            query,
            subprotocol: None,
        };
        Self {
            adapter: protocol.adapter(&handshake, applications).unwrap(),
            now: Duration::from_secs(1000),
            is_there: true,
            kept: VecDeque::new(),
            is_new: false,
            is_gated: false,
            to_client: VecDeque::new(),
            to_server: VecDeque::new(),
            ended: None,
        }
    }

    pub(crate) fn client(&mut self, message: OwnedMessage) {
        let mut out = Outbox::default();
        if self.is_there && self.is_gated && self.adapter.is_ready() {
            let seen = message.as_message();
            let awaits = self.adapter.awaits_client();
            if !awaits || self.adapter.message_at_gate(self.now, seen, &mut out) == Fate::Pass {
                self.kept.push_back(message);
            }
        } else if self.is_there && self.adapter.is_ready() {
            let seen = message.as_message();
            let fate = self.adapter.message_from_client(self.now, seen, &mut out);
            match fate {
                Fate::Pass => self.to_server.push_back(message),
                Fate::Swallow => {}
                Fate::End(why) => self.ended = Some(why),
            }
        } else {
            let seen = message.as_message();
            match self.adapter.message_while_away(self.now, seen, &mut out) {
                Fate::Pass => self.kept.push_back(message),
                Fate::Swallow => {}
                Fate::End(why) => self.ended = Some(why),
            }
        }
        self.settle(out);
    }

    pub(crate) fn server(&mut self, message: OwnedMessage) {
        assert!(self.is_there);
        let mut out = Outbox::default();
        let seen = message.as_message();
        match self.adapter.message_from_server(self.now, seen, &mut out) {
            Fate::Pass => self.to_client.push_back(message),
            Fate::Swallow => {}
            Fate::End(why) => self.ended = Some(why),
        }
        self.settle(out);
    }

    /// The server is lost. What was on its way to it is lost, too.
    pub(crate) fn lose(&mut self) -> Result<(), Unholdable> {
        assert!(self.is_there);
        self.adapter.holdable()?;
        self.is_there = false;
        self.to_server.clear();
        let mut out = Outbox::default();
        self.adapter.server_gone(self.now, &mut out);
        self.settle(out);
        Ok(())
    }

    pub(crate) fn back(&mut self) {
        assert!(!self.is_there);
        (self.is_there, self.is_new) = (true, true);
        let mut out = Outbox::default();
        self.adapter.say_hello(self.now, &mut out);
        self.settle(out);
    }

    /// Time passes, with every timer on its way.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.adapter.poll_timeout().filter(|&at| at <= until) {
            self.now = self.now.max(at);
            let mut out = Outbox::default();
            self.adapter.handle_timeout(self.now, &mut out);
            let next = self.adapter.poll_timeout();
            assert!(next.is_none_or(|next| next > at), "a timer that stays");
            self.settle(out);
        }
        self.now = until;
    }

    fn settle(&mut self, out: Outbox) {
        self.to_client.extend(out.to_client);
        assert!(self.is_there || out.to_server.is_empty(), "said to nobody");
        self.to_server.extend(out.to_server);
        while self.is_there && self.adapter.is_ready() && !self.is_gated {
            if std::mem::take(&mut self.is_new) {
                let mut out = Outbox::default();
                self.adapter.say_unanswered(self.now, &mut out);
                self.to_client.extend(out.to_client);
                self.to_server.extend(out.to_server);
            }
            let Some(message) = self.kept.pop_front() else {
                break;
            };
            self.client(message);
        }
    }

    /// Others have returned.
    pub(crate) fn open_gate(&mut self) {
        self.is_gated = false;
        self.settle(Outbox::default());
    }

    pub(crate) fn client_says(&mut self, text: &str) {
        self.client(OwnedMessage::Text(text.into()));
    }

    pub(crate) fn server_says(&mut self, text: &str) {
        self.server(OwnedMessage::Text(text.into()));
    }

    /// What the client gets now; text only.
    pub(crate) fn client_gets(&mut self) -> Vec<String> {
        self.to_client.drain(..).map(|it| text(&it)).collect()
    }

    /// What the server gets now; text only.
    pub(crate) fn server_gets(&mut self) -> Vec<String> {
        self.to_server.drain(..).map(|it| text(&it)).collect()
    }

    /// Whether nothing of the client waits for a server.
    pub(crate) fn keeps_nothing(&self) -> bool {
        self.kept.is_empty()
    }

    /// Why the client could not be held now.
    pub(crate) fn unholdable(&self) -> Option<&'static str> {
        self.adapter.holdable().err().map(Unholdable::text)
    }
}

fn text(message: &OwnedMessage) -> String {
    match message.as_message() {
        Message::Text(text) => str::from_utf8(text).unwrap().to_owned(),
        Message::Binary(bytes) => format!("binary {bytes:?}"),
    }
}

//! [`ByteStream`]: a relay for protocols whose units lie across messages.

use std::time::Duration;

use revoir_adapters::{Fate, Message, Outbox, OwnedMessage, Protocol, Unholdable};

use crate::relay::Relay;

/// A client and its server, of which only the bytes count.
pub(crate) struct ByteStream {
    relay: Relay,
}

impl ByteStream {
    pub(crate) fn new(protocol: Protocol) -> Self {
        Self {
            relay: Relay::new(protocol, ""),
        }
    }

    /// The client sends one message.
    pub(crate) fn client(&mut self, bytes: &[u8]) {
        self.relay.client(OwnedMessage::Binary(bytes.to_vec()));
    }

    pub(crate) fn client_text(&mut self, text: &str) {
        self.relay.client(OwnedMessage::Text(text.into()));
    }

    /// The server sends one message.
    pub(crate) fn server(&mut self, bytes: &[u8]) {
        self.relay.server(OwnedMessage::Binary(bytes.to_vec()));
    }

    pub(crate) fn server_text(&mut self, text: &str) {
        self.relay.server(OwnedMessage::Text(text.into()));
    }

    pub(crate) fn lose(&mut self) {
        self.relay.lose().unwrap();
    }

    pub(crate) fn back(&mut self) {
        self.relay.back();
    }

    /// A server is exchanged in the middle of its greeting, and nobody is asked whether it may be.
    pub(crate) fn exchange_unasked(&mut self) {
        let (mut out, now) = (Outbox::default(), self.relay.now);
        self.relay.adapter.server_gone(now, &mut out);
        self.relay.adapter.say_hello(now, &mut out);
    }

    /// Others have still to return, or have.
    pub(crate) fn shut_gate(&mut self) {
        self.relay.is_gated = true;
    }

    pub(crate) fn open_gate(&mut self) {
        self.relay.open_gate();
    }

    /// What becomes of a message of the client while the server is away.
    pub(crate) fn fate_while_away(&mut self, bytes: &[u8]) -> Fate {
        let now = self.relay.now;
        let message = Message::Binary(bytes);
        let mut out = Outbox::default();
        self.relay
            .adapter
            .message_while_away(now, message, &mut out)
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.relay.pass(time);
    }

    /// What has come to the client since the last call.
    pub(crate) fn heard_by_client(&mut self) -> Vec<u8> {
        bytes(self.relay.to_client.drain(..))
    }

    /// What has come to the server since the last call.
    pub(crate) fn heard_by_server(&mut self) -> Vec<u8> {
        bytes(self.relay.to_server.drain(..))
    }

    #[track_caller]
    pub(crate) fn expect_client(&mut self, bytes: &[u8]) {
        let heard = self.heard_by_client();
        assert_eq!(shown(&heard), shown(bytes));
    }

    #[track_caller]
    pub(crate) fn expect_server(&mut self, bytes: &[u8]) {
        let heard = self.heard_by_server();
        assert_eq!(shown(&heard), shown(bytes));
    }

    /// How many messages the client has not taken, with their bytes or not.
    pub(crate) fn messages_to_client(&self) -> usize {
        self.relay.to_client.len()
    }

    /// Why the client may not be held, if it may not.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        self.relay.unholdable()
    }

    /// Whether it can never be held again.
    pub(crate) fn is_over(&self) -> bool {
        self.relay
            .adapter
            .holdable()
            .is_err_and(Unholdable::is_final)
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.relay.adapter.is_ready()
    }

    /// Why the connection ended, if it did.
    pub(crate) fn ended(&self) -> Option<&'static str> {
        self.relay.ended.map(Unholdable::text)
    }

    pub(crate) fn adapter(&self) -> &dyn revoir_adapters::Adapter {
        &*self.relay.adapter
    }
}

fn bytes(messages: impl Iterator<Item = OwnedMessage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        bytes.extend_from_slice(message.as_message().payload());
    }
    bytes
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

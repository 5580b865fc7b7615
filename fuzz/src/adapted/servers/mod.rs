//! [`Server`]: what an honest server answers, and what it knows of its client then. A second reading
//! of each protocol, as far as it matters for that.

mod cable;
mod graphql;
mod mqtt;
mod socket_io;
mod stomp;

use std::collections::{BTreeMap, VecDeque};

use revoir_adapters::{OwnedMessage, Protocol};

/// The server would close the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed;

/// What the client has subscribed to: how a server calls it, and all that was said of it.
pub(super) type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// One connection of a server.
#[derive(Debug)]
pub(super) struct Server {
    protocol: Protocol,
    /// What was said and has not arrived.
    pub(super) says: VecDeque<OwnedMessage>,
    state: State,
    /// Bytes of a unit whose end has not come.
    partial: Vec<u8>,
    is_greeted: bool,
    /// Binary messages that belong to the last packet (Socket.IO).
    attachments: u32,
    /// What a session knows when its connection is over (MQTT).
    session: Option<State>,
    is_v5: bool,
    is_session_kept: bool,
    /// Whether the client chose no name (MQTT).
    has_no_name: bool,
}

impl Server {
    pub(super) fn new(protocol: Protocol) -> Self {
        let mut server = Self::silent(protocol);
        server.comes();
        server
    }

    /// One that has said nothing yet.
    fn silent(protocol: Protocol) -> Self {
        Self {
            protocol,
            says: VecDeque::new(),
            state: State::new(),
            partial: Vec::new(),
            is_greeted: false,
            attachments: 0,
            session: None,
            is_v5: false,
            is_session_kept: false,
            has_no_name: false,
        }
    }

    /// Another one takes its place. `is_persistent`: it knows the sessions of this one.
    pub(super) fn goes(&mut self, is_persistent: bool) {
        let session = (is_persistent && self.is_session_kept && self.is_greeted)
            .then(|| std::mem::take(&mut self.state))
            .or(self
                .session
                .take()
                .filter(|_| is_persistent && !self.is_greeted));
        *self = Self {
            session,
            ..Self::silent(self.protocol)
        };
    }

    /// A connection begins.
    pub(super) fn comes(&mut self) {
        match self.protocol {
            Protocol::SocketIo => self.text(
                r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
            ),
            Protocol::ActionCable => self.text(r#"{"type":"welcome"}"#),
            _ => {}
        }
    }

    /// A message of the client.
    pub(super) fn hear(&mut self, message: &OwnedMessage) -> Result<(), Closed> {
        match (self.protocol, message) {
            (Protocol::SocketIo, message) => socket_io::hear(self, message),
            (Protocol::GraphqlTransportWs, message) => {
                graphql::hear(self, message.as_message().payload(), true)
            }
            (Protocol::GraphqlWs, message) => {
                graphql::hear(self, message.as_message().payload(), false)
            }
            (Protocol::Mqtt, OwnedMessage::Binary(bytes)) => {
                self.partial.extend_from_slice(bytes);
                mqtt::hear(self)
            }
            (Protocol::Stomp, message) => {
                self.partial
                    .extend_from_slice(message.as_message().payload());
                stomp::hear(self)
            }
            (Protocol::ActionCable, OwnedMessage::Text(text)) => cable::hear(self, text),
            _ => Err(Closed),
        }
    }

    pub(super) const fn state(&self) -> &State {
        &self.state
    }

    /// Whether the client has begun something that it has not ended.
    pub(super) const fn is_inside_unit(&self) -> bool {
        !self.partial.is_empty() || self.attachments > 0
    }

    fn text(&mut self, text: impl Into<Vec<u8>>) {
        self.says.push_back(OwnedMessage::Text(text.into()));
    }

    fn binary(&mut self, bytes: impl Into<Vec<u8>>) {
        self.says.push_back(OwnedMessage::Binary(bytes.into()));
    }
}

/// Whether what an adapter says is what a client might say: in whole units.
pub(super) fn is_whole(protocol: Protocol, message: &OwnedMessage) -> bool {
    let is_json =
        |bytes: &[u8]| serde_json::from_slice::<&serde_json::value::RawValue>(bytes).is_ok();
    match (protocol, message) {
        (Protocol::SocketIo, OwnedMessage::Text(text)) => {
            matches!(&text[..], b"3")
                || socket_io::Packet::read(text).is_some_and(|it| it.kind == b'0')
        }
        (Protocol::Mqtt, OwnedMessage::Binary(bytes)) => mqtt::Packet::first(bytes)
            .is_ok_and(|first| first.is_some_and(|(_, end)| end == bytes.len())),
        (Protocol::Stomp, OwnedMessage::Text(text)) => stomp::Frame::first(text)
            .is_ok_and(|first| first.is_some_and(|(_, end)| end == text.len())),
        (
            Protocol::GraphqlTransportWs | Protocol::GraphqlWs | Protocol::ActionCable,
            OwnedMessage::Text(text),
        ) => is_json(text),
        _ => false,
    }
}

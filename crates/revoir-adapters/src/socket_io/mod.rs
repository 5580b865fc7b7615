//! Socket.IO 5 over Engine.IO 4, on a WebSocket from the start.
//!
//! Said again: the CONNECT of each namespace, once Engine.IO's open packet has come. The answer is
//! *passed*: the client takes the new id and fires `connect` again, so that rooms which are joined
//! in its handler are joined again. A client may leave and enter namespaces meanwhile.
//!
//! That the handler has run is told by pongs. A ping follows the answer, and a second one its pong: a client on
//! `ws` for Node.js answers the first before its handler runs, if both came in one piece, and the second behind
//! everything that the handler said. What a handler says later, because it waits for something else, nobody knows of.
//!
//! A client that is connected already may take no notice of the answer: those of Python (`python-socketio` 5.18) and C++
//! (`socket.io-client-cpp` 3.1) do not, and their programs would not join their rooms again. They write their queries in
//! another order than the JavaScript client.
//!
//! Recorded from npm `socket.io` 4.8: its `close()` ends with an empty Close frame and says nothing
//! before; `disconnect(true)` sends DISCONNECT for each namespace, and then the same Close frame.
//! So an empty Close frame is a restart, unless no namespace is left.

mod heartbeat;
mod namespace;
mod packet;

use std::time::Duration;

use revoir_codes::CloseCode;

use crate::adapter::{Adapter, Fate, Unholdable, tells_restart};
use crate::applications::Applications;
use crate::message::{Message, Outbox};
use crate::socket_io::heartbeat::{Beat, Heartbeat, Pace};
use crate::socket_io::namespace::Namespaces;
use crate::socket_io::packet::{Kind, Packet};

const PING: &str = "2";
const PONG: &str = "3";

const TOO_MUCH: Unholdable = Unholdable::forever("too much is open");

/// The application decides what it says there, and may say something else to the next server: how far
/// it has read, or which session is its own.
const OTHER_AUTH: Unholdable =
    Unholdable::forever("the auth of a namespace has more than a token, and may have changed");

/// Its handler need not run again, and what it said there would be missing.
const DEAF: Unholdable =
    Unholdable::forever("the client emits, and may not notice that it is connected again");

const MISMATCH: Unholdable = Unholdable::forever("this is not Socket.IO 5");

/// Whether a query is that of a client of Engine.IO 4.
pub(crate) fn is_spoken(query: &str) -> bool {
    let has = |name: &str, wanted: &str| {
        form_urlencoded::parse(query.as_bytes()).any(|(key, value)| key == name && value == wanted)
    };
    has("EIO", "4") && has("transport", "websocket")
}

/// Whether a query may be that of the JavaScript client, which fires `connect` for every answer to a CONNECT: what its
/// application adds comes first, then EIO, and the transport is the last. Python's begins with the transport, and C++'s goes
/// on with the time.
fn is_of_javascript(query: &str) -> bool {
    let fields = form_urlencoded::parse(query.as_bytes());
    let names: Vec<_> = fields.map(|(name, _)| name).collect();
    names.ends_with(&["EIO".into(), "transport".into()])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The client's own server has not sent the open packet.
    Opening,
    /// A server is there, and what the client sends goes to it.
    Attached,
    /// No server.
    Away,
    /// A later server has not sent the open packet.
    Reopening,
    /// It has not answered every CONNECT.
    Greeting,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct SocketIo {
    phase: Phase,
    is_final: Option<Unholdable>,
    applications: Applications,
    /// Whether its program is told of every answer to a CONNECT.
    is_told_again: bool,
    /// Whether this is not the client's first server.
    is_replayed: bool,
    namespaces: Namespaces,
    heartbeat: Heartbeat,
    /// Attachments that the client has yet to send.
    of_client: u32,
    /// Whether they belong to a packet that was dropped.
    is_dropping: bool,
    /// Attachments that the server has yet to send.
    of_server: u32,
}

impl SocketIo {
    /// For a client that came with `query`.
    pub(crate) fn new(query: &str, applications: Applications) -> Result<Self, Unholdable> {
        let mut fields = form_urlencoded::parse(query.as_bytes());
        if fields.any(|(key, _)| key == "sid") {
            let text = "the session began by polling (sid= in the query)";
            return Err(Unholdable::forever(text));
        }
        if !is_spoken(query) {
            return Err(MISMATCH);
        }
        Ok(Self {
            phase: Phase::Opening,
            is_final: None,
            applications,
            is_told_again: is_of_javascript(query),
            is_replayed: false,
            namespaces: Namespaces::default(),
            heartbeat: Heartbeat::default(),
            of_client: 0,
            is_dropping: false,
            of_server: 0,
        })
    }

    /// From now on everything passes, and nothing is held. A server that is being greeted is left.
    fn give_up(&mut self, why: Unholdable) -> Fate {
        if !self.is_ready() {
            return Fate::End(why);
        }
        self.is_final = Some(why);
        self.namespaces = Namespaces::default();
        self.heartbeat = Heartbeat::default();
        Fate::Pass
    }

    fn attachment_of_client(&mut self) -> Fate {
        if self.of_client == 0 {
            return self.give_up(MISMATCH);
        }
        self.of_client -= 1;
        if self.is_dropping {
            self.is_dropping = self.of_client > 0;
            return Fate::Swallow;
        }
        Fate::Pass
    }

    fn packet_of_client(&mut self, packet: Packet<'_>) -> Fate {
        self.of_client = packet.attachments;
        let Packet {
            namespace: name,
            id,
            ..
        } = packet;
        let is_due = match (packet.kind, id) {
            (Kind::Connect, _) => {
                if self.applications == Applications::Unknown && !packet.has_only_credentials() {
                    return self.give_up(OTHER_AUTH);
                }
                if !self.namespaces.connect(name, packet.data) {
                    return self.give_up(TOO_MUCH);
                }
                true
            }
            // What crossed the old server's DISCONNECT. The new one would close the connection.
            _ if self.is_replayed && self.namespaces.get(name).is_none() => false,
            (Kind::Disconnect, _) => {
                self.namespaces.remove(name);
                true
            }
            (Kind::Event | Kind::BinaryEvent, _)
                if self.applications == Applications::Unknown && !self.is_told_again =>
            {
                return self.give_up(DEAF);
            }
            (Kind::Event | Kind::BinaryEvent, Some(id)) => {
                self.namespaces.await_ack(name, id);
                true
            }
            (Kind::Ack | Kind::BinaryAck, Some(id)) => self.namespaces.answered(name, id),
            (Kind::Event | Kind::BinaryEvent | Kind::Ack | Kind::BinaryAck, None) => true,
            (Kind::ConnectError, _) => return self.give_up(MISMATCH),
        };
        if !is_due {
            self.is_dropping = self.of_client > 0;
            return Fate::Swallow;
        }
        self.bounded()
    }

    fn open(&mut self, now: Duration, open: &[u8], out: &mut Outbox) -> Fate {
        let pace = Pace::parse(open);
        match (self.phase, pace) {
            (Phase::Opening, Some(pace)) => {
                self.heartbeat.opened(now, pace);
                self.phase = Phase::Attached;
                Fate::Pass
            }
            (Phase::Reopening, Some(pace)) => {
                self.heartbeat.reopened(pace);
                self.phase = Phase::Greeting;
                if !self.namespaces.say(out) {
                    return Fate::End(Unholdable::forever("a CONNECT cannot be said again"));
                }
                self.greeted(now, out);
                Fate::Swallow
            }
            (Phase::Opening | Phase::Reopening, None)
            | (Phase::Attached | Phase::Away | Phase::Greeting, _) => self.give_up(MISMATCH),
        }
    }

    /// Whether every CONNECT is answered now.
    fn greeted(&mut self, now: Duration, out: &mut Outbox) {
        if self.phase == Phase::Greeting && self.namespaces.are_connected() {
            self.phase = Phase::Attached;
            self.heartbeat.ready(now);
            out.text_to_client(PING);
        }
    }

    fn packet_of_server(&mut self, packet: Packet<'_>) -> Fate {
        self.of_server = packet.attachments;
        let name = packet.namespace;
        match packet.kind {
            Kind::Connect => {
                let private_id = packet.private_id();
                let Some(namespace) = self.namespaces.get(name) else {
                    let text = "a namespace was connected that nobody asked for";
                    return self.give_up(Unholdable::forever(text));
                };
                if !namespace.connected(private_id) {
                    return Fate::Swallow;
                }
            }
            Kind::ConnectError => {
                let namespace = self.namespaces.get(name);
                let is_said_again = self.phase == Phase::Greeting
                    && namespace.is_some_and(|namespace| !namespace.is_connected());
                if is_said_again {
                    return Fate::End(Unholdable::now("the backend refused a namespace"));
                }
                self.namespaces.remove(name);
            }
            Kind::Disconnect => self.namespaces.remove(name),
            Kind::Event | Kind::BinaryEvent => {
                let namespace = self.namespaces.get(name);
                if let Some(namespace) = namespace.filter(|namespace| namespace.is_recoverable())
                    && let Some(offset) = packet.offset()
                {
                    namespace.set_offset(offset);
                }
                if packet.id.is_some_and(|id| !self.namespaces.ask(name, id)) {
                    let text = "an ack for the old backend would reach the new one";
                    return Fate::End(Unholdable::now(text));
                }
            }
            Kind::Ack | Kind::BinaryAck => {
                if let Some(id) = packet.id {
                    self.namespaces.acked(name, id);
                }
            }
        }
        self.bounded()
    }

    /// The client answered a ping, and may have to answer a second one.
    fn pong(&mut self, now: Duration, out: &mut Outbox) -> Beat {
        let beat = self.heartbeat.pong();
        if self.heartbeat.asks_again(now) {
            out.text_to_client(PING);
        }
        beat
    }

    /// Passes what was written down, unless that has become too much.
    fn bounded(&mut self) -> Fate {
        if self.namespaces.is_too_much_open() {
            return self.give_up(TOO_MUCH);
        }
        Fate::Pass
    }
}

impl Adapter for SocketIo {
    fn message_from_client(
        &mut self,
        now: Duration,
        message: Message<'_>,
        out: &mut Outbox,
    ) -> Fate {
        if self.is_final.is_some() {
            return Fate::Pass;
        }
        let Message::Text(text) = message else {
            return self.attachment_of_client();
        };
        match text {
            [b'1'] => self.give_up(Unholdable::forever("the client closes the session")),
            [b'3'] => match self.pong(now, out) {
                Beat::Pass => Fate::Pass,
                Beat::Swallow | Beat::Answer => Fate::Swallow,
            },
            [b'4', packet @ ..] => match Packet::parse(packet) {
                Some(packet) if self.of_client == 0 => self.packet_of_client(packet),
                Some(_) | None => self.give_up(MISMATCH),
            },
            _ => self.give_up(MISMATCH),
        }
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
        let Message::Text(text) = message else {
            if self.of_server == 0 {
                return self.give_up(MISMATCH);
            }
            self.of_server -= 1;
            return Fate::Pass;
        };
        let fate = match text {
            [b'0', open @ ..] => return self.open(now, open, out),
            _ if matches!(self.phase, Phase::Opening | Phase::Reopening) => self.give_up(MISMATCH),
            [b'1'] => self.give_up(Unholdable::forever("the backend closes the session")),
            [b'2'] => match self.heartbeat.ping(now, self.is_ready()) {
                Beat::Pass => Fate::Pass,
                Beat::Swallow => Fate::Swallow,
                Beat::Answer => {
                    out.text_to_server(PONG);
                    Fate::Swallow
                }
            },
            [b'4', packet @ ..] => match Packet::parse(packet) {
                Some(packet) if self.of_server == 0 => self.packet_of_server(packet),
                Some(_) | None => self.give_up(MISMATCH),
            },
            // Engine.IO's noop.
            [b'6'] => Fate::Pass,
            _ => self.give_up(MISMATCH),
        };
        self.greeted(now, out);
        fate
    }

    fn message_while_away(
        &mut self,
        _now: Duration,
        message: Message<'_>,
        _out: &mut Outbox,
    ) -> Fate {
        let Message::Text(text) = message else {
            return Fate::Pass;
        };
        match text {
            [b'3'] => {
                self.heartbeat.late_pong();
                return Fate::Swallow;
            }
            [b'4', packet @ ..] => {
                if let Some(packet) = Packet::parse(packet)
                    && packet.kind == Kind::Disconnect
                    && let Some(namespace) = self.namespaces.get(packet.namespace)
                {
                    namespace.leave();
                }
            }
            _ => {}
        }
        Fate::Pass
    }

    fn message_at_gate(&mut self, now: Duration, message: Message<'_>, out: &mut Outbox) -> Fate {
        if message != Message::Text(PONG.as_bytes()) {
            return Fate::Pass;
        }
        // It is not to wait: the server would miss it.
        if self.pong(now, out) == Beat::Pass {
            out.text_to_server(PONG);
        }
        Fate::Swallow
    }

    fn holdable(&self) -> Result<(), Unholdable> {
        if let Some(why) = self.is_final {
            return Err(why);
        }
        if self.phase == Phase::Opening {
            return Err(Unholdable::now("the hello is not over"));
        }
        if self.of_client > 0 || self.of_server > 0 {
            return Err(Unholdable::now("an attachment is missing"));
        }
        self.namespaces.holdable()
    }

    fn is_restart(&self, code: CloseCode, _reason: &[u8]) -> bool {
        code == CloseCode::NO_STATUS_RCVD || tells_restart(code)
    }

    fn awaits_client(&self) -> bool {
        self.heartbeat.is_awaited()
    }

    fn server_gone(&mut self, now: Duration, _out: &mut Outbox) {
        self.phase = Phase::Away;
        self.namespaces.server_gone();
        self.heartbeat.server_gone(now);
    }

    fn say_hello(&mut self, _now: Duration, _out: &mut Outbox) {
        self.phase = Phase::Reopening;
        self.is_replayed = true;
    }

    fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Attached)
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.heartbeat.next()
    }

    fn handle_timeout(&mut self, now: Duration, out: &mut Outbox) {
        if self.poll_timeout().is_some_and(|next| next <= now) {
            self.heartbeat.beat(now);
            out.text_to_client(PING);
        }
    }

    fn memory(&self) -> usize {
        self.namespaces.memory()
    }
}

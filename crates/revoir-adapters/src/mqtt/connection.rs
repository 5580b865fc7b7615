//! [`Mqtt`]: what is known of a connection.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use crate::adapter::{PROLOGUE_LIMIT, Unholdable};
use crate::applications::Applications;
use crate::message::{Outbox, OwnedMessage};
use crate::mqtt::hello::{Connack, Connect};
use crate::mqtt::packet::{Packet, Packets, kind};
use crate::mqtt::requests::Requests;
use crate::mqtt::subscriptions::{Expected, Subscriptions};
use crate::stream::{Stream, Unit, Verdict};

pub(super) const PINGRESP: [u8; 2] = [0xd0, 0];

/// The server says so in a DISCONNECT: it restarts. Every other reason means this client.
pub(super) const SERVER_SHUTTING_DOWN: u8 = 0x8b;

pub(super) const NOT_MQTT: Unholdable = Unholdable::forever("not MQTT 3.1.1 or 5");
pub(super) const TOO_LONG: Unholdable = Unholdable::forever("a packet is too long");
pub(super) const TOO_MUCH: &str = "there is too much to say again";
pub(super) const IN_STEPS: Unholdable =
    Unholdable::forever("the client authenticates in several steps");
pub(super) const PUBLISHES: Unholdable =
    Unholdable::forever("the client publishes, and may have to again when it connects");
pub(super) const HAS_WILL: Unholdable =
    Unholdable::forever("the client has a will, and may have to take it back when it connects");
pub(super) const OTHER_TERMS: Unholdable =
    Unholdable::now("the server grants something else than before");

/// How far the connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// CONNECT, or the first CONNACK, is to come.
    Opening,
    Open,
    /// The client said DISCONNECT.
    Left,
    /// The server is gone.
    Away,
    /// CONNECT was said again. `is_session_whole`: before that.
    Connecting {
        is_session_whole: bool,
    },
    /// The subscriptions were said again; these answers are to come.
    Subscribing {
        expected: Vec<Expected>,
        is_session_present: bool,
    },
}

/// Whether a server had the client's session when it was greeted.
pub(super) type IsSessionPresent = bool;

/// A connection.
pub(crate) struct Mqtt {
    pub(super) phase: Phase,
    /// Why it is not looked at any more.
    pub(super) over: Option<Unholdable>,
    pub(super) applications: Applications,
    pub(super) connect: Option<Connect>,
    pub(super) connack: Option<Connack>,
    pub(super) subscriptions: Subscriptions,
    /// Whether a session that a server has is known to have all of them: one that goes in the
    /// middle of a replay may have begun it anew.
    pub(super) is_session_whole: bool,
    pub(super) requests: Requests,
    /// The hello was said again to a server that has this of the session, and what was published and not
    /// answered is to be said.
    pub(super) unanswered: Option<IsSessionPresent>,
    /// Messages of quality of service 2 that are on their way, from either side.
    pub(super) exactly_once: [BTreeSet<u16>; 2],
    /// Messages of the server that the client has not acknowledged.
    pub(super) unacknowledged: VecDeque<u16>,
    /// The same, of servers that are gone: nobody waits for these any more.
    pub(super) late: VecDeque<u16>,
    /// PINGREQs that the server has not answered.
    pub(super) pings: usize,
    /// The server said that it restarts.
    pub(super) is_restarting: bool,
    /// The client has the start of a packet, and its end cannot come.
    pub(super) is_torn: bool,
    pub(super) from_client: Stream<Packets>,
    pub(super) from_server: Stream<Packets>,
    pub(super) away: Away,
}

/// What the client sent while there was no server. It is kept by the relay, and comes again.
#[derive(Default)]
pub(super) struct Away {
    pub(super) stream: Stream<Packets>,
    /// PINGREQs that were answered, and go no further.
    pub(super) pings: usize,
    /// Acknowledgements of late messages.
    pub(super) acknowledged: usize,
}

/// From which side a message of quality of service 2 comes.
pub(super) const CLIENT: usize = 0;
pub(super) const SERVER: usize = 1;

impl fmt::Debug for Mqtt {
    /// Without what may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mqtt")
            .field("phase", &self.phase)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

impl Mqtt {
    pub(crate) fn new(applications: Applications) -> Self {
        Self {
            phase: Phase::Opening,
            over: None,
            applications,
            connect: None,
            connack: None,
            subscriptions: Subscriptions::default(),
            is_session_whole: true,
            requests: Requests::default(),
            unanswered: None,
            exactly_once: [BTreeSet::new(), BTreeSet::new()],
            unacknowledged: VecDeque::new(),
            late: VecDeque::new(),
            pings: 0,
            is_restarting: false,
            is_torn: false,
            from_client: Stream::default(),
            from_server: Stream::default(),
            away: Away::default(),
        }
    }

    pub(super) fn is_v5(&self) -> bool {
        self.connect.as_ref().is_some_and(|connect| connect.is_v5)
    }

    /// From here on everything passes.
    pub(super) fn give_up(&mut self, why: Unholdable) -> Verdict {
        self.over = Some(why);
        Verdict::GiveUp
    }

    /// What was kept of both directions goes on, and nothing is remembered.
    pub(super) fn forget(&mut self, why: Unholdable, out: &mut Outbox) {
        self.publish_again(out);
        for (mut stream, say) in [
            (std::mem::take(&mut self.from_client), &mut out.to_server),
            (std::mem::take(&mut self.from_server), &mut out.to_client),
        ] {
            let kept = stream.take_kept();
            if !kept.is_empty() {
                say.push(OwnedMessage::Binary(kept));
            }
        }
        *self = Self {
            over: Some(why),
            ..Self::new(self.applications)
        };
    }

    /// The hello is over but for what the last server has not answered of it.
    pub(super) fn finish(&mut self, is_session_present: IsSessionPresent, out: &mut Outbox) {
        for packet in self.requests.asked_again() {
            out.binary_to_server(packet);
        }
        self.unanswered = Some(is_session_present);
        self.away.stream = Stream::default();
        self.is_session_whole = true;
        self.phase = Phase::Open;
    }

    /// What was published and not answered is said again, once to each server.
    pub(super) fn publish_again(&mut self, out: &mut Outbox) {
        if let Some(is_session_present) = self.unanswered.take() {
            for packet in self.requests.published_again(is_session_present) {
                out.binary_to_server(packet);
            }
        }
    }

    pub(super) fn end_flow(&mut self, from: usize, id: u16) {
        self.exactly_once[from].remove(&id);
    }

    /// Whether what is under way could go on with another server.
    pub(super) fn can_go_on(&self) -> Result<(), Unholdable> {
        if self.exactly_once.iter().any(|flows| !flows.is_empty()) {
            return Err(Unholdable::now("a message of QoS 2 is on its way"));
        }
        if self.is_torn || self.from_client.is_in_parts() || self.from_server.is_in_parts() {
            return Err(Unholdable::now("a long packet is half forwarded"));
        }
        if !self.requests.are_kept() || self.prologue() > PROLOGUE_LIMIT {
            return Err(Unholdable::now(TOO_MUCH));
        }
        let connect = self.connect.as_ref();
        if connect.is_some_and(|connect| connect.has_receive_maximum)
            && self.late.len() > self.away.acknowledged
        {
            // A new server does not know of them, and would send too many more.
            return Err(Unholdable::now(
                "messages of the last server are not acknowledged",
            ));
        }
        Ok(())
    }

    /// How long all that is said again is.
    pub(super) fn prologue(&self) -> usize {
        self.connect.as_ref().map_or(0, Connect::memory)
            + self.subscriptions.memory()
            + self.requests.length()
    }

    /// After a message: an end that came with it, and the limit of what is remembered.
    pub(super) fn after(&mut self, out: &mut Outbox) {
        let lasting = self.prologue() - self.requests.length();
        if let Some(why) = self.over {
            self.forget(why, out);
        } else if lasting > PROLOGUE_LIMIT {
            self.forget(Unholdable::forever(TOO_MUCH), out);
        }
    }
}

/// Removes the first `id`.
pub(super) fn remove(ids: &mut VecDeque<u16>, id: u16) -> bool {
    let at = ids.iter().position(|&known| known == id);
    at.map(|at| ids.remove(at)).is_some()
}

/// The packet that `unit` is, and whether it is there whole: of what is too long to be kept, only
/// messages are looked at.
pub(super) fn packet_of(unit: Unit<'_>) -> Result<(Packet<'_>, bool), Unholdable> {
    let (bytes, is_whole) = match unit {
        Unit::Whole(bytes) => (bytes, true),
        Unit::Start(bytes) => (bytes, false),
        Unit::Malformed => return Err(NOT_MQTT),
    };
    match Packet::new(bytes) {
        Some(packet) if is_whole || packet.kind() == kind::PUBLISH => Ok((packet, is_whole)),
        _ => Err(TOO_LONG),
    }
}

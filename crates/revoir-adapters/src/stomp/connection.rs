//! [`Stomp`]: what is known of a connection.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::adapter::{PROLOGUE_LIMIT, Unholdable};
use crate::applications::Applications;
use crate::message::{Outbox, OwnedMessage};
use crate::stomp::deliveries::Deliveries;
use crate::stomp::frame::Frames;
use crate::stream::{Stream, Verdict};

/// Receipts and transactions that one connection may have open.
pub(super) const OPEN_LIMIT: usize = 4096;

/// A server that is there is stood in for as if it had agreed to this at least: a timer is not a busy loop.
const SHORTEST_BEAT: Duration = Duration::from_secs(1);

/// How long a server that is there, and silent, is stood in for: as long as a relay keeps it.
const STOOD_IN: Duration = Duration::from_secs(66);

pub(super) const NOT_STOMP: Unholdable = Unholdable::forever("not STOMP 1.1 or 1.2");
pub(super) const TOO_MUCH: Unholdable = Unholdable::forever("there is too much to say again");
pub(super) const TOO_MANY: Unholdable = Unholdable::forever("too much is under way");
pub(super) const TEMPORARY: Unholdable = Unholdable::forever("the client uses a temporary queue");
pub(super) const SENDS: Unholdable =
    Unholdable::forever("the client sends, and may have to again when it connects");
pub(super) const REFUSED: Unholdable = Unholdable::now("the server refuses the hello");

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// CONNECT, or the first CONNECTED, is to come.
    Opening,
    Open,
    /// The client said DISCONNECT.
    Left,
    /// The server is gone.
    Away,
    /// CONNECT was said again.
    Connecting,
    /// The subscriptions were said again; so many receipts are to come.
    Subscribing(usize),
}

/// What CONNECTED settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) version: Vec<u8>,
    pub(super) heart_beat: Vec<u8>,
}

pub(super) struct Subscription {
    pub(super) id: Vec<u8>,
    /// Whether the client acknowledges messages, and whether one acknowledges those before it.
    pub(super) is_acknowledged: bool,
    pub(super) is_cumulative: bool,
    /// SUBSCRIBE, as the client sent it.
    pub(super) frame: Vec<u8>,
}

/// A connection.
pub(crate) struct Stomp {
    pub(super) phase: Phase,
    /// Why it is not looked at any more.
    pub(super) over: Option<Unholdable>,
    pub(super) applications: Applications,
    /// CONNECT or STOMP, as the client sent it.
    pub(super) connect: Vec<u8>,
    pub(super) terms: Option<Terms>,
    /// How often the server is to be heard, if at all.
    pub(super) heart_beat: Option<Duration>,
    /// When the client is to hear one in the place of a server that is not there.
    pub(super) next_beat: Option<Duration>,
    /// When the server that is there was last heard, and the client heard one in its place.
    pub(super) heard: Duration,
    pub(super) stood_in: Option<Duration>,
    pub(super) subscriptions: Vec<Subscription>,
    /// Open transactions, and whether they have acknowledgements.
    pub(super) transactions: BTreeMap<Vec<u8>, bool>,
    pub(super) receipts: BTreeSet<Vec<u8>>,
    pub(super) deliveries: Deliveries,
    /// The client has the start of a frame, and its end cannot come.
    pub(super) is_torn: bool,
    pub(super) from_client: Stream<Frames>,
    pub(super) from_server: Stream<Frames>,
    /// What the client sends while there is no server.
    pub(super) while_away: Stream<Frames>,
}

impl fmt::Debug for Stomp {
    /// Without what may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stomp")
            .field("phase", &self.phase)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

impl Stomp {
    pub(crate) fn new(applications: Applications) -> Self {
        Self {
            phase: Phase::Opening,
            over: None,
            applications,
            connect: Vec::new(),
            terms: None,
            heart_beat: None,
            next_beat: None,
            heard: Duration::ZERO,
            stood_in: None,
            subscriptions: Vec::new(),
            transactions: BTreeMap::new(),
            receipts: BTreeSet::new(),
            deliveries: Deliveries::default(),
            is_torn: false,
            from_client: Stream::default(),
            from_server: Stream::default(),
            while_away: Stream::default(),
        }
    }

    /// From here on everything passes.
    pub(super) fn give_up(&mut self, why: Unholdable) -> Verdict {
        self.over = Some(why);
        Verdict::GiveUp
    }

    /// What was kept of both directions goes on, and nothing is remembered.
    pub(super) fn forget(&mut self, why: Unholdable, out: &mut Outbox) {
        let mut client = std::mem::take(&mut self.from_client);
        let mut server = std::mem::take(&mut self.from_server);
        for (kept, say) in [
            (client.take_kept(), &mut out.to_server),
            (server.take_kept(), &mut out.to_client),
        ] {
            if !kept.is_empty() {
                // Half a character may be at its end, which no text message may have.
                say.push(match std::str::from_utf8(&kept) {
                    Ok(_) => OwnedMessage::Text(kept),
                    Err(_) => OwnedMessage::Binary(kept),
                });
            }
        }
        *self = Self {
            over: Some(why),
            ..Self::new(self.applications)
        };
    }

    pub(super) fn subscribing(&mut self, left: usize) {
        self.phase = Phase::Subscribing(left);
        if left == 0 {
            self.open_again();
        }
    }

    pub(super) fn open_again(&mut self) {
        self.phase = Phase::Open;
        self.next_beat = None;
        self.while_away = Stream::default();
    }

    /// When the client is to hear a heartbeat in the place of a server that is there, and late.
    pub(super) fn late(&self) -> Option<Duration> {
        let is_between = !self.from_server.is_in_parts();
        let every = self
            .heart_beat
            .filter(|_| self.phase == Phase::Open && is_between)?;
        let every = every.max(SHORTEST_BEAT);
        let late = match self.stood_in {
            Some(last) => last + every / 2,
            None => self.heard + every,
        };
        (late <= self.heard + STOOD_IN.max(every)).then_some(late)
    }

    /// Whether what is under way could go on with another server.
    pub(super) fn can_go_on(&self) -> Result<(), Unholdable> {
        let text = if !self.transactions.is_empty() {
            "a transaction is open"
        } else if !self.receipts.is_empty() {
            "the client awaits a receipt"
        } else if !self.deliveries.is_empty() {
            "a message is not acknowledged"
        } else if self.is_torn || self.from_client.is_in_parts() || self.from_server.is_in_parts() {
            "a long frame is half forwarded"
        } else {
            return Ok(());
        };
        Err(Unholdable::now(text))
    }

    /// How long all that is said again is.
    pub(super) fn prologue(&self) -> usize {
        let each = |known: &Subscription| known.frame.len();
        self.connect.len() + self.subscriptions.iter().map(each).sum::<usize>()
    }

    /// After a message: an end that came with it, and the limit of what is remembered.
    pub(super) fn after(&mut self, out: &mut Outbox) {
        if let Some(why) = self.over {
            self.forget(why, out);
        } else if self.prologue() > PROLOGUE_LIMIT {
            self.forget(TOO_MUCH, out);
        }
    }
}

/// A line end between frames.
pub(super) fn is_beat(bytes: &[u8]) -> bool {
    matches!(bytes, b"\n" | b"\r\n")
}

/// Both numbers of a `heart-beat`, in milliseconds; 0: none.
pub(super) fn beats(header: &[u8]) -> (u32, u32) {
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let text = std::str::from_utf8(header).unwrap_or_default();
    let mut numbers = text.split(',');
    (number(numbers.next()), number(numbers.next()))
}

/// Whether one of both begins with the other.
pub(super) fn begin_alike(word: &str, bytes: &[u8]) -> bool {
    word.bytes().zip(bytes).all(|(a, b)| a == *b)
}

/// Whether a queue goes with the connection.
pub(super) fn is_temporary(destination: &[u8]) -> bool {
    let prefixes = ["/temp-queue/", "/temp-topic/", "/reply-queue/"];
    prefixes
        .iter()
        .any(|prefix| destination.starts_with(prefix.as_bytes()))
}

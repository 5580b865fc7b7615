//! Action Cable of Rails, `actioncable-v1-json`.
//!
//! Said again, after the server's `welcome`, which the client has had: every `subscribe`. The
//! answer, `confirm_subscription`, is passed: the client fires `connected` again, so that what a
//! channel was told in its handler is told to the new server. What a channel was told elsewhere is
//! not known to any server after a restart, with or without a gateway. Clients answer no ping, so that nothing
//! tells that the handler has run: a second is waited for it.
//!
//! A server that is frozen pings nobody, and its clients would give up after 6 s, to come back to the same
//! server. The adapter pings in its place for a minute, as long as a relay keeps such a server: what is
//! written to it, it reads later.
//!
//! Recorded from Rails 6.1 and npm `@rails/actioncable` 8: a server that ends breaks its
//! connections without a word; `ActionCable.server.restart` says `disconnect` with the reason
//! `server_restart`.

use std::fmt;
use std::time::Duration;

use revoir_codes::CloseCode;
use serde::Deserialize;

use crate::adapter::{Adapter, Fate, PROLOGUE_LIMIT, Unholdable, tells_restart};
use crate::message::{Message, Outbox};

/// How often a server pings. Clients give up after twice as long.
const PING_INTERVAL: Duration = Duration::from_secs(3);

/// A server that is there, and has pinged, is stood in for when its ping is so late.
const LATE: Duration = Duration::from_millis(4500);

/// How often in a row: for a minute.
const MOST_STOOD_IN: u8 = 15;

/// How long a client may take to say by itself what its new server has to know: a round trip, and what a busy
/// program needs.
const CLIENTS_TURN: Duration = Duration::from_secs(1);

const OTHER: Unholdable = Unholdable::forever("this is not actioncable-v1-json");
const TOO_MUCH: Unholdable = Unholdable::forever("there is too much to say again");
const REFUSED: Unholdable = Unholdable::now("the server refuses a subscription");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// `welcome` is to come.
    Opening,
    Attached,
    /// No server.
    Away,
    /// A later server has not said `welcome`.
    Greeting,
    /// It has not answered what was said again.
    Subscribing,
}

/// A channel that the client asked for.
struct Subscription {
    identifier: String,
    /// The client's message.
    said: Vec<u8>,
    /// Whether the client knows that it has it.
    is_confirmed: bool,
    /// Whether it was said again, and the answer is to come.
    is_due: bool,
}

/// One connection.
pub(crate) struct ActionCable {
    phase: Phase,
    over: Option<Unholdable>,
    subscriptions: Vec<Subscription>,
    /// The server said that it restarts.
    is_restarting: bool,
    /// The last ping of a server: its time is of no use, and clients do not look at it.
    ping: Vec<u8>,
    /// When the client is pinged in the place of a server that is not there.
    next_ping: Option<Duration>,
    /// When the client was pinged last, if its server pings at all.
    pinged: Option<Duration>,
    /// How often in a row the adapter has pinged in place of a server that is there.
    stood_in: u8,
    /// Until when the client may be about to say what its new server has to know.
    clients_turn: Option<Duration>,
}

#[derive(Deserialize)]
struct Command {
    command: String,
    identifier: String,
}

#[derive(Deserialize)]
struct Said {
    #[serde(rename = "type")]
    kind: Option<String>,
    identifier: Option<String>,
    reason: Option<String>,
}

impl fmt::Debug for ActionCable {
    /// Without what may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionCable")
            .field("phase", &self.phase)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

impl ActionCable {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Opening,
            over: None,
            subscriptions: Vec::new(),
            is_restarting: false,
            ping: br#"{"type":"ping","message":0}"#.to_vec(),
            next_ping: None,
            pinged: None,
            stood_in: 0,
            clients_turn: None,
        }
    }

    /// From now on everything passes, and nothing is held. A server that is being greeted is left.
    fn give_up(&mut self, why: Unholdable) -> Fate {
        if !self.is_ready() {
            return Fate::End(why);
        }
        *self = Self {
            over: Some(why),
            ..Self::new()
        };
        Fate::Pass
    }

    fn subscription(&mut self, identifier: &str) -> Option<&mut Subscription> {
        let mut all = self.subscriptions.iter_mut();
        all.find(|known| known.identifier == identifier)
    }

    fn forget(&mut self, identifier: &str) {
        self.subscriptions
            .retain(|known| known.identifier != identifier);
    }

    fn size(&self) -> usize {
        let each = |known: &Subscription| known.said.len() + known.identifier.len();
        self.subscriptions.iter().map(each).sum()
    }

    fn welcome(&mut self, now: Duration, out: &mut Outbox) -> Fate {
        match self.phase {
            Phase::Opening => {
                self.phase = Phase::Attached;
                Fate::Pass
            }
            Phase::Greeting => {
                for known in &mut self.subscriptions {
                    out.text_to_server(known.said.clone());
                    known.is_due = known.is_confirmed;
                }
                self.phase = Phase::Subscribing;
                self.look_for_end(now);
                Fate::Swallow
            }
            Phase::Attached | Phase::Away | Phase::Subscribing => self.give_up(OTHER),
        }
    }

    /// The replay is over once everything is answered that the client had an answer to.
    fn look_for_end(&mut self, now: Duration) {
        if self.phase == Phase::Subscribing && self.subscriptions.iter().all(|it| !it.is_due) {
            self.phase = Phase::Attached;
            self.next_ping = None;
            let is_told = self.subscriptions.iter().any(|it| it.is_confirmed);
            self.clients_turn = is_told.then_some(now + CLIENTS_TURN);
        }
    }

    /// When the client is pinged in the place of a server that is there, and late.
    fn late(&self) -> Option<Duration> {
        let stands_in = self.phase == Phase::Attached && self.stood_in < MOST_STOOD_IN;
        self.pinged.filter(|_| stands_in).map(|at| at + LATE)
    }

    fn confirmed(&mut self, now: Duration, identifier: &str) -> Fate {
        if let Some(known) = self.subscription(identifier) {
            known.is_confirmed = true;
            known.is_due = false;
        }
        self.look_for_end(now);
        Fate::Pass
    }

    fn rejected(&mut self, identifier: &str) -> Fate {
        if self.subscription(identifier).is_some_and(|it| it.is_due) {
            return Fate::End(REFUSED);
        }
        self.forget(identifier);
        Fate::Pass
    }

    /// The server closes the connection, and says why.
    fn disconnect(&mut self, reason: &str) -> Fate {
        if reason == "server_restart" && self.holdable().is_ok() {
            self.is_restarting = true;
            return Fate::Swallow;
        }
        self.give_up(Unholdable::forever("the server said goodbye to the client"))
    }
}

impl Adapter for ActionCable {
    fn message_from_client(
        &mut self,
        _now: Duration,
        message: Message<'_>,
        _out: &mut Outbox,
    ) -> Fate {
        if self.over.is_some() {
            return Fate::Pass;
        }
        let (Message::Text(text), Phase::Attached | Phase::Opening) = (message, self.phase) else {
            return self.give_up(OTHER);
        };
        let Ok(Command {
            command,
            identifier,
        }) = serde_json::from_slice(text)
        else {
            return self.give_up(OTHER);
        };
        match &*command {
            "subscribe" if self.subscription(&identifier).is_none() => {
                self.subscriptions.push(Subscription {
                    identifier,
                    said: text.to_vec(),
                    is_confirmed: false,
                    is_due: false,
                });
            }
            "unsubscribe" => self.forget(&identifier),
            // A second `subscribe` changes nothing, and `message` awaits no answer.
            "subscribe" | "message" => {}
            _ => return self.give_up(OTHER),
        }
        if self.size() > PROLOGUE_LIMIT {
            return self.give_up(TOO_MUCH);
        }
        Fate::Pass
    }

    fn message_from_server(
        &mut self,
        now: Duration,
        message: Message<'_>,
        out: &mut Outbox,
    ) -> Fate {
        if self.over.is_some() {
            return Fate::Pass;
        }
        let Message::Text(text) = message else {
            return self.give_up(OTHER);
        };
        let Ok(Said {
            kind,
            identifier,
            reason,
        }) = serde_json::from_slice(text)
        else {
            return self.give_up(OTHER);
        };
        let identifier = identifier.as_deref();
        match (kind.as_deref(), identifier) {
            (Some("welcome"), _) => self.welcome(now, out),
            (Some("disconnect"), _) => self.disconnect(reason.as_deref().unwrap_or_default()),
            _ if matches!(self.phase, Phase::Opening | Phase::Greeting) => self.give_up(OTHER),
            (Some("confirm_subscription"), Some(identifier)) => self.confirmed(now, identifier),
            (Some("reject_subscription"), Some(identifier)) => self.rejected(identifier),
            (Some("ping"), _) => {
                if text.len() < 100 {
                    self.ping = text.to_vec();
                }
                (self.pinged, self.stood_in) = (Some(now), 0);
                Fate::Pass
            }
            // What a channel says.
            (None, Some(_)) => Fate::Pass,
            _ => self.give_up(OTHER),
        }
    }

    fn message_while_away(
        &mut self,
        _now: Duration,
        _message: Message<'_>,
        _out: &mut Outbox,
    ) -> Fate {
        Fate::Pass
    }

    fn holdable(&self) -> Result<(), Unholdable> {
        match (self.over, self.phase) {
            (Some(why), _) => Err(why),
            (None, Phase::Opening) => Err(Unholdable::now("welcome has not come")),
            (None, _) => Ok(()),
        }
    }

    fn is_restart(&self, code: CloseCode, _reason: &[u8]) -> bool {
        self.is_restarting || tells_restart(code)
    }

    fn awaits_client(&self) -> bool {
        self.clients_turn.is_some()
    }

    fn server_gone(&mut self, now: Duration, _out: &mut Outbox) {
        if self.is_ready() {
            self.next_ping = Some(now + PING_INTERVAL / 2);
        }
        (self.is_restarting, self.stood_in, self.clients_turn) = (false, 0, None);
        self.phase = Phase::Away;
    }

    fn say_hello(&mut self, _now: Duration, _out: &mut Outbox) {
        self.phase = Phase::Greeting;
    }

    fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Attached)
    }

    fn poll_timeout(&self) -> Option<Duration> {
        let pings = self.next_ping.or_else(|| self.late());
        pings.into_iter().chain(self.clients_turn).min()
    }

    fn handle_timeout(&mut self, now: Duration, out: &mut Outbox) {
        let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        if is_due(self.clients_turn) {
            self.clients_turn = None;
        }
        if is_due(self.next_ping) {
            self.next_ping = Some(now + PING_INTERVAL);
        } else if self.next_ping.is_none() && is_due(self.late()) {
            self.stood_in += 1;
        } else {
            return;
        }
        self.pinged = self.pinged.map(|_| now);
        out.text_to_client(self.ping.clone());
    }

    fn memory(&self) -> usize {
        let each = size_of::<Subscription>();
        self.ping.len() + self.size() + self.subscriptions.len() * each
    }
}

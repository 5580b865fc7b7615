//! [`Session`]: one end of a session as a value.

mod application;
mod client;
mod ending;
mod input;
mod line;
mod output;
mod poison;
mod quarantine;
mod server;
mod timers;
mod transfer;

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::Config;
use crate::event::{Ended, Event};
use crate::key::{Key, SessionId};
use crate::receiving::Receiving;
use crate::role::Role;
use crate::sending::Sending;
use crate::wire::{Bye, Token};
use line::Line;
use poison::Suspicion;

pub use application::SendError;
pub use line::ConnectionId;
pub use output::{Outgoing, Transmit};
pub use poison::{POISON_CODES, POISON_WINDOW};
pub use server::{Fresh, Grant, Judgement, judge};
pub use timers::{HEARTBEAT_GRACE, OPENING_LIMIT, PROBE_LIMIT};

/// One end of a session, which outlives its connections.
///
/// The crate's front page states the contract with its driver.
#[derive(Clone, Debug)]
pub struct Session {
    config: Config,
    role: Role,
    id: SessionId,
    /// Of the connection that the server welcomed last.
    generation: u64,
    /// Server: the generation whose WELCOME the client is known to have.
    confirmed: u64,
    /// Server: the last generation of an owner that was lost.
    lost_at: Option<u64>,
    /// Server: whether the owner that was lost was about to say that its store is back.
    lost_stored: bool,
    /// Client: what to resume with.
    token: Option<Token>,
    /// How many connections the client has begun; at a server, as far as it has heard.
    attempt: u64,
    ttl: Duration,
    heartbeat: Duration,
    sending: Sending,
    receiving: Receiving,
    /// A session that waits for its client has no room for it.
    line: Option<Box<Line>>,
    detached_since: Option<Duration>,
    volatile: bool,
    /// Server: what the client knows of that.
    volatile_known: Known,
    /// Server: numbers up to here are reserved in a store.
    reserved: Option<u64>,
    /// Server: nothing sequenced behind this number is written.
    held_behind: Option<u64>,
    suspicion: Suspicion,
    wants_room: bool,
    /// Whether nothing more is taken.
    is_deaf: bool,
    /// What we end the session with.
    bye: Option<Bye>,
    ended: Option<Ended>,
    events: VecDeque<Event>,
}

/// Whether the client knows that the store is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    No,
    /// With the acknowledgement of the message with this number.
    With(u64),
    Yes,
}

impl Session {
    fn new(now: Duration, config: Config, role: Role) -> Self {
        Self {
            ttl: config.ttl,
            heartbeat: Duration::ZERO,
            config,
            role,
            id: SessionId::default(),
            generation: 0,
            confirmed: 0,
            lost_at: None,
            lost_stored: false,
            token: None,
            attempt: 0,
            sending: Sending::default(),
            receiving: Receiving::default(),
            line: None,
            detached_since: Some(now),
            volatile: false,
            volatile_known: Known::No,
            reserved: None,
            held_behind: None,
            suspicion: Suspicion::default(),
            wants_room: false,
            is_deaf: false,
            bye: None,
            ended: None,
            events: VecDeque::new(),
        }
    }

    /// Which end this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The session; at a client zeros until it is welcomed.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// What the message with this number is called.
    #[must_use]
    pub const fn key(&self, number: u64) -> Key {
        Key {
            session: self.id,
            number,
        }
    }

    /// The connection of the session that a server welcomed last.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// How many messages of ours are numbered.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sending.numbered()
    }

    /// How many of them the peer has acknowledged.
    #[must_use]
    pub const fn acknowledged(&self) -> u64 {
        self.sending.acked()
    }

    /// How many messages of the peer were handed over, those that it left out among them.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.receiving.received()
    }

    /// How many of them may be acknowledged.
    #[must_use]
    pub const fn committed(&self) -> u64 {
        self.receiving.committed()
    }

    /// How many messages are kept until the peer acknowledges them, and the bytes of the application
    /// in them.
    #[must_use]
    pub fn kept(&self) -> (usize, u64) {
        (self.sending.kept(), self.sending.bytes())
    }

    /// The connection that the session has, if it has one.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionId> {
        self.line.as_ref().map(|line| line.id)
    }

    /// Whether it has a connection on which WELCOME was received, or is sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.is_open)
    }

    /// Since when the session has no connection, if it has none.
    #[must_use]
    pub const fn detached_since(&self) -> Option<Duration> {
        self.detached_since
    }

    /// For how long the session outlives its connection.
    #[must_use]
    pub const fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Whether the server's store is away.
    #[must_use]
    pub const fn is_volatile(&self) -> bool {
        self.volatile
    }

    /// Whether BYE was said, so that nothing more is taken from the application.
    #[must_use]
    pub const fn is_closing(&self) -> bool {
        self.bye.is_some()
    }

    /// Why the session is over, if it is.
    #[must_use]
    pub const fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// What there is to tell, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The connection, if it is this one: what comes of others is late.
    fn current(&mut self, connection: ConnectionId) -> Option<&mut Line> {
        self.line
            .as_deref_mut()
            .filter(|line| line.id == connection)
    }
}

//! [`Connection`] itself: what it is made of, and what it can be asked.

use std::sync::Arc;
use std::time::Duration;

use crate::closing::ClosingHandshake;
use crate::compression::Compression;
use crate::config::Config;
use crate::ending::{Cause, Detail, Ending, InputEnd};
use crate::extension::AgreedExtensions;
use crate::frame::HeaderRules;
use crate::intake::Intake;
use crate::keepalive::Liveness;
use crate::nanos::Nanos;
use crate::output::Output;
use crate::random::Random;
use crate::role::Role;
use crate::state::{Progress, State, Stimulus, transition};

/// An open WebSocket connection as a value: bytes and time in; bytes, events and one
/// [`Ending`] out.
///
/// The crate's front page says in which order a driver calls what.
///
/// `now` is the time since an epoch that the caller chose, and never goes back. `R` is the source
/// of masking keys and jitter.
#[derive(Debug)]
pub struct Connection<R> {
    pub(super) random: R,
    pub(super) parts: ConnectionParts,
}

/// Everything of a connection that does not depend on where randomness comes from.
#[derive(Debug)]
pub(super) struct ConnectionParts {
    pub(super) config: Arc<Config>,
    pub(super) role: Role,
    pub(super) state: State,
    /// What is read. `None`: it is thrown away, for good, since nothing is left that could decode
    /// it.
    pub(super) intake: Option<Intake>,
    /// Whether input waits to be decoded.
    pub(super) input_waits: bool,
    pub(super) compression: Option<Box<Compression>>,
    pub(super) output: Output,
    /// Where the last pong that was queued ends, in bytes of output.
    pub(super) pong_end: u64,
    pub(super) liveness: Liveness,
    /// The latest time that was passed in.
    pub(super) now: Nanos,
    /// When the keepalive or the idle limit is due, at the earliest: receiving, sending and writing
    /// only move that to later. `None`: to be worked out.
    pub(super) life_at: Option<Nanos>,
    /// The last message in either direction.
    pub(super) last_message: Nanos,
    pub(super) opened: Nanos,
    /// Whether the driver has stopped reading.
    pub(super) paused: bool,
    /// Since when the peer cannot be heard: the driver has stopped reading, or nobody takes what
    /// was read. Behind the end of the transport: since when nobody has taken anything.
    pub(super) deaf_since: Option<Nanos>,
    /// When the input that is not decoded yet arrived.
    pub(super) arrived: Nanos,
    pub(super) closing: Option<Box<ClosingHandshake>>,
    /// Whether the driver has shut down its direction of TCP.
    pub(super) write_shut: bool,
    pub(super) input_end: Option<Box<InputEnd>>,
    /// Whether nobody will take messages any more.
    pub(super) discards_messages: bool,
    pub(super) ending: Option<Arc<Ending>>,
    pub(super) ending_reported: bool,
    pub(super) rare: Option<Box<Rare>>,
}

/// What few connections have any of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rare {
    /// The payload of the latest pong that had no room.
    pub(super) waiting_pong: Option<Box<[u8]>>,
    /// How far the connection's own time is ahead of the driver's, after a move to a process whose
    /// epoch is later.
    pub(super) ahead: Nanos,
    /// Messages received that nobody took.
    pub(super) discarded: u64,
    /// Queued bytes that were cut when the transport broke.
    pub(super) unsent: u64,
}

/// Whether input in `intake` waits to be decoded.
#[inline]
pub(super) fn waits(intake: Option<&Intake>) -> bool {
    intake.is_some_and(|intake| !intake.is_empty())
}

impl ConnectionParts {
    /// Whether input waits to be decoded.
    #[inline]
    pub(super) fn has_input(&self) -> bool {
        debug_assert_eq!(self.input_waits, waits(self.intake.as_ref()));
        self.input_waits
    }

    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(super) fn discarded(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.discarded)
    }

    pub(super) fn unsent(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.unsent)
    }

    pub(super) fn count_discarded(&mut self, count: u64) {
        let rare = self.rare_mut();
        rare.discarded = rare.discarded.saturating_add(count);
    }

    /// No pong waits any more.
    pub(super) fn forget_waiting_pong(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.waiting_pong = None;
        }
    }
}

impl<R: Random> Connection<R> {
    /// A connection whose opening handshake has just succeeded.
    ///
    /// Bytes that came behind the handshake go to [`handle_input`](Self::handle_input).
    pub fn new(now: Duration, role: Role, config: Arc<Config>, mut random: R) -> Self {
        let jitter = random.next_u32();
        let liveness = Liveness::new(now, jitter);
        let parts = ConnectionParts {
            config,
            role,
            state: transition(State::Connecting, Progress::default(), Stimulus::Opened).0,
            intake: Some(Intake::new(HeaderRules {
                role,
                compression: false,
            })),
            input_waits: false,
            compression: None,
            output: Output::default(),
            pong_end: 0,
            liveness,
            now: now.into(),
            life_at: None,
            last_message: now.into(),
            opened: now.into(),
            paused: false,
            deaf_since: None,
            arrived: now.into(),
            closing: None,
            write_shut: false,
            input_end: None,
            discards_messages: false,
            ending: None,
            ending_reported: false,
            rare: None,
        };
        let mut connection = Self { random, parts };
        connection.renew_life();
        connection
    }

    /// The same connection with the extensions that the opening handshake agreed on. To be called
    /// before anything is received or sent.
    #[must_use]
    pub fn with_extensions(mut self, agreed: AgreedExtensions) -> Self {
        let role = self.parts.role;
        self.parts.compression = Compression::new(role, agreed).map(Box::new);
        let compression = self.parts.compression.is_some();
        self.parts.intake = Some(Intake::new(HeaderRules { role, compression }));
        self
    }
}

impl<R> Connection<R> {
    /// Which side this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.parts.role
    }

    /// The extensions in use.
    #[must_use]
    pub fn extensions(&self) -> AgreedExtensions {
        let compression = self.parts.compression.as_deref();
        compression.map_or_else(AgreedExtensions::default, Compression::agreed)
    }

    /// The state in the words of RFC 6455.
    #[must_use]
    pub const fn state(&self) -> State {
        self.parts.state
    }

    /// The closing handshake, from its beginning to the end of the connection. Its times are in the
    /// epoch in which the connection began, unless it was moved to an earlier one.
    #[must_use]
    pub fn closing(&self) -> Option<&ClosingHandshake> {
        self.parts.closing.as_deref()
    }

    /// Why the connection ended, as soon as it has: every call returns the same.
    #[must_use]
    pub const fn ending(&self) -> Option<&Arc<Ending>> {
        self.parts.ending.as_ref()
    }

    /// The round trip that the last matched pong measured.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.parts.liveness.rtt()
    }

    /// How many bytes were queued and not written. Those that a broken transport has cut are still
    /// among them.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        let cut = usize::try_from(self.parts.unsent()).unwrap_or(usize::MAX);
        self.parts.output.queued().saturating_add(cut)
    }

    /// How many bytes were ever queued: right after a message was, the position at which it ends.
    #[must_use]
    pub fn pushed_bytes(&self) -> u64 {
        self.parts.output.pushed()
    }

    /// How many bytes were ever written, to the end of the connection and after it: a message that
    /// ends at or before this position was written whole.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.parts.output.written()
    }

    /// Whether it is of no use to wait before a message is sent: the connection is open, and the
    /// queue is below its high-water mark.
    ///
    /// As with sockets, it is also true of an open connection whose transport is broken: there the
    /// verbs that send return [`UsageError::TransportLost`](crate::UsageError::TransportLost), and
    /// to wait for room would be to wait for ever.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.parts.state == State::Open
            && (self.parts.output.queued() < self.parts.config.limits.queue || self.is_lost())
    }

    /// Whether input waits to be decoded: the driver reads no more until
    /// [`poll_event`](Self::poll_event) has returned `None`.
    #[must_use]
    pub fn has_pending_input(&self) -> bool {
        self.parts.has_input()
    }

    /// Whether the driver is to shut down its direction of TCP now, once. It confirms with
    /// [`write_shut_down`](Self::write_shut_down), and reads on.
    #[must_use]
    pub fn wants_shutdown_write(&self) -> bool {
        // RFC 6455 section 7.1.1: the server closes TCP first.
        !self.parts.write_shut
            && self.parts.state == State::Closing
            && self
                .closing()
                .is_some_and(|closing| closing.wants_shutdown_write(self.parts.role))
    }

    /// The driver has shut down its direction of TCP, as
    /// [`wants_shutdown_write`](Self::wants_shutdown_write) asked for.
    pub fn write_shut_down(&mut self) {
        self.parts.write_shut = true;
    }

    /// Whether the driver is to read on although no message can come any more, until the end of
    /// the stream or the deadline, so that unread bytes do not turn our Close frame into a TCP
    /// reset.
    ///
    /// What is read still goes to [`handle_input`](Self::handle_input), which throws it away: it
    /// is a sign of life for [`Ending::idle_for`].
    #[must_use]
    pub fn wants_drain(&self) -> bool {
        self.parts.state == State::Closing && self.parts.intake.is_none()
    }

    /// The connection's own time, in which everything in it is kept. It never goes back, even if
    /// the driver's does.
    #[inline]
    pub(super) fn own_time(&mut self, now: Duration) -> Nanos {
        let parts = &mut self.parts;
        let mut now = Nanos::from(now);
        if let Some(rare) = &parts.rare {
            now = now.saturating_add(rare.ahead);
        }
        parts.now = parts.now.max(now);
        parts.now
    }

    /// What broke the transport, if something did.
    pub(super) fn loss(&self) -> Option<(Cause, &Detail)> {
        match self.parts.input_end.as_deref()? {
            InputEnd::Lost { cause, detail } => Some((*cause, detail)),
            InputEnd::Eof => None,
        }
    }

    /// Whether the transport is broken: nothing leaves any more.
    #[inline]
    pub(super) fn is_lost(&self) -> bool {
        self.parts.input_end.is_some() && self.loss().is_some()
    }
}

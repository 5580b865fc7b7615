//! [`Connection`] itself: what it is made of, and what it can be asked.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;

use crate::closing::ClosingHandshake;
use crate::compression::Compression;
use crate::config::Config;
use crate::connection::ending::InputEnd;
use crate::connection::receive::{Reading, Receive};
use crate::ending::Ending;
use crate::extension::AgreedExtensions;
use crate::frame::HeaderRules;
use crate::keepalive::Liveness;
use crate::output::Output;
use crate::random::Random;
use crate::role::Role;
use crate::state::{Action, State, Stimulus, transition};

/// An open WebSocket connection as a value: bytes and time in; bytes, events and one
/// [`Ending`] out.
///
/// The crate's front page says in which order a driver calls what.
///
/// `now` is the time since an epoch that the caller chose, and never goes back. `R` is the source
/// of masking keys and jitter.
#[derive(Debug)]
pub struct Connection<R> {
    pub(crate) random: R,
    pub(crate) parts: ConnectionParts,
}

/// Everything of a connection that does not depend on where randomness comes from.
#[derive(Debug)]
pub(crate) struct ConnectionParts {
    pub(crate) config: Arc<Config>,
    pub(crate) role: Role,
    pub(crate) state: State,
    /// Input that is not decoded yet.
    pub(crate) input: BytesMut,
    pub(crate) receive: Receive,
    pub(crate) compression: Option<Box<Compression>>,
    pub(crate) output: Output,
    /// The payload of the latest pong that had no room.
    pub(crate) waiting_pong: Option<Box<[u8]>>,
    pub(crate) liveness: Liveness,
    /// How long it may be quiet before the next ping, if there are pings. It follows from the
    /// configuration and `liveness`, and is asked for after every message.
    pub(crate) ping_interval: Option<Duration>,
    /// The last message in either direction.
    pub(crate) last_message: Duration,
    pub(crate) opened: Duration,
    /// Whether the driver has stopped reading.
    pub(crate) paused: bool,
    /// Whether a deadline was suspended because nothing is read.
    pub(crate) stalled: bool,
    pub(crate) closing: Option<Box<ClosingHandshake>>,
    /// Whether the driver has shut down its direction of TCP.
    pub(crate) write_shut: bool,
    pub(crate) input_end: Option<Box<InputEnd>>,
    /// Messages received that nobody took.
    pub(crate) discarded: u64,
    pub(crate) ending: Option<Arc<Ending>>,
    pub(crate) ending_reported: bool,
}

impl<R: Random> Connection<R> {
    /// A connection whose opening handshake has just succeeded.
    ///
    /// Bytes that came behind the handshake go to [`handle_input`](Self::handle_input).
    pub fn new(now: Duration, role: Role, config: Arc<Config>, mut random: R) -> Self {
        let jitter = random.next_u32();
        let liveness = Liveness::new(now, jitter);
        let parts = ConnectionParts {
            ping_interval: config.keepalive.map(|config| liveness.interval(&config)),
            config,
            role,
            state: State::Connecting,
            input: BytesMut::new(),
            receive: Receive::Decoding(Reading::new(HeaderRules {
                role,
                compression: false,
            })),
            compression: None,
            output: Output::default(),
            waiting_pong: None,
            liveness,
            last_message: now,
            opened: now,
            paused: false,
            stalled: false,
            closing: None,
            write_shut: false,
            input_end: None,
            discarded: 0,
            ending: None,
            ending_reported: false,
        };
        let mut connection = Self { random, parts };
        connection.advance_state(Stimulus::Opened);
        connection
    }

    /// The same connection with the extensions that the opening handshake agreed on. To be called
    /// before anything is received or sent.
    #[must_use]
    pub fn with_extensions(mut self, agreed: AgreedExtensions) -> Self {
        let role = self.parts.role;
        self.parts.compression = Compression::new(role, agreed).map(Box::new);
        let compression = self.parts.compression.is_some();
        self.parts.receive = Receive::Decoding(Reading::new(HeaderRules { role, compression }));
        self
    }
}

impl<R> Connection<R> {
    /// Which side this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.parts.role
    }

    /// The state in the words of RFC 6455.
    #[must_use]
    pub const fn state(&self) -> State {
        self.parts.state
    }

    /// The closing handshake, from its beginning to the end of the connection.
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
    pub const fn rtt(&self) -> Option<Duration> {
        self.parts.liveness.rtt
    }

    /// How many bytes are queued and not written.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.parts.output.queued()
    }

    /// Whether a message can be sent: the connection is open, and the queue is below its
    /// high-water mark.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.parts.state == State::Open
            && self.parts.output.queued() < self.parts.config.limits.queue
    }

    /// Whether input waits to be decoded: the driver reads no more until
    /// [`poll_event`](Self::poll_event) has returned `None`.
    #[must_use]
    pub fn has_pending_input(&self) -> bool {
        !self.parts.input.is_empty()
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

    /// The driver has shut down its direction of TCP.
    pub fn write_shut_down(&mut self) {
        self.parts.write_shut = true;
    }

    /// Whether the driver is to read and throw away, until the end of the stream or the deadline,
    /// so that unread bytes do not turn our Close frame into a TCP reset.
    #[must_use]
    pub fn wants_drain(&self) -> bool {
        self.parts.state == State::Closing && matches!(self.parts.receive, Receive::Discarding)
    }

    /// The only place where the state changes.
    pub(crate) fn advance_state(&mut self, stimulus: Stimulus) -> Action {
        let progress = self
            .closing()
            .map(ClosingHandshake::progress)
            .unwrap_or_default();
        let (next, action) = transition(self.parts.state, progress, stimulus);
        self.parts.state = next;
        action
    }

    pub(crate) fn closing_mut(&mut self) -> Option<&mut ClosingHandshake> {
        self.parts.closing.as_deref_mut()
    }
}

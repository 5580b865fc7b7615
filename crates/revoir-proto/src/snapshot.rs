//! [`Snapshot`]: a whole connection as plain data, at any byte boundary.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;

use crate::closing::ClosingHandshake;
use crate::compression::Compression;
use crate::config::Config;
use crate::connection::{Connection, ConnectionParts, InputEnd, Reading, Receive};
use crate::error::UsageError;
use crate::frame::{CONTROL_MAX_BYTES, Decoder, FrameHeader, HeaderRules};
use crate::keepalive::{Liveness, Ping};
use crate::message::{Assembler, MessageKind, compressed_allowance};
use crate::output::Output;
use crate::random::Random;
use crate::role::Role;
use crate::state::State;

/// The version of [`Snapshot`] that this crate writes, and the only one it reads.
pub const SNAPSHOT_VERSION: u16 = 1;

/// A whole connection as plain data, at any byte boundary: inside a header, inside a masked
/// payload, between the bytes of a code point, with queued output and a ping under way.
///
/// There is no wire format here; that is for whoever carries the snapshot to another process.
/// What is left out: the [`Config`], and the source of randomness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// [`SNAPSHOT_VERSION`].
    pub version: u16,
    /// Which side the connection is.
    pub role: Role,
    /// Its state.
    pub state: State,
    /// Input that is not decoded yet.
    pub input: Vec<u8>,
    /// What the decoder is in the middle of. `None`: input is thrown away.
    pub receive: Option<ReceiveSnapshot>,
    /// permessage-deflate, if it was agreed on and input is still decoded.
    pub compression: Option<CompressionSnapshot>,
    /// The output queue.
    pub output: OutputSnapshot,
    /// The payload of a pong that waits for room in the queue.
    pub waiting_pong: Option<Vec<u8>>,
    /// Where the last pong that was queued ends, in bytes of output.
    pub pong_end: u64,
    /// The keepalive.
    pub liveness: Liveness,
    /// The last message in either direction.
    pub last_message: Duration,
    /// When the connection opened.
    pub opened: Duration,
    /// Whether the driver has stopped reading.
    pub paused: bool,
    /// Since when the peer cannot be heard, because the driver has stopped reading or nobody takes
    /// what was read.
    pub deaf_since: Option<Duration>,
    /// When the input that is not decoded yet arrived.
    pub arrived: Duration,
    /// How far the times in here are ahead of the driver's epoch; see [`rebase`](Self::rebase).
    pub ahead: Duration,
    /// The closing handshake, if it has begun.
    pub closing: Option<ClosingHandshake>,
    /// Whether the driver has shut down its direction of TCP.
    pub write_shut: bool,
    /// The end of the transport, if it waits behind the input.
    pub input_end: Option<InputEnd>,
    /// Messages received that nobody took.
    pub discarded: u64,
    /// Whether nobody will take messages any more.
    pub discards_messages: bool,
    /// Queued bytes that were cut when the transport broke.
    pub unsent: u64,
}

/// What the decoder is in the middle of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveSnapshot {
    /// The frame.
    pub decoder: DecoderSnapshot,
    /// The message, if one is unfinished.
    pub message: Option<MessageSnapshot>,
}

/// An unfinished frame, or nothing of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderSnapshot {
    /// The start of a header.
    pub head: Vec<u8>,
    /// A frame whose header is complete.
    pub frame: Option<FrameSnapshot>,
    /// The start of a control frame's payload, still masked.
    pub control: Vec<u8>,
}

/// A frame whose header is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSnapshot {
    /// The header.
    pub header: FrameHeader,
    /// The masking key, turned so that it starts with the byte to use next.
    pub next_key: Option<[u8; 4]>,
    /// How many bytes of the payload are missing.
    pub remaining: u64,
}

/// An unfinished message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSnapshot {
    /// Its kind.
    pub kind: MessageKind,
    /// Whether it is compressed. Its bytes are then in [`CompressionSnapshot::unfinished`].
    pub compressed: bool,
    /// What has arrived of it, without mask.
    pub received: Vec<u8>,
}

/// permessage-deflate (RFC 7692).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressionSnapshot {
    /// Whether the server compresses every message on its own.
    pub server_no_context_takeover: bool,
    /// Whether the client compresses every message on its own.
    pub client_no_context_takeover: bool,
    /// The base-2 logarithm of the server's window.
    pub server_max_window_bits: u8,
    /// The base-2 logarithm of the client's window.
    pub client_max_window_bits: u8,
    /// The effort of the compressor, 0 to 9.
    pub level: u8,
    /// The last plain data of finished messages, at most 32 KiB: the peer may refer to it.
    pub window: Vec<u8>,
    /// The compressed bytes of the unfinished message.
    pub unfinished: Vec<u8>,
}

/// The output queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSnapshot {
    /// The bytes that are queued.
    pub unwritten: Vec<u8>,
    /// How many bytes were written since the connection opened.
    pub written: u64,
    /// The last byte written, or the first one queued after an empty queue.
    pub progress: Duration,
}

/// Why a snapshot was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is of another version.
    Version {
        /// The version it is of.
        got: u16,
    },
    /// It describes a connection that cannot be.
    Inconsistent,
    /// Its unfinished message is longer than the limit of the connection's configuration.
    OverLimit {
        /// How long it is at least, in bytes as they are received.
        got: u64,
        /// The limit on it, in such bytes.
        allowed: u64,
    },
    /// It needs permessage-deflate, which this build does not have.
    CompressionAbsent,
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { got } => {
                write!(
                    f,
                    "snapshot has version {got}, this crate reads {SNAPSHOT_VERSION}"
                )
            }
            Self::Inconsistent => f.write_str("snapshot describes a connection that cannot be"),
            Self::OverLimit { got, allowed } => {
                write!(
                    f,
                    "snapshot has a message of {got} bytes, {allowed} are allowed"
                )
            }
            Self::CompressionAbsent => f.write_str("snapshot needs permessage-deflate"),
        }
    }
}

impl Error for SnapshotError {}

impl Snapshot {
    /// Moves the connection from an epoch at which it is now `from` to one at which it is now `to`,
    /// for example one that begins with the process that goes on. Nothing is lost of what happened
    /// before the new epoch: durations and deadlines are what they would have been.
    pub fn rebase(&mut self, from: Duration, to: Duration) {
        let own = from.saturating_add(self.ahead);
        self.ahead = own.saturating_sub(to);
        let by = to.saturating_sub(own);
        if !by.is_zero() {
            self.move_times(by);
        }
    }

    /// Moves every time to one that is later `by` so much.
    fn move_times(&mut self, by: Duration) {
        let move_one = |time: &mut Duration| *time = time.saturating_add(by);
        move_one(&mut self.arrived);
        if let Some(at) = &mut self.deaf_since {
            move_one(at);
        }
        move_one(&mut self.output.progress);
        move_one(&mut self.liveness.received);
        move_one(&mut self.liveness.sent);
        move_one(&mut self.last_message);
        move_one(&mut self.opened);
        if let Ping::Awaited { since } = &mut self.liveness.ping {
            move_one(since);
        }
        if let Some((_, at)) = &mut self.liveness.unmatched {
            move_one(at);
        }
        if let Some(closing) = &mut self.closing {
            move_one(&mut closing.deadline);
            let times = [&mut closing.written_at, &mut closing.fin_deadline];
            times.into_iter().flatten().for_each(move_one);
        }
    }

    /// Whether the parts fit each other, as far as nothing else checks it.
    fn is_consistent(&self) -> bool {
        let closing_fits = match (self.state, &self.closing) {
            (State::Open, None) => self.receive.is_some() && !self.write_shut,
            (State::Closing, Some(closing)) => self.is_consistent_with(closing),
            (State::Open | State::Closing | State::Connecting | State::Closed, _) => false,
        };
        let is_deaf = self.paused || !self.input.is_empty();
        // No connection writes so much; counting on from here cannot overflow.
        let counts = self.output.written <= u64::MAX / 2;
        let pong = self.waiting_pong.as_ref().map_or(0, Vec::len);
        closing_fits
            && counts
            && is_deaf == self.deaf_since.is_some()
            && pong <= CONTROL_MAX_BYTES
            && (self.receive.is_some() || (self.input.is_empty() && self.compression.is_none()))
    }
}

impl Snapshot {
    /// Whether the closing handshake fits what was read, what is queued, and what was shut down.
    fn is_consistent_with(&self, closing: &ClosingHandshake) -> bool {
        // Nothing follows our Close frame, so it was written exactly if nothing is queued; a broken
        // transport has cut the queue.
        let is_lost = matches!(self.input_end, Some(InputEnd::Lost { .. }));
        let output_fits = match self.output.unwritten.is_empty() {
            true => closing.written || is_lost,
            false => !closing.written && !is_lost,
        };
        // After a Close frame and after a failure, input is thrown away, and only then.
        let discards = closing.received.is_some() || closing.failed;
        output_fits
            && discards == self.receive.is_none()
            && closing.written == closing.written_at.is_some()
            // With both, the connection would be over.
            && !(closing.written && closing.eof)
            && (!self.write_shut || closing.wants_shutdown_write(self.role))
    }

    /// Whether the unfinished message stays within `limit`, as its headers were found to do when
    /// they arrived.
    fn check_limit(&self, limit: usize) -> Result<(), SnapshotError> {
        let Some(receive) = &self.receive else {
            return Ok(());
        };
        let Some(message) = &receive.message else {
            return Ok(());
        };
        let frame = receive.decoder.frame.as_ref();
        let missing = frame
            .filter(|frame| !frame.header.opcode.is_control())
            .map_or(0, |frame| frame.remaining);
        let received = match &self.compression {
            Some(compression) if message.compressed => compression.unfinished.len(),
            Some(_) | None => message.received.len(),
        };
        let allowed = match message.compressed {
            true => (limit as u64).saturating_add(compressed_allowance(limit)),
            false => limit as u64,
        };
        let got = match message.compressed {
            // What a compressed message grows to is counted while it is inflated.
            true => missing.max(received as u64),
            false => missing.saturating_add(received as u64),
        };
        match got > allowed {
            true => Err(SnapshotError::OverLimit { got, allowed }),
            false => Ok(()),
        }
    }
}

impl<R: Random> Connection<R> {
    /// The connection as plain data. The one of the two that goes on is the caller's choice: the
    /// other must not be used any more.
    ///
    /// # Errors
    ///
    /// [`UsageError::NotOpen`] once the connection is closed.
    pub fn export(&self) -> Result<Snapshot, UsageError> {
        let parts = &self.parts;
        if parts.state == State::Closed {
            return Err(UsageError::NotOpen { state: parts.state });
        }
        Ok(Snapshot {
            version: SNAPSHOT_VERSION,
            role: parts.role,
            state: parts.state,
            input: parts.input.to_vec(),
            receive: match &parts.receive {
                Receive::Decoding(reading) => Some(ReceiveSnapshot {
                    decoder: reading.decoder.export(),
                    message: reading.assembler.export(),
                }),
                Receive::Discarding => None,
            },
            compression: parts.compression.as_deref().map(Compression::export),
            output: parts.output.export(),
            waiting_pong: parts.waiting_pong.as_deref().map(<[u8]>::to_vec),
            pong_end: parts.pong_end,
            liveness: parts.liveness,
            last_message: parts.last_message,
            opened: parts.opened,
            paused: parts.paused,
            deaf_since: parts.deaf_since,
            arrived: parts.arrived,
            ahead: parts.ahead.unwrap_or_default(),
            closing: parts.closing.as_deref().cloned(),
            write_shut: parts.write_shut,
            input_end: parts.input_end.as_deref().cloned(),
            discarded: parts.discarded,
            discards_messages: parts.discards_messages,
            unsent: parts.unsent,
        })
    }

    /// A connection that goes on where `snapshot` was taken.
    ///
    /// The messages, Close frames and the ending that follow are the same as without the
    /// interruption; so are the bytes, given the same randomness, unless they are compressed.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`], whatever the snapshot contains.
    pub fn import(
        config: Arc<Config>,
        random: R,
        snapshot: &Snapshot,
    ) -> Result<Self, SnapshotError> {
        if snapshot.version != SNAPSHOT_VERSION {
            return Err(SnapshotError::Version {
                got: snapshot.version,
            });
        }
        if !snapshot.is_consistent() {
            return Err(SnapshotError::Inconsistent);
        }
        snapshot.check_limit(config.limits.message)?;
        let (receive, compression) = import_receive(snapshot, config.limits.message)?;
        let liveness = snapshot.liveness;
        let parts = ConnectionParts {
            ping_interval: config.keepalive.map(|config| liveness.interval(&config)),
            config,
            role: snapshot.role,
            state: snapshot.state,
            input: BytesMut::from(&*snapshot.input),
            receive,
            compression,
            output: Output::import(&snapshot.output),
            waiting_pong: snapshot.waiting_pong.as_deref().map(Into::into),
            pong_end: snapshot.pong_end,
            liveness,
            last_message: snapshot.last_message,
            opened: snapshot.opened,
            paused: snapshot.paused,
            deaf_since: snapshot.deaf_since,
            arrived: snapshot.arrived,
            ahead: (!snapshot.ahead.is_zero()).then_some(snapshot.ahead),
            closing: snapshot.closing.clone().map(Box::new),
            write_shut: snapshot.write_shut,
            input_end: snapshot.input_end.clone().map(Box::new),
            discarded: snapshot.discarded,
            discards_messages: snapshot.discards_messages,
            unsent: snapshot.unsent,
            ending: None,
            ending_reported: false,
        };
        Ok(Self { random, parts })
    }
}

fn import_receive(
    snapshot: &Snapshot,
    limit: usize,
) -> Result<(Receive, Option<Box<Compression>>), SnapshotError> {
    let mut compression = None;
    let mut in_compressed = false;
    if let Some(agreed) = &snapshot.compression {
        compression = Some(Box::new(Compression::import(snapshot.role, agreed, limit)?));
        in_compressed = !agreed.unfinished.is_empty();
    }
    let Some(receive) = &snapshot.receive else {
        return Ok((Receive::Discarding, compression));
    };
    let message = receive.message.as_ref();
    if in_compressed && !message.is_some_and(|message| message.compressed) {
        return Err(SnapshotError::Inconsistent);
    }
    let rules = HeaderRules {
        role: snapshot.role,
        compression: compression.is_some(),
    };
    let decoder = Decoder::import(rules, &receive.decoder)?;
    let assembler = Assembler::import(message, compression.as_deref(), limit)?;
    // A data frame belongs to a message; the decoder alone cannot know.
    if decoder.is_inside_data_frame() && !assembler.is_inside_message() {
        return Err(SnapshotError::Inconsistent);
    }
    Ok((
        Receive::Decoding(Reading { decoder, assembler }),
        compression,
    ))
}

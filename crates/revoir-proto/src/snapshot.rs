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
use crate::message::{Assembler, MessageKind};
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
    /// The keepalive.
    pub liveness: Liveness,
    /// The last message in either direction.
    pub last_message: Duration,
    /// When the connection opened.
    pub opened: Duration,
    /// Whether the driver has stopped reading.
    pub paused: bool,
    /// Whether a deadline was suspended because nothing is read.
    pub stalled: bool,
    /// The closing handshake, if it has begun.
    pub closing: Option<ClosingHandshake>,
    /// Whether the driver has shut down its direction of TCP.
    pub write_shut: bool,
    /// The end of the transport, if it waits behind the input.
    pub input_end: Option<InputEnd>,
    /// Messages received that nobody took.
    pub discarded: u64,
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
            Self::CompressionAbsent => f.write_str("snapshot needs permessage-deflate"),
        }
    }
}

impl Error for SnapshotError {}

impl Snapshot {
    /// Moves every time from an epoch at which it is now `from` to one at which it is now `to`.
    pub fn rebase(&mut self, from: Duration, to: Duration) {
        let move_one = |time: &mut Duration| {
            *time = (*time).saturating_add(to).saturating_sub(from);
        };
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
            if let Some(at) = &mut closing.fin_deadline {
                move_one(at);
            }
        }
    }

    /// Whether the parts fit each other, as far as nothing else checks it.
    fn is_consistent(&self) -> bool {
        let closing_fits = match self.state {
            State::Open => self.closing.is_none() && self.receive.is_some(),
            State::Closing => self.closing.is_some(),
            State::Connecting | State::Closed => false,
        };
        // No connection writes so much; counting on from here cannot overflow.
        let counts = self.output.written <= u64::MAX / 2;
        let pong = self.waiting_pong.as_ref().map_or(0, Vec::len);
        closing_fits
            && counts
            && pong <= CONTROL_MAX_BYTES
            && (self.receive.is_some() || (self.input.is_empty() && self.compression.is_none()))
    }
}

impl<R: Random> Connection<R> {
    /// The connection as plain data. The one of the two that goes on is the caller's choice: the
    /// other must not be used any more.
    ///
    /// # Errors
    ///
    /// [`UsageError::NotOpen`] once the connection is closed.
    pub fn export(&mut self) -> Result<Snapshot, UsageError> {
        let parts = &mut self.parts;
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
            compression: parts.compression.as_deref_mut().map(Compression::export),
            output: parts.output.export(),
            waiting_pong: parts.waiting_pong.as_deref().map(<[u8]>::to_vec),
            liveness: parts.liveness,
            last_message: parts.last_message,
            opened: parts.opened,
            paused: parts.paused,
            stalled: parts.stalled,
            closing: parts.closing.as_deref().cloned(),
            write_shut: parts.write_shut,
            input_end: parts.input_end.as_deref().cloned(),
            discarded: parts.discarded,
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
            liveness,
            last_message: snapshot.last_message,
            opened: snapshot.opened,
            paused: snapshot.paused,
            stalled: snapshot.stalled,
            closing: snapshot.closing.clone().map(Box::new),
            write_shut: snapshot.write_shut,
            input_end: snapshot.input_end.clone().map(Box::new),
            discarded: snapshot.discarded,
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

//! [`Snapshot`]: a whole connection as plain data, at any byte boundary.

mod check;
mod error;
mod rebase;
mod transfer;

use std::time::Duration;

use crate::closing::ClosingHandshake;
use crate::connection::InputEnd;
use crate::frame::FrameHeader;
use crate::message::MessageKind;
use crate::role::Role;
use crate::state::State;

pub use error::SnapshotError;

/// The version of [`Snapshot`] that this crate writes, and the only one it reads.
pub const SNAPSHOT_VERSION: u16 = 1;

/// A whole connection as plain data, at any byte boundary: inside a header, inside a masked
/// payload, between the bytes of a code point, with queued output and a ping under way.
///
/// There is no wire format here; that is for whoever carries the snapshot to another process.
/// What is left out: the [`Config`](crate::Config), and the source of randomness.
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
    pub liveness: LivenessSnapshot,
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

/// The keepalive: signs of life and the ping that asks for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LivenessSnapshot {
    /// When the last byte was received.
    pub received: Duration,
    /// When the last byte was written.
    pub sent: Duration,
    /// The random number that moves the next ping.
    pub jitter: u32,
    /// The ping that waits for a sign of life.
    pub ping: PingSnapshot,
    /// The last ping that was written, until its pong comes: its payload and when.
    pub unmatched: Option<([u8; 4], Duration)>,
    /// The last round trip.
    pub rtt: Option<Duration>,
}

/// Where a keepalive ping stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingSnapshot {
    /// None is under way.
    Idle,
    /// In the output queue.
    Queued {
        /// Its payload.
        id: [u8; 4],
        /// Where it ends, in bytes of output since the connection opened.
        end: u64,
    },
    /// Written; no byte came since.
    Awaited {
        /// From when on the peer's silence counts.
        since: Duration,
    },
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

//! [`Snapshot`]: a whole connection as plain data, at any byte boundary.

mod check;
mod rebase;

use std::time::Duration;

use crate::closing::ClosingHandshake;
use crate::compression::CompressionSnapshot;
use crate::ending::InputEnd;
use crate::intake::DecoderSnapshot;
use crate::keepalive::LivenessSnapshot;
use crate::message::MessageSnapshot;
use crate::output::OutputSnapshot;
use crate::role::Role;
use crate::state::State;

/// A whole connection as plain data, at any byte boundary: inside a header, inside a masked
/// payload, between the bytes of a code point, with queued output and a ping under way.
///
/// There is no wire format here; that is for whoever carries the snapshot to another process.
/// What is left out: the [`Config`](crate::Config), and the source of randomness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// [`SNAPSHOT_VERSION`](crate::SNAPSHOT_VERSION).
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

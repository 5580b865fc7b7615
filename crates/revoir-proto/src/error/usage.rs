//! [`UsageError`]: a mistake of our own caller.

use std::error::Error;
use std::fmt;

use crate::state::State;

/// A mistake of our own caller. The connection is as it was before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsageError {
    /// A frame was to be sent while the connection is not open.
    NotOpen {
        /// The state it is in.
        state: State,
    },
    /// A message was to be sent although the transport is broken. The connection is still open
    /// because of input that nobody took; its [`Ending`](crate::Ending) comes behind it.
    TransportLost,
    /// A message was to be sent while the queue is at its high-water mark.
    QueueFull {
        /// The bytes that are queued.
        queued: usize,
        /// The high-water mark.
        allowed: usize,
    },
    /// The payload of a Ping frame is longer than 125 bytes (RFC 6455 section 5.5).
    PingTooLong {
        /// Its length.
        length: usize,
    },
    /// Code 1010 was to be sent by a server (RFC 6455 section 7.4.1).
    MandatoryExtFromServer,
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen { state } => write!(f, "the connection is {state}"),
            Self::TransportLost => f.write_str("the transport is broken"),
            Self::QueueFull { queued, allowed } => {
                write!(f, "{queued} bytes are queued, {allowed} are allowed")
            }
            Self::PingTooLong { length } => {
                write!(f, "a ping of {length} bytes, 125 are allowed")
            }
            Self::MandatoryExtFromServer => {
                f.write_str("1010 Mandatory Ext. is sent by clients only")
            }
        }
    }
}

impl Error for UsageError {}

//! [`TrySendError`]: a message that was not queued.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use revoir_proto::{Ending, Message};

/// Why a message was not queued; it is given back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TrySendError {
    /// The queue is at its limit: the peer takes bytes more slowly than they are sent.
    #[non_exhaustive]
    Full {
        /// The message.
        message: Message,
    },
    /// The connection is over or closing.
    #[non_exhaustive]
    Closed {
        /// The message.
        message: Message,
        /// How it ended, once it has.
        ending: Option<Arc<Ending>>,
    },
}

impl TrySendError {
    /// The message, given back.
    #[must_use]
    pub fn into_message(self) -> Message {
        match self {
            Self::Full { message } | Self::Closed { message, .. } => message,
        }
    }

    /// Whether there may be room later.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }
}

impl fmt::Display for TrySendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { .. } => f.write_str("the queue is at its limit: the peer is slow"),
            Self::Closed {
                ending: Some(ending),
                ..
            } => ending.fmt(f),
            Self::Closed { ending: None, .. } => f.write_str("the connection is closing"),
        }
    }
}

impl Error for TrySendError {}

//! [`LinkEvent`]: what happens to a link, and [`NotSent`]: what happens to a message.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use revoir_proto::extension::AgreedExtensions;
use revoir_proto::{Ending, Message};

use crate::reconnect::Decision;

/// What happens to a [`Link`](crate::Link), in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LinkEvent {
    /// There is a connection.
    Up(Up),
    /// A message came.
    Message(Message),
    /// A connection ended, or an attempt failed, and there will be another attempt.
    Down {
        /// Why and how.
        ending: Arc<Ending>,
        /// When the next attempt is made, and by which rule.
        decision: Decision,
        /// The messages that were written over the connection, by the numbers of their
        /// [receipts](crate::reconnect::Receipt): whether the peer has seen them, only an answer of the
        /// application's own can tell. Empty after an attempt that failed.
        in_doubt: Range<u64>,
        /// With [`WhileDown::Fail`](crate::reconnect::WhileDown::Fail): the messages that were accepted and did
        /// not leave. Otherwise they are kept for the next connection, and this is empty.
        unsent: Vec<Unsent>,
    },
    /// A connection ended, or an attempt failed, and there will be no other: the last event.
    GaveUp {
        /// Why and how.
        ending: Arc<Ending>,
        /// The rule that says so.
        decision: Decision,
        /// As for [`Down`](Self::Down).
        in_doubt: Range<u64>,
        /// The messages that were accepted and did not leave.
        unsent: Vec<Unsent>,
    },
    /// The link was closed by the application: the last event.
    Closed(LinkEnd),
}

/// A connection of a link.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Up {
    /// Where to.
    pub url: Arc<str>,
    /// How many attempts in a row brought it about, without a stable connection between them; 0 for
    /// the first connection of a link, if it opened at once.
    pub attempt: u32,
    /// The subprotocol that the opening handshake agreed on.
    pub subprotocol: Option<String>,
    /// The extensions that the opening handshake agreed on.
    pub extensions: AgreedExtensions,
}

/// What is left when a link was closed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LinkEnd {
    /// How the last connection ended, or the last attempt; `None` if there was none.
    pub ending: Option<Arc<Ending>>,
    /// The messages that were written over the connection that was closed, by the numbers of their
    /// [receipts](crate::reconnect::Receipt). If both Close frames were exchanged and ours was the first
    /// ([`Ending::is_clean`], [`Ending::cause`]), the peer has received them; otherwise nobody knows.
    pub in_doubt: Range<u64>,
    /// The messages that were accepted and did not leave.
    pub unsent: Vec<Unsent>,
}

/// A message that was accepted, did not leave whole, and is returned: the peer has not seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsent {
    /// The number of its [receipt](crate::reconnect::Receipt).
    pub number: u64,
    /// The message.
    pub message: Message,
}

/// A message that was not accepted, and is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSent {
    /// There is no connection, and the link was told to fail
    /// ([`WhileDown::Fail`](crate::reconnect::WhileDown::Fail)).
    Down(Message),
    /// There is no connection, and as much is kept as the link was told to
    /// ([`WhileDown::Keep`](crate::reconnect::WhileDown::Keep)); or, from
    /// [`try_send`](crate::reconnect::LinkSender::try_send), the connection is busy.
    Full(Message),
    /// The link was closed, has given up, or is gone.
    Over(Message),
}

impl NotSent {
    /// The message.
    #[must_use]
    pub fn into_message(self) -> Message {
        match self {
            Self::Down(message) | Self::Full(message) | Self::Over(message) => message,
        }
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down(_) => "message not sent: there is no connection right now",
            Self::Full(_) => "message not sent: there is no room for it right now",
            Self::Over(_) => "message not sent: the link is closed or has given up",
        })
    }
}

impl Error for NotSent {}

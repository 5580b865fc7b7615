//! [`Event`]: what happens to a session.

use std::sync::Arc;

use revoir_proto::{Ending, Message, Utf8Bytes};
use revoir_session::{BackendChanged, Fate, GapReason, GoAway, Key};

use crate::reconnect::Decision;
use crate::session::attached::Attached;
use crate::session::ending::SessionEnding;

/// What happens to a session, in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A message of the peer's application: once, and in order.
    #[non_exhaustive]
    Message {
        /// What it is called.
        key: Key,
        /// The message.
        message: Message,
    },
    /// The session has a connection.
    Attached(Box<Attached>),
    /// The session has no connection any more; or, at a client, an attempt to get another one failed.
    #[non_exhaustive]
    Detached {
        /// How it ended.
        ending: Arc<Ending>,
        /// Client: when the next attempt is made, and by which rule.
        decision: Option<Decision>,
    },
    /// Messages of the peer that will not come.
    #[non_exhaustive]
    Gap {
        /// The first of them.
        key: Key,
        /// How many; for a reason that [is not exact](GapReason::is_exact), at most.
        count: u64,
        /// Why.
        reason: GapReason,
    },
    /// A message of this side, back: it will not be sent (again).
    #[non_exhaustive]
    Returned {
        /// What it was called.
        key: Key,
        /// The message.
        message: Message,
        /// What became of it.
        fate: Fate,
    },
    /// A message of this side that was in doubt is sent again, under another name.
    #[non_exhaustive]
    SentAgain {
        /// What it was called in the session that is over.
        from: Key,
        /// What it is called now.
        to: Key,
    },
    /// The gateway in between has another backend from this place among the messages on.
    BackendChanged(BackendChanged),
    /// The server is about to close the connection.
    GoAway(GoAway),
    /// Whether the server's store is away, so that a loss of the server would lose the session.
    Volatile(bool),
    /// The session is over: the last event.
    Ended(Arc<SessionEnding>),
}

/// Why text is text: applications give text, and what peers send was checked.
const CHECKED: &str = "text of a session was checked when it came";

/// A message of the protocol, as the application gets it.
pub(super) fn to_application(message: revoir_session::Message) -> Message {
    match message {
        revoir_session::Message::Text(text) => {
            Message::Text(Utf8Bytes::try_from(text).expect(CHECKED))
        }
        revoir_session::Message::Binary(bytes) => Message::Binary(bytes),
    }
}

/// A message that came, as the protocol takes it.
pub(super) fn to_protocol(message: Message) -> revoir_session::Message {
    match message {
        Message::Text(text) => revoir_session::Message::Text(text.into_bytes()),
        Message::Binary(bytes) => revoir_session::Message::Binary(bytes),
    }
}

//! [`Event`]: what an end has to tell.

use bytes::Bytes;
use revoir_codes::SendCode;

use crate::key::Key;
use crate::wire::{self, BackendChanged, Bye, GapReason, GoAway, Verdict, Violation, Welcome};

/// A WebSocket message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// Text. What carries the session checks that it is UTF-8.
    Text(Bytes),
    /// Binary.
    Binary(Bytes),
}

/// What an end has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message of the peer's application: handed over once, in order.
    Message {
        /// What it is called.
        key: Key,
        /// The message.
        message: Message,
    },
    /// Messages of the peer that will not come.
    Gap {
        /// The first of them.
        key: Key,
        /// How many; for a reason that [is not exact](GapReason::is_exact), at most.
        count: u64,
        /// Why.
        reason: GapReason,
    },
    /// The gateway has another backend connection for the session. At this place among the
    /// messages the new one begins.
    BackendChanged(BackendChanged),
    /// What the server said to HELLO.
    Welcome(Box<Welcome>),
    /// The server will close the connection.
    GoAway(GoAway),
    /// Whether the server's store is away, so that a loss of the server would lose the session.
    Volatile(bool),
    /// The server gave another token.
    Token,
    /// A message of ours, back: it will not be sent (again).
    Returned {
        /// What it was called.
        key: Key,
        /// The message.
        message: Message,
        /// What became of it.
        fate: Fate,
    },
    /// A message of ours that was in doubt is sent again, under another name.
    SentAgain {
        /// What it was called in the session that is over.
        from: Key,
        /// What it is called now.
        to: Key,
    },
    /// There is room for a message again, after `send` had none.
    Writable,
    /// The session is over: the last event.
    Ended(Ended),
}

/// What became of a message that is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// The peer did not take it.
    NotTaken,
    /// The peer may have taken it, or not.
    InDoubt,
    /// The connection failed twice at it, so it is left out.
    Quarantined,
}

impl Fate {
    /// The name in the specification.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::NotTaken => "not-taken",
            Self::InDoubt => "in-doubt",
            Self::Quarantined => "quarantined",
        }
    }
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The peer said BYE.
    ByPeer(Bye),
    /// We said BYE, and the peer has it.
    Locally(Bye),
    /// The client did not come back in time, or the server lost what the session needs.
    Lost(Loss),
    /// Another connection has the session.
    TakenOver,
    /// The peer broke a rule.
    Violation(Violation),
    /// The peer says that we broke a rule.
    Refused,
}

/// Why a server's session is over without a BYE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// Nobody came back in time.
    Expired,
    /// More was to be kept than may be.
    Overflow,
    /// The client is of another history than the session.
    Epoch,
    /// The backend is another one, and does not know the session.
    Backend,
}

impl Loss {
    /// What a client is told that wants the session.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Expired => Verdict::Expired,
            Self::Overflow => Verdict::Overflow,
            Self::Epoch => Verdict::Epoch,
            Self::Backend => Verdict::Backend,
        }
    }
}

/// A Close frame to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// Its code.
    pub code: SendCode,
    /// Its reason, at most 123 bytes.
    pub reason: String,
}

impl Close {
    /// 4090: another connection has the session. Its client does not come back.
    pub const TAKEN_OVER: u16 = wire::TAKEN_OVER;
    /// 4094: the peer broke a rule of the session protocol. The session is over.
    pub const VIOLATION: u16 = wire::VIOLATION;

    /// What follows a BYE: its code and its reason.
    #[must_use]
    pub fn of(bye: &Bye) -> Self {
        Self {
            code: bye.code,
            reason: bye.reason.clone(),
        }
    }

    /// What a connection is told whose session another one has taken over.
    #[must_use]
    pub fn taken_over() -> Self {
        Self {
            code: SendCode::literal::<{ Self::TAKEN_OVER }>(),
            reason: "session taken over by another connection".to_owned(),
        }
    }

    /// What a peer is told that broke a rule.
    #[must_use]
    pub fn violation(violation: Violation) -> Self {
        Self {
            code: SendCode::literal::<{ Self::VIOLATION }>(),
            reason: format!("session protocol error: {}", violation.id()),
        }
    }

    /// What a peer is told that does not say what it has to in time.
    #[must_use]
    pub fn timeout(what: &str) -> Self {
        Self {
            code: SendCode::TIMEOUT,
            reason: what.to_owned(),
        }
    }
}

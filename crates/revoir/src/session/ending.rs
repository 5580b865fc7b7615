//! [`SessionEnding`]: why a session is over.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use revoir_proto::Ending;
use revoir_session::{Bye, Ended};

use crate::reconnect::Decision;

/// Why a session is over. Each has one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionEnding {
    /// By the protocol: one end said goodbye, nobody came in time, a rule was broken.
    Ended(Ended),
    /// Client: a connection ended, or an attempt failed, after which the policy does not come back.
    #[non_exhaustive]
    GaveUp {
        /// How it ended.
        ending: Arc<Ending>,
        /// The rule that says so.
        decision: Decision,
    },
    /// Server: another server has the session, or will have it, and goes on with what the store has of it. What the client had
    /// not acknowledged is not returned: it is that server's to send.
    Elsewhere,
    /// Client: the server did not choose the subprotocol `revoir.v1`, so it has no sessions.
    NotSpoken,
    /// Client: closed by this side, and the server did not answer in time.
    Abandoned,
}

impl SessionEnding {
    /// The goodbye of whichever end said it, if one did.
    #[must_use]
    pub const fn bye(&self) -> Option<&Bye> {
        match self {
            Self::Ended(Ended::ByPeer(bye) | Ended::Locally(bye)) => Some(bye),
            _ => None,
        }
    }
}

impl fmt::Display for SessionEnding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(Ended::ByPeer(bye)) => write!(
                f,
                "session over: the {} at the other end closed it, {} {}",
                bye.origin.id(),
                bye.code.get(),
                bye.reason
            ),
            Self::Ended(Ended::Locally(bye)) => {
                write!(f, "session over: closed by this side, {}", bye.code.get())?;
                write!(f, " {}", bye.reason)
            }
            Self::Ended(Ended::Lost(loss)) => {
                write!(f, "session over: {}", loss.verdict().id())
            }
            Self::Ended(Ended::TakenOver) => {
                f.write_str("session over: another client has shown its token")
            }
            Self::Ended(Ended::Violation(violation)) => write!(f, "session over: {violation}"),
            Self::Ended(_) => {
                f.write_str("session over: the peer says that this side broke a rule")
            }
            Self::GaveUp { ending, decision } => {
                write!(f, "session over: {ending}: {decision}")
            }
            Self::Elsewhere => f.write_str("session over here: it goes on at another server"),
            Self::NotSpoken => f.write_str("no session: the server does not speak revoir.v1"),
            Self::Abandoned => {
                f.write_str("session over: closed by this side, and the server did not answer")
            }
        }
    }
}

impl Error for SessionEnding {}

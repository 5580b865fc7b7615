//! [`Attached`]: what is known once a session has a connection.

use std::time::Duration;

use revoir_session::{SessionId, Verdict, Welcome};

/// A session has a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attached {
    /// What became of the session that the client wanted: new, resumed, or a fresh one and why.
    pub verdict: Verdict,
    /// The session.
    pub session: SessionId,
    /// Which connection of the session this is; the first is 1.
    pub generation: u64,
    /// Client, with a fresh session: how many of its messages the old one took, if that is known.
    pub received: Option<u64>,
    /// Client, with a fresh session: how many messages of the server it will never get, if that is known.
    pub lost: Option<u64>,
    /// Client: whether these are bounds, since the server lost what it knew.
    pub bound: bool,
    /// For how long the session outlives the connection.
    pub ttl: Duration,
    /// The application's subprotocol.
    pub protocol: Option<String>,
    /// Header fields of the application at the other end, a line each: at a client those of WELCOME, at a server those
    /// of HELLO.
    pub headers: Option<String>,
}

impl From<Welcome> for Attached {
    fn from(welcome: Welcome) -> Self {
        Self {
            verdict: welcome.verdict,
            session: welcome.session,
            generation: welcome.generation,
            received: welcome.received,
            lost: welcome.lost,
            bound: welcome.bound,
            ttl: welcome.ttl,
            protocol: welcome.protocol,
            headers: welcome.headers,
        }
    }
}

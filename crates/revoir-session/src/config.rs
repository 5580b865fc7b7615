//! [`Config`]: what an end is told.

use std::time::Duration;

use crate::wire::Window;

/// What an end of a session is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// What is kept at most of messages that the peer has not acknowledged.
    pub window: Window,
    /// For how long the session outlives its connection: at a server at most, at a client as wanted.
    pub ttl: Duration,
    /// A server sends something at least this often. Zero: it does not.
    pub heartbeat: Duration,
    /// When received messages may be acknowledged.
    pub acks: Acks,
    /// What a server does with a full window while its client is away.
    pub overflow: Overflow,
    /// What a client does with messages that may have been taken already.
    pub in_doubt: InDoubt,
}

impl Default for Config {
    /// 1,024 messages and 256 KiB, 120 s, a heartbeat of 25 s, acknowledged when received, sessions
    /// that are too full expire, what is in doubt is returned.
    fn default() -> Self {
        Self {
            window: Window::DEFAULT,
            ttl: Duration::from_secs(120),
            heartbeat: Duration::from_secs(25),
            acks: Acks::OnReceipt,
            overflow: Overflow::Expire,
            in_doubt: InDoubt::Return,
        }
    }
}

/// When received messages may be acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acks {
    /// As soon as they are handed over.
    OnReceipt,
    /// When [`commit`](crate::Session::commit) says that a store has them, or that they were handled.
    OnCommit,
}

/// What a server does with a full window while its client is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The session is over; its client is told `fresh:overflow`.
    Expire,
    /// The oldest message goes, and its client is told how many went.
    DropOldest,
    /// Nothing more is taken, as if the client were there.
    Wait,
}

/// What a client does with messages that may have been taken already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InDoubt {
    /// They are returned with their keys.
    Return,
    /// They are sent again.
    Again,
}

//! [`Line`]: the connection that a session has just now.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::event::{Close, Message};
use crate::wire::{GoAway, Token, Welcome};

/// One of the connections of a session. At a server it is the generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// The connection, and what is to be written to it before messages.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) id: ConnectionId,
    /// Whether WELCOME was received, or is sent.
    pub(crate) is_open: bool,
    /// Client: whether HELLO named a session.
    pub(crate) wants_session: bool,
    /// HELLO or WELCOME.
    pub(crate) first: Option<Bytes>,
    /// Server: whether WELCOME says that the store is away.
    pub(crate) says_volatile: bool,
    pub(crate) token: Option<Token>,
    pub(crate) goaway: Option<GoAway>,
    pub(crate) ping: bool,
    pub(crate) pong: bool,
    /// Messages of a session that is over, before the Close.
    pub(crate) last: VecDeque<Message>,
    /// What is written last.
    pub(crate) close: Option<Close>,
    pub(crate) is_closing: bool,
    /// When something was received, and written.
    pub(crate) heard: Duration,
    pub(crate) spoke: Duration,
    /// When PING was written, or the connection began.
    pub(crate) asked: Duration,
    /// Until when the peer has to answer a probe.
    pub(crate) probe: Option<Duration>,
}

impl Line {
    pub(crate) fn new(now: Duration, id: ConnectionId, first: Bytes) -> Self {
        Self {
            id,
            is_open: false,
            wants_session: false,
            first: Some(first),
            says_volatile: false,
            token: None,
            goaway: None,
            ping: false,
            pong: false,
            last: VecDeque::new(),
            close: None,
            is_closing: false,
            heard: now,
            spoke: now,
            asked: now,
            probe: None,
        }
    }

    /// Has WELCOME say that the store is away, if it was not written yet.
    pub(crate) fn say_volatile(&mut self) {
        if let Some(welcome) = &mut self.first
            && let Some(volatile) = Welcome::made_volatile(welcome)
        {
            *welcome = volatile;
            self.says_volatile = true;
        }
    }

    /// Closes it, unless it is closing.
    pub(crate) fn close(&mut self, close: Close) {
        if !self.is_closing {
            self.close.get_or_insert(close);
        }
    }
}

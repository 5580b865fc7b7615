//! [`Observer`]: what happens to requests and connections, for counters and logs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::relay::{Ended, HoldCause, RedialFailure};
use crate::watch::exchange::Exchange;
use crate::watch::handle::{Handle, Record};
use crate::watch::request::LoggedRequest;

/// What somebody asked for too much of. A message that is too long is an ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// The head of a request is too long: 431.
    Head,
    /// A request did not come in time: 408.
    Time,
    /// There are too many WebSocket connections: 503.
    Connections,
    /// There are too many connections of every kind: 503.
    Sockets,
    /// This process may not have enough files open for another connection: 503.
    Files,
    /// There are too many connections from one address: 429.
    Address,
    /// There are too many handshakes at once: 503.
    Rate,
    /// A page is from elsewhere: 403.
    Origin,
    /// A client sends too many messages: 1008.
    Messages,
    /// A client sends too many bytes: 1008.
    Bytes,
    /// Too many handshakes wait for a backend: 503.
    Waiting,
    /// All holds together keep as much as they may: this client is not read from.
    Held,
}

impl Limit {
    /// A stable identifier in kebab case.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Time => "time",
            Self::Connections => "connections",
            Self::Sockets => "sockets",
            Self::Files => "files",
            Self::Address => "address",
            Self::Rate => "rate",
            Self::Origin => "origin",
            Self::Messages => "messages",
            Self::Bytes => "bytes",
            Self::Waiting => "waiting",
            Self::Held => "held",
        }
    }

    /// The key that an operator may turn, if it is a limit for all clients together.
    pub(crate) const fn key(self) -> Option<&'static str> {
        match self {
            Self::Connections => Some("limits.connections"),
            Self::Sockets => Some("limits.sockets"),
            Self::Rate => Some("limits.handshakes-per-second"),
            Self::Waiting => Some("limits.waiting or limits.held-bytes"),
            Self::Held => Some("limits.held-bytes"),
            // It has a line of its own.
            Self::Files
            | Self::Head
            | Self::Time
            | Self::Address
            | Self::Origin
            | Self::Messages
            | Self::Bytes => None,
        }
    }
}

/// Why an auth hook did not say whether a request may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthFailure {
    /// It was busy with others all the time.
    Busy,
    /// It did not answer in time.
    Late,
    /// It could not be reached, broke off, or spoke no HTTP.
    Broken,
}

impl AuthFailure {
    /// A stable identifier in kebab case.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Late => "late",
            Self::Broken => "broken",
        }
    }
}

/// Sees what happens to every request and connection. Every method has an empty default, is called
/// from the tasks that relay, and must not wait.
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Both opening handshakes are done.
    fn opened(&self, handle: &Handle) {
        let _ = handle;
    }

    /// A backend has accepted what a client asked for, so long after it was dialled.
    fn backend_accepted(&self, request: &LoggedRequest, took: Duration) {
        let _ = (request, took);
    }

    /// A client has the session that it asked for, or another one: `verdict` is an identifier of docs/session.md,
    /// `resumed` or `fresh:expired` for example.
    fn session_attached(&self, route: &Arc<str>, verdict: &'static str) {
        let _ = (route, verdict);
    }

    /// One side has ended; a backend that is held over ends once for every hold.
    fn ended(&self, ended: &Ended, handle: &Handle) {
        let _ = (ended, handle);
    }

    /// A client is kept without a backend.
    fn held(&self, why: HoldCause, handle: &Handle) {
        let _ = (why, handle);
    }

    /// A re-dial did not lead to a backend.
    fn redial_failed(&self, redialed: &RedialFailure, handle: &Handle) {
        let _ = (redialed, handle);
    }

    /// A held client has a backend again, after this time.
    fn returned(&self, after: Duration, handle: &Handle) {
        let _ = (after, handle);
    }

    /// A client was held for this time, and ended.
    fn given_up(&self, after: Duration, handle: &Handle) {
        let _ = (after, handle);
    }

    /// A connection is over, both sides of it.
    fn closed(&self, record: Record) {
        let _ = record;
    }

    /// A request that did not become a connection is over, with its answer.
    fn answered(&self, exchange: Exchange) {
        let _ = exchange;
    }

    /// Somebody asked for more than is allowed.
    fn limited(&self, limit: Limit) {
        let _ = limit;
    }

    /// The auth hook of a route did not say whether a request may pass: it is refused.
    fn auth_failed(&self, route: &Arc<str>, why: AuthFailure) {
        let _ = (route, why);
    }
}

/// Nobody looks.
#[derive(Debug)]
pub struct Unobserved;

impl Observer for Unobserved {}

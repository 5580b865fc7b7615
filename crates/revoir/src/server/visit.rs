//! [`Visit`]: a client that has a place.

use std::net::SocketAddr;
use std::sync::Arc;

use tracing::Span;

use revoir_proto::Role;

use crate::below::Shown;
use crate::drain::Seat;
use crate::observer::ConnectionInfo;

/// A client that has a place.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) id: u32,
    pub(super) peer: Option<SocketAddr>,
    /// What it has shown in TLS.
    pub(super) shown: Option<Arc<Shown>>,
    pub(super) seat: Seat,
    pub(super) span: Span,
}

impl Visit {
    /// What an observer hears of it, as long as there is no request.
    pub(super) fn info(&self) -> ConnectionInfo<'_> {
        ConnectionInfo {
            shown: self.shown.as_deref(),
            ..nameless(self.id, self.peer)
        }
    }
}

/// A client of whom nothing but its address is known.
pub(super) fn nameless(id: u32, peer: Option<SocketAddr>) -> ConnectionInfo<'static> {
    ConnectionInfo {
        id,
        role: Role::Server,
        peer,
        path: None,
        subprotocol: None,
        shown: None,
        user: None,
    }
}

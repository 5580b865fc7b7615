//! [`Visit`]: a client that has a place.

use std::net::SocketAddr;

use tracing::Span;

use crate::drain::Seat;

/// A client that has a place.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) peer: Option<SocketAddr>,
    pub(super) seat: Seat,
    pub(super) span: Span,
}

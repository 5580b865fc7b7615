//! [`Start`]: what a connection starts with, after its opening handshake.

use std::sync::Arc;

use bytes::BytesMut;
use revoir_proto::extension::AgreedExtensions;
use revoir_proto::{Config, Role};
use tracing::Span;

use crate::drain::{Seat, Tracker};
use crate::observer::Observer;

/// What a connection starts with.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) role: Role,
    pub(crate) config: Arc<Config>,
    pub(crate) agreed: Agreed,
    /// Bytes that came behind the handshake.
    pub(crate) input: BytesMut,
    pub(crate) home: Arc<Home>,
    /// The place of a server's connection.
    pub(crate) seat: Option<Seat>,
    /// What the log calls the connection.
    pub(crate) span: Span,
}

/// What the opening handshake agreed on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agreed {
    pub(crate) subprotocol: Option<String>,
    pub(crate) extensions: AgreedExtensions,
}

/// What the connections of one client or acceptor share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Home {
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// Where a server's connections are known.
    pub(crate) tracker: Option<Tracker>,
}

/// What a connection keeps of its start, if there is any.
#[derive(Debug)]
pub(super) struct Extras {
    pub(super) agreed: Agreed,
    /// Disabled if nobody listens.
    pub(super) span: Span,
}

impl Extras {
    pub(super) fn new(agreed: Agreed, span: Span) -> Option<Box<Self>> {
        let is_plain =
            agreed.subprotocol.is_none() && agreed.extensions == AgreedExtensions::default();
        (!is_plain || !span.is_disabled()).then(|| Box::new(Self { agreed, span }))
    }
}

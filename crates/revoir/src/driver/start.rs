//! [`Start`]: what a connection starts with, after its opening handshake.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use http::Extensions;
use revoir_proto::extension::AgreedExtensions;
use revoir_proto::{Config, Role};
use tracing::Span;

use crate::below::Shown;
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
    pub(crate) known: Known,
}

/// What is known of a connection beside what it agreed on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) id: u32,
    /// Where the transport does not tell it.
    pub(crate) peer: Option<SocketAddr>,
    /// The path that was asked for, without the query.
    pub(crate) path: Option<Box<str>>,
    /// What TLS knows, as long as somebody may ask.
    pub(crate) shown: Option<Arc<Shown>>,
    /// What the application has noted.
    pub(crate) user: Extensions,
}

/// What the opening handshake agreed on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agreed {
    pub(crate) subprotocol: Option<String>,
    pub(crate) extensions: AgreedExtensions,
}

/// What the connections of one client or acceptor share.
#[derive(Clone, Default)]
pub(crate) struct Home {
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// Where a server's connections are known.
    pub(crate) tracker: Option<Tracker>,
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home")
            .field("has_observer", &self.observer.is_some())
            .field("tracker", &self.tracker)
            .finish()
    }
}

/// The path that costs nothing to remember.
pub(super) const ROOT: &str = "/";

/// What a connection keeps of its start, if there is any.
#[derive(Debug)]
pub(super) struct Extras {
    pub(super) agreed: Agreed,
    pub(super) known: Known,
    /// Disabled if nobody listens.
    pub(super) span: Span,
}

impl Extras {
    /// `is_heard_of`: somebody may ask for the path.
    pub(super) fn new(
        agreed: Agreed,
        known: Known,
        span: Span,
        is_heard_of: bool,
    ) -> Option<Box<Self>> {
        let has_path = is_heard_of && known.path.as_deref().is_some_and(|path| path != ROOT);
        let is_plain = agreed.subprotocol.is_none()
            && agreed.extensions == AgreedExtensions::default()
            && known.peer.is_none()
            && known.shown.is_none()
            && known.user.is_empty()
            && !has_path;
        (!is_plain || !span.is_disabled()).then(|| {
            Box::new(Self {
                agreed,
                known,
                span,
            })
        })
    }
}

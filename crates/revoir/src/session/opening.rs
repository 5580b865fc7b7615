//! [`Opening`] and [`Accepted`]: a session that is about to begin.

use revoir_session::{Hello, Loss, Verdict};

/// A client begins a session: what it says of it, and what is asked before it is welcomed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opening {
    /// Why it is a new one. Or [`Resumed`](Verdict::Resumed): it is in the store, its server was lost, and this one goes on with
    /// it from there, with a handler of its own.
    pub verdict: Verdict,
    /// The subprotocols that its application offers, as in `Sec-WebSocket-Protocol`.
    pub protocols: Option<String>,
    /// Header fields of its application, a line each.
    pub headers: Option<String>,
}

impl Opening {
    pub(super) fn new(hello: &Hello, verdict: Verdict) -> Self {
        Self {
            verdict,
            protocols: hello.protocols.clone(),
            headers: hello.headers.clone(),
        }
    }
}

/// A session is welcome.
#[derive(Clone, Debug)]
pub struct Accepted<H> {
    pub(super) handler: H,
    pub(super) protocol: Option<String>,
    pub(super) headers: Option<String>,
    pub(super) loss: Option<Loss>,
}

impl<H> Accepted<H> {
    /// `handler` runs on it, in a task of its own.
    pub const fn new(handler: H) -> Self {
        Self {
            handler,
            protocol: None,
            headers: None,
            loss: None,
        }
    }

    /// The subprotocol that is chosen of those offered.
    #[must_use]
    pub fn with_protocol(mut self, protocol: Option<String>) -> Self {
        self.protocol = protocol;
        self
    }

    /// Header fields for the client's application, a line `name: value` each, parted by LF. WELCOME has at most 16,384
    /// bytes with them.
    #[must_use]
    pub fn with_headers(mut self, headers: Option<String>) -> Self {
        self.headers = headers;
        self
    }

    /// It cannot go on with a session that is [resumed](Verdict::Resumed) from the store: that one is lost for this reason, its
    /// client is told so, and the handler is for a new one.
    #[must_use]
    pub const fn with_loss(mut self, loss: Loss) -> Self {
        self.loss = Some(loss);
        self
    }
}

//! [`Step`]: one thing that was tried, and what came of it.

use std::time::Duration;

/// One thing that was tried, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) id: StepId,
    pub(crate) outcome: Outcome,
    /// Facts on one line, for people: addresses, versions, values of header fields. No secrets.
    pub(crate) text: String,
    pub(crate) took: Duration,
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum StepId {
    /// What a browser lets a page do before anything is sent.
    Page,
    /// Who opens the way, where that is a proxy.
    Proxy,
    Name,
    Tcp,
    Tls,
    /// What the server chooses when HTTP/2 is offered too.
    Alpn,
    /// The opening handshake.
    Opening,
    /// The scheme that the URL does not have.
    OtherScheme,
    /// The opening handshake once more, without the Origin.
    WithoutOrigin,
    FirstMessage,
    Ping,
    /// A pong that nobody asked for.
    Pong,
    /// The closing handshake with 1000.
    Close,
    /// A message in two fragments with a ping between them.
    Fragments,
    /// A Close frame without a code.
    EmptyClose,
    /// Large messages.
    Sizes,
    Hold,
    /// What a page would have learnt of it.
    PageSees,
    /// A connection in a capture file.
    Capture,
}

impl StepId {
    /// A stable identifier in kebab case.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Proxy => "proxy",
            Self::Name => "name",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Alpn => "alpn",
            Self::Opening => "opening",
            Self::OtherScheme => "other-scheme",
            Self::WithoutOrigin => "without-origin",
            Self::FirstMessage => "first-message",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Close => "close",
            Self::Fragments => "fragments",
            Self::EmptyClose => "empty-close",
            Self::Sizes => "sizes",
            Self::Hold => "hold",
            Self::PageSees => "page-sees",
            Self::Capture => "capture",
        }
    }
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it should.
    Passed,
    /// As it may, and worth knowing.
    Noted,
    /// As it should not.
    Failed,
    /// It was not tried.
    Skipped,
}

impl Outcome {
    /// A stable identifier.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Noted => "noted",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

//! The causes of 1006, in the order in which a connection lives.

use crate::catalog::locale::Locale;
use crate::catalog::text::CauseText;
use crate::generated::catalog::CAUSES;

/// What is known of a cause of 1006, without a word of prose.
#[derive(Debug)]
#[non_exhaustive]
pub struct CauseFacts {
    /// A stable identifier in kebab case.
    pub id: &'static str,
    /// When it strikes.
    pub phase: Phase,
    /// Who reports 1006.
    pub seen_by: &'static [Witness],
}

/// When in the life of a connection a cause strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing left the machine.
    BeforeSend,
    /// Before the 101, or because of it.
    Handshake,
    /// While messages could flow.
    Open,
    /// After a Close frame was sent.
    Closing,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: [Self; 4] = [Self::BeforeSend, Self::Handshake, Self::Open, Self::Closing];

    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::BeforeSend => "before-send",
            Self::Handshake => "handshake",
            Self::Open => "open",
            Self::Closing => "closing",
        }
    }
}

/// One who reports 1006.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Witness {
    /// A page in a browser.
    Browser,
    /// A client outside a browser.
    Client,
    /// A server.
    Server,
}

impl Witness {
    /// A stable identifier.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// Every cause with its text in a language.
pub fn causes(locale: &Locale) -> impl Iterator<Item = (&'static CauseFacts, &'static CauseText)> {
    CAUSES.iter().zip(locale.bodies().causes)
}

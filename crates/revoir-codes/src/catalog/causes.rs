//! The causes of endings, in the order in which a connection lives; most are causes of 1006.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

use crate::catalog::locale::Locale;
use crate::catalog::text::CauseText;
use crate::code::CloseCode;
use crate::generated::catalog::CAUSES;
use crate::generated::signs::Sign;

/// What is known of a cause, without a word of prose.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CauseFacts {
    /// A stable identifier in kebab case.
    pub id: &'static str,
    /// When it strikes.
    pub phase: Phase,
    /// Whether it may strike in any phase, although mostly in this one.
    pub any_phase: bool,
    /// Who reports it.
    pub seen_by: &'static [Witness],
    /// How common it is among endings that somebody asks about, in decibans: ten times the
    /// logarithm of the odds, on a scale of its own.
    pub prior: i16,
    /// A command that proves or refutes it. `{ws}`, `{http}`, `{host}` and `{port}` stand for the URL and its parts,
    /// words in capitals for what only its user knows.
    pub command: &'static str,
    /// What people say when they look for it, mostly in English; for a search.
    pub said: Option<&'static str>,
    /// What they name beside it: products and libraries with which it is common; for a search.
    pub near: Option<&'static str>,
    /// The topic of the settings that fix it ([`settings`](super::diagnosis::settings)).
    pub settings: Option<&'static str>,
    /// The close codes it is seen as.
    pub codes: &'static [Codes],
    /// The signs that speak for it (positive) and against it (negative), in decibans.
    pub signs: &'static [(Sign, i16)],
}

impl CauseFacts {
    /// What a sign weighs for this cause; `None` if it says nothing.
    #[must_use]
    pub fn weight_of(&self, sign: Sign) -> Option<i16> {
        let known = self.signs.iter().find(|(of, _)| *of == sign);
        known
            .map(|(_, weight)| *weight)
            .filter(|weight| *weight != 0)
    }

    /// The command for a URL, given as its scheme (`ws` or `wss`), host, port and path; without one, words in capitals
    /// stand for it.
    #[must_use]
    pub fn command_for(&self, url: Option<(&str, &str, u16, &str)>) -> String {
        let (scheme, host, port, path) = match url {
            Some((scheme, host, port, path)) => (scheme, host, port.to_string(), path),
            None => ("wss", "HOST", "PORT".to_owned(), "/PATH"),
        };
        let http = scheme.replacen("ws", "http", 1);
        self.command
            .replace("{ws}", &format!("{scheme}://{host}:{port}{path}"))
            .replace("{http}", &format!("{http}://{host}:{port}{path}"))
            .replace("{host}", host)
            .replace("{port}", &port)
    }

    /// Whether it is a cause of 1006.
    #[must_use]
    pub fn is_abnormal(&self) -> bool {
        self.is_seen_as(CloseCode::ABNORMAL_CLOSURE)
    }

    /// Whether it is seen as this code.
    #[must_use]
    pub fn is_seen_as(&self, code: CloseCode) -> bool {
        self.codes.iter().any(|codes| codes.contains(code))
    }

    /// The text in a language.
    #[must_use]
    pub fn text(&self, locale: &Locale) -> Option<&'static CauseText> {
        let index = CAUSES.iter().position(|of| of.id == self.id)?;
        locale.bodies().causes.get(index)
    }
}

/// Close codes as which a cause is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// The first.
    pub first: u16,
    /// The last, included.
    pub last: u16,
    /// What one of them weighs for the cause, in decibans; 0 if it is only to be expected.
    pub weight: i16,
}

impl Codes {
    /// Whether a code is one of them.
    #[must_use]
    pub const fn contains(&self, code: CloseCode) -> bool {
        self.first <= code.get() && code.get() <= self.last
    }
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
    pub const ALL: &'static [Self] =
        &[Self::BeforeSend, Self::Handshake, Self::Open, Self::Closing];

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

/// One who reports an ending.
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

/// Every cause of 1006 with its text in a language.
pub fn causes(locale: &Locale) -> impl Iterator<Item = (&'static CauseFacts, &'static CauseText)> {
    all_causes(locale).filter(|(facts, _)| facts.is_abnormal())
}

/// Every cause with its text in a language, also of endings with a Close frame.
pub fn all_causes(
    locale: &Locale,
) -> impl Iterator<Item = (&'static CauseFacts, &'static CauseText)> {
    CAUSES.iter().zip(locale.bodies().causes)
}

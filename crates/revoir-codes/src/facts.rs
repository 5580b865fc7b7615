//! [`Facts`]: what is known of a close code, in numbers and flags.

use core::fmt;

use crate::code::CloseCode;
use crate::generated::facts::{ENTRIES, REGISTERED};
use crate::range::CodeRange;
use crate::retry::Advice;

/// What is known of one registered code, or of any code in a range, without a word of prose.
///
/// The table is generated from `data/codes.toml`; the prose lives in `data/locales/`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Facts {
    /// What the facts are about.
    pub scope: Scope,
    /// The name: of a code in the registry's words, of a range in plain English.
    pub name: &'static str,
    /// Of a code, the name of its constant in [`CloseCode`]; of a range, [`CodeRange::id`].
    pub id: &'static str,
    /// Other English names by which people and libraries call it, in lower case.
    pub aliases: &'static [&'static str],
    /// Names that stand for the number in logs, letters only, in lower case: `goingaway`.
    pub spelled: &'static [&'static str],
    /// What people say when they look for it, mostly in English; for a search.
    pub said: Option<&'static str>,
    /// What they name beside it: products and libraries with which it is common; for a search.
    pub near: Option<&'static str>,
    /// Where it was defined, such as `RFC 6455 §7.4.1`.
    pub reference: &'static str,
    /// Whether the number travels in Close frames.
    pub wire: Wire,
    /// Who may put the code into a Close frame.
    pub senders: Senders,
    /// Whether the ending that the code names is clean (RFC 6455 section 7.1.4).
    pub clean: Clean,
    /// What a page in a browser gets to see.
    pub browser: Browser,
    /// How much the code should worry its reader.
    pub severity: Severity,
    /// The nearest HTTP status, if there is one.
    pub http: Option<u16>,
    /// Codes that are often confused with this one, the nearest first.
    pub related: &'static [CloseCode],
    /// What a client does next.
    pub client_advice: Advice,
    /// What a server does next, when its client's connection ended this way.
    pub server_advice: Advice,
    /// The position in the catalogue's tables.
    #[cfg_attr(
        not(feature = "catalog"),
        expect(dead_code, reason = "only the catalogue has tables")
    )]
    pub(crate) entry: usize,
}

/// What [`Facts`] are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One registered code.
    Code(CloseCode),
    /// Every code of a range that is not registered.
    Range(CodeRange),
}

impl Facts {
    /// The facts of every registered code, in order.
    #[must_use]
    pub fn registered() -> &'static [Self] {
        &ENTRIES[..REGISTERED]
    }

    /// The facts of every range, in order. [`CodeRange::Protocol`] has none of its own: each of
    /// its codes is registered.
    #[must_use]
    pub fn ranges() -> &'static [Self] {
        &ENTRIES[REGISTERED..]
    }

    /// The facts of `code`, or what its range can say of it.
    #[must_use]
    pub fn of(code: CloseCode) -> &'static Self {
        Self::of_registered(code).unwrap_or_else(|| match code.range() {
            CodeRange::Unused | CodeRange::Protocol => &ENTRIES[REGISTERED],
            CodeRange::ProtocolUnassigned => &ENTRIES[REGISTERED + 1],
            CodeRange::Registered => &ENTRIES[REGISTERED + 2],
            CodeRange::Private => &ENTRIES[REGISTERED + 3],
            CodeRange::OutOfRange => &ENTRIES[REGISTERED + 4],
        })
    }

    /// The facts of `code`, if it is registered.
    #[must_use]
    pub fn of_registered(code: CloseCode) -> Option<&'static Self> {
        Self::registered()
            .iter()
            .find(|facts| facts.scope == Scope::Code(code))
    }
}

impl CloseCode {
    /// The registered name in the registry's words, if the code is registered.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Facts::of_registered(self).map(|facts| facts.name)
    }

    /// Whether somebody may mean a close code by the number: it is registered, or may be sent.
    #[cfg(feature = "catalog")]
    pub(crate) fn is_likely(self) -> bool {
        self.may_be_received() || self.name().is_some()
    }

    /// What is known of the code, or of its range.
    #[must_use]
    pub fn facts(self) -> &'static Facts {
        Facts::of(self)
    }

    /// Every registered code, in order.
    pub fn registered() -> impl Iterator<Item = Self> + Clone {
        Facts::registered()
            .iter()
            .filter_map(|facts| match facts.scope {
                Scope::Code(code) => Some(code),
                Scope::Range(_) => None,
            })
    }
}

/// The number and, for a registered code, its name: `1012 Service Restart`.
/// For any other the kind of range: `4001 (private use)`.
impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {name}", self.get()),
            None => write!(f, "{} ({})", self.get(), self.range().name()),
        }
    }
}

/// Whether a number travels in Close frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wire {
    /// It is sent in Close frames.
    Frame,
    /// It is never sent: an endpoint uses it to name an ending by itself.
    Local,
    /// It is never sent, and names nothing.
    Never,
}

impl Wire {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Local => "local",
            Self::Never => "never",
        }
    }
}

/// One who could put a code into a Close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// The code of a client that is not confined by a browser.
    ClientApplication,
    /// The code of a server.
    ServerApplication,
    /// JavaScript in a page: `close(code)` accepts 1000 and 3000-4999 only.
    Page,
    /// The WebSocket implementation itself, on a client.
    ClientEngine,
    /// The WebSocket implementation itself, on a server.
    ServerEngine,
}

impl Sender {
    /// All of them, in the order in which they are listed.
    pub const ALL: &'static [Self] = &[
        Self::ClientApplication,
        Self::ServerApplication,
        Self::Page,
        Self::ClientEngine,
        Self::ServerEngine,
    ];

    /// A stable identifier in snake case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::ClientApplication => "client_application",
            Self::ServerApplication => "server_application",
            Self::Page => "browser_javascript",
            Self::ClientEngine => "client_engine",
            Self::ServerEngine => "server_engine",
        }
    }
}

/// A set of [`Sender`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Senders(u8);

impl Senders {
    /// Nobody.
    pub const NOBODY: Self = Self(0);
    /// Any application: 1000, 3000-3999 and 4000-4999.
    pub const ANY_APPLICATION: Self = Self::NOBODY
        .and(Sender::ClientApplication)
        .and(Sender::ServerApplication)
        .and(Sender::Page);

    /// This set and `sender`.
    #[must_use]
    pub const fn and(self, sender: Sender) -> Self {
        Self(self.0 | 1 << sender as u8)
    }

    /// Whether `sender` is in the set.
    #[must_use]
    pub const fn contains(self, sender: Sender) -> bool {
        self.0 & (1 << sender as u8) != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in the order of [`Sender::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Sender> {
        Sender::ALL
            .iter()
            .copied()
            .filter(move |&sender| self.contains(sender))
    }
}

/// Whether an ending is clean: both Close frames were exchanged (RFC 6455 section 7.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clean {
    /// A Close frame came, and the reply completes the handshake.
    Yes,
    /// A Close frame came; the side that sent it often drops TCP without waiting for the reply.
    Usually,
    /// No Close frame came.
    No,
    /// A Close frame came with a number that may not be sent: whoever checks it fails the
    /// connection.
    Refused,
}

impl Clean {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Usually => "usually",
            Self::No => "no",
            Self::Refused => "refused",
        }
    }
}

/// What a page's `CloseEvent` says when a connection ends this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Browser {
    /// The code and its reason, `wasClean` true, no `error` event.
    Code,
    /// The code, an empty reason, `wasClean` true, no `error` event.
    CodeWithoutReason,
    /// 1006, an empty reason and `wasClean` false; by the standard after an `error` event, which
    /// Chrome leaves out when an open connection is lost.
    Error1006,
    /// 1006 in Chrome and 1015 in Firefox, an empty reason and `wasClean` false, after an `error`
    /// event.
    TlsFailure,
    /// The number where the browser lets it through; 1006 where the frame is refused.
    Unchecked,
    /// Normally nothing, because clients send the code to servers.
    Nothing,
}

impl Browser {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::CodeWithoutReason => "code-without-reason",
            Self::Error1006 => "error-1006",
            Self::TlsFailure => "tls-failure",
            Self::Unchecked => "unchecked",
            Self::Nothing => "nothing",
        }
    }
}

/// How much a code should worry its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Nothing is wrong.
    Fine,
    /// Expected in operation; the client comes back.
    Planned,
    /// Something is missing: a permission, capacity, a setting.
    Refused,
    /// A connection was lost or a program failed.
    Fault,
    /// The number alone does not tell: the service or framework defines what it means.
    Depends,
}

impl Severity {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::Fault => "fault",
            Self::Depends => "depends",
        }
    }
}

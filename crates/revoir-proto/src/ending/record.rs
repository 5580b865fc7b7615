//! [`Ending`]: the record.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use revoir_codes::CloseCode;

use crate::ending::{Cause, DetailKind, Finish, Initiator, TlsFault};
use crate::error::ProtocolError;
use crate::frame::CloseFrame;
use crate::handshake::{HandshakeError, Refused};

/// Why and how a connection ended. Every connection has exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ending {
    /// What began the ending.
    pub cause: Cause,
    /// The rule, address or error number behind the cause.
    pub detail: Detail,
    /// How the ending finished.
    pub finish: Finish,
    /// Who began the closing handshake; `None` if there was none.
    pub initiator: Option<Initiator>,
    /// The Close frame that was sent, if it left to its last byte.
    pub sent: Option<CloseFrame>,
    /// The Close frame that was received, if its code may stand in one.
    pub received: Option<CloseFrame>,
    /// Whether both sides closed at once: we had begun, but the peer's Close frame arrived before
    /// ours was written.
    pub crossed: bool,
    /// From the open connection to its end.
    pub open_for: Duration,
    /// From the last byte received to the end.
    pub idle_for: Duration,
    /// Whether the peer's bytes stop inside a frame.
    pub in_frame: bool,
    /// Where the application called `close` or `abort`.
    pub closed_at: Option<CallSite>,
    /// At a client: what a server answered that refused the opening handshake.
    pub response: Option<Box<Refused>>,
    /// How many messages were received that nobody took.
    pub discarded: u64,
    /// How many queued bytes never left.
    pub unsent: u64,
}

impl Ending {
    /// The ending of a connection that never opened. The driver fills in what it knows.
    #[must_use]
    pub const fn never_opened(cause: Cause, detail: Detail) -> Self {
        Self {
            cause,
            detail,
            finish: Finish::None,
            initiator: None,
            sent: None,
            received: None,
            crossed: false,
            open_for: Duration::ZERO,
            idle_for: Duration::ZERO,
            in_frame: false,
            closed_at: None,
            response: None,
            discarded: 0,
            unsent: 0,
        }
    }

    /// The code that an application sees (RFC 6455 section 7.1.5): the received one, 1005 for a
    /// Close frame without a code, 1015 for a failed TLS handshake, and 1006 for everything else.
    #[must_use]
    pub const fn code(&self) -> CloseCode {
        match (&self.received, self.cause) {
            (Some(frame), _) => frame.code(),
            (None, Cause::TlsFailed) => CloseCode::TLS_HANDSHAKE,
            (None, _) => CloseCode::ABNORMAL_CLOSURE,
        }
    }

    /// The reason in the peer's Close frame (RFC 6455 section 7.1.6); empty without one.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.received.as_ref().map_or("", |frame| frame.reason())
    }

    /// Whether the connection was closed "cleanly" (RFC 6455 section 7.1.4): both Close frames
    /// were exchanged.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.sent.is_some() && self.received.is_some()
    }

    /// If both Close frames were exchanged: whether ours was written before the peer's arrived.
    #[must_use]
    pub fn sent_first(&self) -> Option<bool> {
        self.is_clean()
            .then_some(self.initiator == Some(Initiator::Local) && !self.crossed)
    }
}

/// The server refused the opening handshake.
impl From<Refused> for Ending {
    fn from(response: Refused) -> Self {
        let mut ending = Self::never_opened(Cause::HandshakeRejected, Detail::None);
        ending.response = Some(Box::new(response));
        ending
    }
}

/// The opening handshake broke a rule.
impl From<HandshakeError> for Ending {
    fn from(error: HandshakeError) -> Self {
        let cause = match error {
            HandshakeError::Eof { .. } => Cause::HandshakeEof,
            _ => Cause::HandshakeInvalid,
        };
        Self::never_opened(cause, Detail::Handshake(Box::new(error)))
    }
}

impl Error for Ending {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.detail {
            Detail::Rule(error) => Some(error),
            Detail::Handshake(error) => Some(&**error),
            Detail::None
            | Detail::Os(_)
            | Detail::Text(_)
            | Detail::Proxy(_)
            | Detail::Tls { .. }
            | Detail::Told { .. } => None,
        }
    }
}

/// What stands behind a cause.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Detail {
    /// Nothing more is known.
    #[default]
    None,
    /// The rule that the peer broke.
    Rule(ProtocolError),
    /// The rule of the opening handshake that was broken.
    Handshake(Box<HandshakeError>),
    /// The operating system's error number.
    Os(i32),
    /// An address, or whatever else the driver knows.
    Text(Cow<'static, str>),
    /// It happened at a proxy, before there was a way to the server: which one, and what.
    /// A status in [`Ending::response`] is the proxy's.
    Proxy(Cow<'static, str>),
    /// The TLS handshake failed.
    Tls {
        /// Why.
        fault: TlsFault,
        /// The words of the TLS library.
        text: Cow<'static, str>,
    },
    /// As it was told elsewhere: read from JSON.
    Told {
        /// Of what kind it was.
        kind: DetailKind,
        /// What it printed.
        text: Cow<'static, str>,
    },
}

impl Detail {
    /// What it is about; `None` if nothing is known.
    #[must_use]
    pub fn kind(&self) -> Option<DetailKind> {
        Some(match self {
            Self::None => return None,
            Self::Rule(_) => DetailKind::Rule,
            Self::Handshake(error) if error.is_garbled() => DetailKind::Garbled,
            Self::Handshake(_) => DetailKind::Handshake,
            Self::Os(_) => DetailKind::Os,
            Self::Text(_) => DetailKind::Text,
            Self::Proxy(_) => DetailKind::Proxy,
            Self::Tls { fault, .. } => DetailKind::Tls(*fault),
            Self::Told { kind, .. } => *kind,
        })
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Rule(error) => write!(f, "{error} ({})", error.section()),
            Self::Handshake(error) => write!(f, "{error} ({})", error.section()),
            Self::Os(number) => write!(f, "os error {number}"),
            Self::Text(text) | Self::Proxy(text) | Self::Told { text, .. } => f.write_str(text),
            // The others say all that there is to say.
            Self::Tls {
                fault:
                    fault @ (TlsFault::Alert
                    | TlsFault::NothingInCommon
                    | TlsFault::WrongName
                    | TlsFault::Other),
                text,
            } => write!(f, "{fault}: {text}"),
            Self::Tls { fault, .. } => fault.fmt(f),
        }
    }
}

/// A place in the application's source code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// The file, as the compiler was told its name.
    pub file: Cow<'static, str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 if it is not known.
    pub column: u32,
}

impl From<&'static Location<'static>> for CallSite {
    fn from(location: &'static Location<'static>) -> Self {
        Self {
            file: Cow::Borrowed(location.file()),
            line: location.line(),
            column: location.column(),
        }
    }
}

impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        match self.column {
            0 => Ok(()),
            column => write!(f, ":{column}"),
        }
    }
}

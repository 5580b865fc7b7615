//! [`HandshakeError`]: the rules of the opening handshake that a peer can break.

use std::error::Error;
use std::fmt;

use crate::extension::{ExtensionError, MalformedExtensions};

/// A rule of the opening handshake that the peer broke. Each variant is one rule, with its
/// [`section`](Self::section) and, for a server, the [`status`](Self::status) to answer with.
///
/// Texts from the peer are limited by the limit on the head.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The first bytes are not HTTP/1. TLS on a plain port starts with 0x16.
    NotHttp {
        /// The first byte that does not fit.
        byte: u8,
    },
    /// The head breaks the grammar of HTTP/1.1.
    MalformedHead {
        /// Which part of it.
        part: &'static str,
    },
    /// A line ends with a LF alone.
    BareLineFeed,
    /// The head is too long.
    HeadTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The head has too many header fields.
    TooManyHeaders {
        /// The limit, in fields.
        limit: usize,
    },
    /// A version of HTTP other than 1.1 or a later 1.x.
    HttpVersion {
        /// The version.
        got: String,
    },
    /// The stream ended before the head was complete.
    Eof {
        /// How many bytes of the head had come.
        received: usize,
    },
    /// A method other than GET.
    MethodNotGet {
        /// The method.
        got: String,
    },
    /// A request target that is no resource name and no absolute URI of HTTP or WebSocket.
    InvalidTarget {
        /// The target.
        got: String,
    },
    /// No Host.
    HostMissing,
    /// More than one Host.
    HostDuplicated,
    /// A Host that is not a host and an optional port.
    HostInvalid {
        /// The value.
        got: String,
    },
    /// A request with a body.
    BodyNotAllowed,
    /// No `websocket` in Upgrade; in an answer, another value than `websocket` alone.
    UpgradeMissing {
        /// The value of the first Upgrade field, if there is one.
        got: Option<String>,
    },
    /// No `upgrade` in Connection. Proxies that do not know WebSocket take it away.
    ConnectionMissing {
        /// The value of the first Connection field, if there is one.
        got: Option<String>,
    },
    /// No Sec-WebSocket-Key.
    KeyMissing,
    /// More than one Sec-WebSocket-Key.
    KeyDuplicated,
    /// A Sec-WebSocket-Key that is not 16 bytes in base64.
    KeyInvalid {
        /// The value.
        got: String,
    },
    /// A Sec-WebSocket-Version other than 13, or none.
    VersionNotSupported {
        /// The value, if there is one.
        got: Option<String>,
    },
    /// More than one Sec-WebSocket-Version.
    VersionDuplicated,
    /// An Origin that the server does not allow.
    OriginNotAllowed {
        /// The value.
        got: String,
    },
    /// More than one Origin.
    OriginDuplicated,
    /// An offered subprotocol that is not a token, or stands twice.
    SubprotocolInvalid {
        /// The element of the list.
        got: String,
    },
    /// Too many offered subprotocols.
    TooManySubprotocols {
        /// The limit, in subprotocols.
        limit: usize,
    },
    /// Sec-WebSocket-Extensions breaks its grammar, or has too many elements.
    ExtensionsMalformed(MalformedExtensions),
    /// No Sec-WebSocket-Accept.
    AcceptMissing,
    /// More than one Sec-WebSocket-Accept.
    AcceptDuplicated,
    /// A Sec-WebSocket-Accept that does not belong to our key.
    AcceptMismatch {
        /// The value.
        got: String,
        /// The value that belongs to our key.
        expected: String,
    },
    /// A subprotocol in the answer that was not offered.
    SubprotocolNotOffered {
        /// The value.
        got: String,
    },
    /// More than one Sec-WebSocket-Protocol in the answer.
    SubprotocolDuplicated,
    /// Extensions in the answer that do not agree with the offer.
    Extensions(ExtensionError),
}

impl HandshakeError {
    /// Whether what came was no sound HTTP at all: from a proxy or a portal in between, perhaps.
    #[must_use]
    pub const fn is_garbled(&self) -> bool {
        matches!(
            self,
            Self::NotHttp { .. }
                | Self::MalformedHead { .. }
                | Self::BareLineFeed
                | Self::HeadTooLong { .. }
                | Self::TooManyHeaders { .. }
                | Self::HttpVersion { .. }
        )
    }

    /// The section that holds the broken rule.
    #[must_use]
    pub fn section(&self) -> &'static str {
        match self {
            Self::NotHttp { .. } | Self::MalformedHead { .. } => "RFC 9112 section 2.1",
            Self::BareLineFeed => "RFC 9112 section 2.2",
            Self::HeadTooLong { .. } | Self::TooManyHeaders { .. } => "RFC 6585 section 5",
            Self::HttpVersion { .. } | Self::MethodNotGet { .. } | Self::InvalidTarget { .. } => {
                "RFC 6455 section 4.2.1 item 1"
            }
            Self::Eof { .. } => "RFC 9112 section 8",
            Self::HostMissing | Self::HostInvalid { .. } => "RFC 6455 section 4.2.1 item 2",
            Self::HostDuplicated => "RFC 9112 section 3.2",
            Self::BodyNotAllowed => "RFC 9112 section 6",
            Self::UpgradeMissing { .. } => "RFC 6455 section 4.2.1 item 3",
            Self::ConnectionMissing { .. } => "RFC 6455 section 4.2.1 item 4",
            Self::KeyMissing | Self::KeyInvalid { .. } => "RFC 6455 section 4.2.1 item 5",
            Self::KeyDuplicated => "RFC 6455 section 11.3.1",
            Self::VersionNotSupported { .. } => "RFC 6455 section 4.2.1 item 6",
            Self::VersionDuplicated => "RFC 6455 section 11.3.5",
            Self::OriginNotAllowed { .. } => "RFC 6455 section 4.2.2 item 4",
            Self::OriginDuplicated => "RFC 6454 section 7.3",
            Self::ExtensionsMalformed(_) => "RFC 6455 section 9.1",
            Self::AcceptDuplicated => "RFC 6455 section 11.3.3",
            Self::SubprotocolInvalid { .. }
            | Self::TooManySubprotocols { .. }
            | Self::AcceptMissing
            | Self::AcceptMismatch { .. }
            | Self::SubprotocolNotOffered { .. } => "RFC 6455 section 4.1",
            Self::SubprotocolDuplicated => "RFC 6455 section 11.3.4",
            Self::Extensions(error) => error.section(),
        }
    }

    /// The HTTP status a server answers with; `None` for the rules that bind a server, and where
    /// nobody is left to answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::NotHttp { .. }
            | Self::MalformedHead { .. }
            | Self::BareLineFeed
            | Self::InvalidTarget { .. }
            | Self::HostMissing
            | Self::HostDuplicated
            | Self::HostInvalid { .. }
            | Self::BodyNotAllowed
            | Self::ConnectionMissing { .. }
            | Self::KeyMissing
            | Self::KeyDuplicated
            | Self::KeyInvalid { .. }
            | Self::VersionDuplicated
            | Self::OriginDuplicated
            | Self::SubprotocolInvalid { .. }
            | Self::TooManySubprotocols { .. }
            | Self::ExtensionsMalformed(_) => Some(400),
            Self::OriginNotAllowed { .. } => Some(403),
            Self::MethodNotGet { .. } => Some(405),
            Self::UpgradeMissing { .. } | Self::VersionNotSupported { .. } => Some(426),
            Self::HeadTooLong { .. } | Self::TooManyHeaders { .. } => Some(431),
            Self::HttpVersion { .. } => Some(505),
            Self::Eof { .. }
            | Self::AcceptMissing
            | Self::AcceptDuplicated
            | Self::AcceptMismatch { .. }
            | Self::SubprotocolNotOffered { .. }
            | Self::SubprotocolDuplicated
            | Self::Extensions(_) => None,
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp { byte } => write!(f, "got byte {byte:#04x}, expected an HTTP/1.1 head"),
            Self::MalformedHead { part } => write!(f, "malformed head: invalid {part}"),
            Self::BareLineFeed => f.write_str("got a line that ends with LF, expected CRLF"),
            Self::HeadTooLong { limit } => {
                write!(f, "got a head of more than {limit} bytes, the limit")
            }
            Self::TooManyHeaders { limit } => {
                write!(f, "got more than {limit} header fields, the limit")
            }
            Self::HttpVersion { got } => write!(f, "got version {got:?}, expected HTTP/1.1"),
            Self::Eof { received } => {
                write!(
                    f,
                    "stream ended after {received} bytes, expected a whole head"
                )
            }
            Self::MethodNotGet { got } => write!(f, "got method {got:?}, expected GET"),
            Self::InvalidTarget { got } => {
                write!(f, "got request target {got:?}, expected a resource name")
            }
            Self::HostMissing => f.write_str("got no Host, expected one"),
            Self::HostDuplicated => f.write_str("got more than one Host, expected one"),
            Self::HostInvalid { got } => write!(f, "got Host {got:?}, expected host and port"),
            Self::BodyNotAllowed => f.write_str("got a request with a body, expected none"),
            Self::UpgradeMissing { got } => expected(f, "Upgrade", got.as_deref(), "websocket"),
            Self::ConnectionMissing { got } => expected(f, "Connection", got.as_deref(), "upgrade"),
            Self::KeyMissing => f.write_str("got no Sec-WebSocket-Key, expected one"),
            Self::KeyDuplicated => f.write_str("got more than one Sec-WebSocket-Key, expected one"),
            Self::KeyInvalid { got } => {
                write!(
                    f,
                    "got Sec-WebSocket-Key {got:?}, expected 16 bytes in base64"
                )
            }
            Self::VersionNotSupported { got } => {
                expected(f, "Sec-WebSocket-Version", got.as_deref(), "13")
            }
            Self::VersionDuplicated => {
                f.write_str("got more than one Sec-WebSocket-Version, expected one")
            }
            Self::OriginNotAllowed { got } => {
                write!(f, "got Origin {got:?}, expected one that is allowed")
            }
            Self::OriginDuplicated => f.write_str("got more than one Origin, expected one"),
            Self::SubprotocolInvalid { got } => {
                write!(f, "got subprotocol {got:?}, expected different tokens")
            }
            Self::TooManySubprotocols { limit } => {
                write!(f, "got more than {limit} subprotocols, the limit")
            }
            Self::ExtensionsMalformed(error) => write!(f, "{error}"),
            Self::AcceptMissing => f.write_str("got no Sec-WebSocket-Accept, expected one"),
            Self::AcceptDuplicated => {
                f.write_str("got more than one Sec-WebSocket-Accept, expected one")
            }
            Self::AcceptMismatch { got, expected } => {
                write!(f, "got Sec-WebSocket-Accept {got:?}, expected {expected:?}")
            }
            Self::SubprotocolNotOffered { got } => {
                write!(f, "got subprotocol {got:?}, expected one that was offered")
            }
            Self::SubprotocolDuplicated => {
                f.write_str("got more than one Sec-WebSocket-Protocol, expected one")
            }
            Self::Extensions(error) => write!(f, "{error}"),
        }
    }
}

fn expected(
    f: &mut fmt::Formatter<'_>,
    header: &str,
    got: Option<&str>,
    expected: &str,
) -> fmt::Result {
    match got {
        Some(got) => write!(f, "got {header} {got:?}, expected {expected}"),
        None => write!(f, "got no {header}, expected {expected}"),
    }
}

impl Error for HandshakeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::ExtensionsMalformed(error) => Some(error),
            Self::Extensions(error) => Some(error),
            _ => None,
        }
    }
}

//! [`DeflateError`]: parameters that cannot be agreed on; [`InflateError`]: messages that cannot
//! be decompressed.

use std::error::Error;
use std::fmt;

use revoir_codes::SendCode;

/// Why parameters of permessage-deflate are refused. A server passes over the offer; a client
/// fails the handshake (RFC 7692 section 7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeflateError {
    /// A parameter that RFC 7692 does not define.
    UnknownParameter {
        /// Its name.
        name: String,
    },
    /// A parameter that stands twice.
    DuplicateParameter {
        /// Its name.
        name: &'static str,
    },
    /// A value on a parameter that has none.
    UnexpectedValue {
        /// The name of the parameter.
        name: &'static str,
        /// The value.
        got: String,
    },
    /// No value on a parameter that needs one.
    MissingValue {
        /// The name of the parameter.
        name: &'static str,
    },
    /// A value that is not a number from 8 to 15 without leading zeros.
    InvalidValue {
        /// The name of the parameter.
        name: &'static str,
        /// The value.
        got: String,
    },
    /// A window of 256 bytes, which zlib cannot compress with.
    UnsupportedWindow {
        /// The name of the parameter.
        name: &'static str,
    },
    /// A parameter of the offer that the answer leaves out.
    NotAnswered {
        /// Its name.
        name: &'static str,
    },
    /// An answer with a larger window than was offered.
    WindowTooLarge {
        /// The name of the parameter.
        name: &'static str,
        /// The bits in the answer.
        got: u8,
        /// The bits in the offer.
        offered: u8,
    },
}

impl DeflateError {
    /// The section that holds the broken rule.
    #[must_use]
    pub fn section(&self) -> &'static str {
        match self {
            Self::UnknownParameter { .. } => "RFC 7692 section 7.1",
            Self::DuplicateParameter { name }
            | Self::UnexpectedValue { name, .. }
            | Self::MissingValue { name }
            | Self::InvalidValue { name, .. }
            | Self::UnsupportedWindow { name }
            | Self::NotAnswered { name }
            | Self::WindowTooLarge { name, .. } => match *name {
                "server_no_context_takeover" => "RFC 7692 section 7.1.1.1",
                "client_no_context_takeover" => "RFC 7692 section 7.1.1.2",
                "server_max_window_bits" => "RFC 7692 section 7.1.2.1",
                _ => "RFC 7692 section 7.1.2.2",
            },
        }
    }
}

impl fmt::Display for DeflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownParameter { name } => write!(f, "unknown parameter {name}"),
            Self::DuplicateParameter { name } => write!(f, "parameter {name} stands twice"),
            Self::UnexpectedValue { name, got } => {
                write!(f, "got {name}={got}, expected no value")
            }
            Self::MissingValue { name } => write!(f, "got {name} without a value, expected one"),
            Self::InvalidValue { name, got } => write!(f, "got {name}={got}, expected 8 to 15"),
            Self::UnsupportedWindow { name } => write!(f, "got {name}=8, expected 9 to 15"),
            Self::NotAnswered { name } => write!(f, "expected {name}, which was offered"),
            Self::WindowTooLarge { name, got, offered } => {
                write!(f, "got {name}={got}, expected {offered} or less")
            }
        }
    }
}

impl Error for DeflateError {}

/// Why a compressed message cannot be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InflateError {
    /// The message is longer than allowed. It was cut there: no more than `limit` bytes of it were
    /// ever held.
    TooBig {
        /// The limit on a decompressed message, in bytes.
        limit: usize,
    },
    /// The compressed form of the message is longer than `limit` bytes, though it has not
    /// decompressed to as much as is allowed.
    TooLongCompressed {
        /// The limit on the compressed bytes of one message, derived from the message limit.
        limit: usize,
    },
    /// The bytes are not DEFLATE data (RFC 1951), or refer to data before the window.
    Corrupt,
    /// The message ends inside a DEFLATE block.
    Truncated,
    /// The message has too many blocks with the BFINAL bit, each of which costs a fresh state.
    TooManyFinalBlocks {
        /// The limit, in blocks.
        limit: u32,
    },
}

impl InflateError {
    /// The section that holds the broken rule.
    #[must_use]
    pub fn section(&self) -> &'static str {
        match self {
            Self::TooBig { .. } | Self::TooLongCompressed { .. } => "RFC 6455 section 10.4",
            Self::Corrupt | Self::Truncated => "RFC 7692 section 7.2.2",
            Self::TooManyFinalBlocks { .. } => "RFC 7692 section 7.2.3.4",
        }
    }

    /// The code to fail the connection with: 1009 for a limit, 1002 for data that breaks a rule.
    #[must_use]
    pub fn close_code(&self) -> SendCode {
        match self {
            Self::TooBig { .. }
            | Self::TooLongCompressed { .. }
            | Self::TooManyFinalBlocks { .. } => SendCode::MESSAGE_TOO_BIG,
            Self::Corrupt | Self::Truncated => SendCode::PROTOCOL_ERROR,
        }
    }
}

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooBig { limit } => {
                write!(f, "got a message that inflates past {limit} bytes")
            }
            Self::TooLongCompressed { limit } => {
                write!(f, "got a message of more than {limit} compressed bytes")
            }
            Self::Corrupt => f.write_str("got bytes that are not deflate data"),
            Self::Truncated => f.write_str("got a message that ends inside a deflate block"),
            Self::TooManyFinalBlocks { limit } => {
                write!(f, "got more than {limit} final deflate blocks in a message")
            }
        }
    }
}

impl Error for InflateError {}

//! Messages (RFC 6455 section 5.4): fragments put together, text checked as it streams.

mod assembler;
mod payload;
mod text;
mod utf8;

pub use assembler::MessageSnapshot;
pub use payload::{BinaryPayload, TextPayload};
pub use text::{NotUtf8, Utf8Bytes};

use bytes::Bytes;

pub(crate) use assembler::{Assembler, compressed_allowance};
pub(crate) use utf8::Utf8Stream;

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text, checked.
    Text(Utf8Bytes),
    /// Bytes without a meaning to the protocol.
    Binary(Bytes),
}

impl Message {
    /// The payload, whichever kind it is.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// The two kinds of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Text: UTF-8.
    Text,
    /// Binary.
    Binary,
}

//! Messages (RFC 6455 section 5.4): fragments put together, text checked as it streams.

mod payload;
mod text;
mod unfinished;
mod utf8;

pub use payload::{BinaryPayload, TextPayload};
pub use text::{NotUtf8, Utf8Bytes};
pub use unfinished::MessageSnapshot;

use bytes::Bytes;

pub(crate) use unfinished::{Unfinished, compressed_allowance};

use utf8::Utf8Stream;

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text, checked.
    Text(Utf8Bytes),
    /// Bytes without a meaning to the protocol.
    Binary(Bytes),
}

impl Message {
    /// For a payload that was checked.
    #[inline]
    pub(crate) fn checked(kind: MessageKind, payload: Bytes) -> Self {
        match kind {
            MessageKind::Text => Self::Text(Utf8Bytes::checked(payload)),
            MessageKind::Binary => Self::Binary(payload),
        }
    }

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

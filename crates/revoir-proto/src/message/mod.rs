//! Messages (RFC 6455 section 5.4): fragments put together, text checked as it streams.

mod payload;
mod text;
mod unfinished;
mod utf8;

pub use payload::{BinaryPayload, TextPayload};
pub use text::{NotUtf8, Utf8Bytes};
pub use unfinished::MessageSnapshot;

use bytes::Bytes;

pub(crate) use unfinished::{InputMemory, Unfinished, compressed_allowance};

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

    /// The text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The payload, whichever kind it is, in its buffer.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
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

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Utf8Bytes> for Message {
    fn from(text: Utf8Bytes) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(bytes))
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_text_becomes_text_and_bytes_stay_bytes() {
        for text in [
            Message::from("hé"),
            Message::from("hé".to_owned()),
            Message::from(Utf8Bytes::from_static("hé")),
        ] {
            assert_eq!(text.as_text(), Some("hé"));
            assert_eq!(text.into_bytes(), "hé".as_bytes());
        }
        for bytes in [
            Message::from(&b"hi"[..]),
            Message::from(b"hi".to_vec()),
            Message::from(Bytes::from_static(b"hi")),
        ] {
            assert_eq!(bytes.as_text(), None);
            assert_eq!(bytes.as_bytes(), b"hi");
            assert_eq!(bytes.into_bytes(), "hi");
        }
    }
}

//! [`Utf8Bytes`]: shared text.

use std::error::Error;
use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

/// Text in a shared buffer: [`Bytes`] known to be UTF-8. Clones share the buffer.
///
/// It is a `str` wherever one is asked for (`Deref`). This crate is written without `unsafe`, so each
/// [`as_str`](Self::as_str) checks the bytes again, by SIMD. Where that matters, call it once and keep
/// the result.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Utf8Bytes(Bytes);

impl Utf8Bytes {
    /// Text that lives as long as the program, without a copy.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// For bytes that the stream check has passed.
    #[inline]
    pub(crate) fn checked(bytes: Bytes) -> Self {
        debug_assert!(str::from_utf8(&bytes).is_ok());
        Self(bytes)
    }

    /// The text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        // Every constructor has checked the bytes, so the default is never taken.
        simdutf8::basic::from_utf8(&self.0).unwrap_or_default()
    }

    /// The bytes of the text, without a check.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The buffer.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Utf8Bytes> for Bytes {
    fn from(text: Utf8Bytes) -> Self {
        text.0
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = NotUtf8;

    fn try_from(bytes: Bytes) -> Result<Self, NotUtf8> {
        match simdutf8::basic::from_utf8(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(NotUtf8 { bytes }),
        }
    }
}

impl Deref for Utf8Bytes {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<Utf8Bytes> for String {
    fn from(text: Utf8Bytes) -> Self {
        text.as_str().to_owned()
    }
}

impl AsRef<str> for Utf8Bytes {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Bytes that are not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotUtf8 {
    /// The bytes, given back.
    pub bytes: Bytes,
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes are not UTF-8", self.bytes.len())
    }
}

impl Error for NotUtf8 {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_come_back() {
        let bytes = Bytes::from_static(b"\xFF");
        let refused = Utf8Bytes::try_from(bytes.clone()).unwrap_err();
        assert_eq!(refused.bytes, bytes);
        assert_eq!(refused.to_string(), "1 bytes are not UTF-8");
    }

    #[test]
    fn every_way_in_gives_the_same_text() {
        let text = Utf8Bytes::from_static("καλημέρα");
        assert_eq!(Utf8Bytes::from("καλημέρα"), text);
        assert_eq!(Utf8Bytes::from(String::from("καλημέρα")), text);
        assert_eq!(
            Utf8Bytes::try_from(Bytes::from(text.clone())).unwrap(),
            text
        );
        assert_eq!((text.len(), text.is_empty()), (16, false));
        assert_eq!(AsRef::<str>::as_ref(&text), "καλημέρα");
        assert_eq!(text.chars().rev().collect::<String>(), "αρέμηλακ");
        assert_eq!(String::from(text.clone()), "καλημέρα");
        assert!(text == "καλημέρα" && text == *"καλημέρα" && text != "kalimera");
        assert_eq!(format!("{text} {text:?}"), "καλημέρα \"καλημέρα\"");
    }
}

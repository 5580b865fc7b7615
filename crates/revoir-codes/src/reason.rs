//! [`Reason`]: the text beside the code in a Close frame.

use core::fmt;
use core::ops::Deref;

/// The longest reason a Close frame can carry, in UTF-8 bytes: a control frame holds 125 bytes
/// (RFC 6455 section 5.5), of which the code takes two.
pub const REASON_MAX_BYTES: usize = 123;

/// The reason of a Close frame: UTF-8 text of at most [`REASON_MAX_BYTES`] bytes, kept in place.
///
/// The text is for logs and for the peer's developer. RFC 6455 section 5.5.1: it is not
/// necessarily readable by people, and clients must not show it to end users.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reason {
    len: u8,
    // Bytes past `len` stay zero, so that the derived comparisons hold.
    bytes: [u8; REASON_MAX_BYTES],
}

impl Reason {
    /// The empty reason.
    pub const EMPTY: Self = Self {
        len: 0,
        bytes: [0; REASON_MAX_BYTES],
    };

    /// Checks and copies `text`.
    ///
    /// # Errors
    ///
    /// [`ReasonTooLong`] if `text` has more than [`REASON_MAX_BYTES`] bytes.
    pub fn new(text: &str) -> Result<Self, ReasonTooLong> {
        if text.len() > REASON_MAX_BYTES {
            return Err(ReasonTooLong { bytes: text.len() });
        }
        Ok(Self::cut(text))
    }

    /// As much of `text` as fits.
    pub(crate) fn cut(text: &str) -> Self {
        let mut end = text.len().min(REASON_MAX_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut reason = Self::EMPTY;
        reason.bytes[..end].copy_from_slice(&text.as_bytes()[..end]);
        reason.len = end as u8;
        reason
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes come from a `&str` cut at a character boundary, so the check cannot fail.
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl Default for Reason {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Deref for Reason {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl TryFrom<&str> for Reason {
    type Error = ReasonTooLong;

    fn try_from(text: &str) -> Result<Self, ReasonTooLong> {
        Self::new(text)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A reason that does not fit into a Close frame: the caller's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReasonTooLong {
    /// The length that was asked for, in UTF-8 bytes.
    pub bytes: usize,
}

impl fmt::Display for ReasonTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "close reason of {} bytes is longer than the {REASON_MAX_BYTES} bytes a Close frame can carry",
            self.bytes
        )
    }
}

impl core::error::Error for ReasonTooLong {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_counts_bytes_not_characters() {
        let e_acute = "é".repeat(61);
        assert_eq!(Reason::new(&e_acute).map(|r| r.len()), Ok(122));
        assert_eq!(
            Reason::new(&"é".repeat(62)),
            Err(ReasonTooLong { bytes: 124 })
        );
        assert_eq!(Reason::new(&"x".repeat(123)).map(|r| r.len()), Ok(123));
    }

    #[test]
    fn truncation_keeps_whole_characters() {
        assert_eq!(&*Reason::truncated(&"重".repeat(50)), "重".repeat(41));
        assert_eq!(&*Reason::truncated("restart"), "restart");
    }
}

//! [`Token`]: what a client resumes with.

use std::fmt;

use bytes::Bytes;

use crate::wire::Violation;

/// The longest token, in bytes.
pub const TOKEN_MAX_BYTES: usize = 512;

/// What a client resumes with: opaque to it, and secret. It is never in a URL, a header field or a
/// log; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(Bytes);

impl Token {
    /// These bytes as a token: 1 to [`TOKEN_MAX_BYTES`].
    ///
    /// # Errors
    ///
    /// [`Violation::BadValue`] for other lengths.
    pub fn new(bytes: Bytes) -> Result<Self, Violation> {
        match bytes.len() {
            1..=TOKEN_MAX_BYTES => Ok(Self(bytes)),
            _ => Err(Violation::BadValue),
        }
    }

    /// What a server sealed: 105 bytes.
    #[cfg(feature = "seal")]
    pub(crate) const fn sealed(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The part by which a server may count failed resumes, beside the address of the client: the
    /// first 17 bytes, which are the version and the session of a sealed token.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        &self.0[..self.0.len().min(17)]
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(secret)")
    }
}

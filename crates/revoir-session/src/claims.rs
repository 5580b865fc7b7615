//! [`Claims`]: what a token says, and who it belongs to.

#[cfg(feature = "seal")]
use ring::digest::{SHA256, digest};

use crate::key::SessionId;

/// Whom a session belongs to: 32 bytes that its server made of a name, a cookie or a header field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal(pub [u8; 32]);

impl Principal {
    /// Nobody in particular: whoever has the token.
    pub const NONE: Self = Self([0; 32]);

    /// Whoever has this name: that of a user, or what identifies one, such as a cookie or an
    /// `Authorization`. It is hashed (SHA-256), so a token tells nothing of it.
    #[cfg(feature = "seal")]
    #[must_use]
    pub fn of(name: impl AsRef<[u8]>) -> Self {
        let hash = digest(&SHA256, name.as_ref());
        let mut principal = [0; 32];
        principal.copy_from_slice(hash.as_ref());
        Self(principal)
    }
}

/// An incarnation of a store: random bytes that change when its memory is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Epoch(pub [u8; 8]);

/// What a token says, once it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The session.
    pub session: SessionId,
    /// The connection of the session for which the token was made.
    pub generation: u64,
    /// The incarnation of the store that has the session.
    pub epoch: Epoch,
    /// Whom it belongs to.
    pub principal: Principal,
}

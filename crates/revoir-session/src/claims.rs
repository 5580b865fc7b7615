//! [`Claims`]: what a token says, and who it belongs to.

use crate::key::SessionId;

/// Whom a session belongs to: 32 bytes that its server made of a name, a cookie or a header field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal(pub [u8; 32]);

impl Principal {
    /// Nobody in particular: whoever has the token.
    pub const NONE: Self = Self([0; 32]);
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

//! Extensions (RFC 6455 section 9): the header's grammar and what is negotiated through it.
//!
//! permessage-deflate (RFC 7692) is the only extension known, behind the feature `deflate`.

#[cfg(feature = "deflate")]
pub mod deflate;
mod negotiation;
mod params;

pub use negotiation::{AgreedExtensions, ExtensionError, Extensions};
pub use params::{Extension, MalformedExtensions, NotAToken, Param};

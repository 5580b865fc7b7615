//! The opening handshake (RFC 6455 section 4): requests, refusals, and the extensions that it agrees on.

#[cfg(feature = "deflate")]
pub use revoir_proto::extension::deflate::{self, DeflateConfig};
pub use revoir_proto::extension::{
    AgreedExtensions, Extension, ExtensionError, Extensions, MalformedExtensions, NotAToken, Param,
};
pub use revoir_proto::handshake::{
    HandshakeError, HeadLimits, Headers, InvalidHeader, InvalidRequest, InvalidResponse, Refused,
};

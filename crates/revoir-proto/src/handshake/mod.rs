//! The opening handshake (RFC 6455 section 4), both sides, as values: bytes in, bytes out.
//!
//! A client makes a [`ClientRequest`] into a [`ClientHandshake`], writes its bytes, and feeds it
//! what the server answers. A server feeds a [`ServerHandshake`] until it has a [`Request`], and
//! accepts or rejects that. Either way, input that follows the head stays with the caller: it is
//! the first of the WebSocket bytes.
//!
//! There is no time limit in here: the driver has the clock.

mod authority;
mod body;
mod client;
mod client_request;
mod config;
mod error;
mod head;
mod headers;
#[cfg(feature = "http")]
mod http_fields;
mod key;
mod origin;
mod request;
mod response;
mod server;
mod subprotocol;
mod switching;

pub use body::{REFUSED_BODY_MAX_BYTES, Refused};
pub use client::{ClientHandshake, ClientOutcome, Established};
pub use client_request::{ClientRequest, InvalidRequest};
pub use config::ServerConfig;
pub use error::HandshakeError;
pub use head::HeadLimits;
pub use headers::{Headers, InvalidHeader};
pub use key::{NONCE_BYTES, accept, key};
pub use origin::Origins;
pub use request::{Acceptance, Request};
pub use response::{InvalidResponse, refusal};
pub use server::ServerHandshake;
pub use subprotocol::OFFERED_SUBPROTOCOLS_MAX;
pub use switching::check_switching_protocols;

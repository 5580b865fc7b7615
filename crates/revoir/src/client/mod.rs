//! [`Client`]: opens connections.

mod builder;
mod connect;
mod error;
mod handshake;
mod race;
mod resolver;
mod tcp;
mod url;

pub use builder::{Client, connect};
pub use error::{ConnectError, InvalidUrl};
pub(crate) use tcp::not_reached;

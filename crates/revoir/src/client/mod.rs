//! [`Client`]: opens connections.

mod builder;
mod connect;
mod error;
mod handshake;
mod proxy;
mod race;
mod resolver;
mod tcp;
mod tunnel;
mod url;

pub use builder::{Client, connect};
pub use error::ConnectError;
pub use proxy::InvalidProxy;
pub(crate) use tcp::not_reached;
pub use url::{InvalidUrl, Target};

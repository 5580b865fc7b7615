//! What [`Client`] and [`connect`](crate::connect), which stand at the root, take and return: URLs and
//! errors.

pub(crate) mod builder;
mod connect;
mod error;
mod handshake;
mod proxy;
mod race;
mod resolver;
mod socks;
mod stream;
mod tcp;
mod tunnel;
mod url;

pub use error::ConnectError;
pub use proxy::InvalidProxy;
pub use stream::ServerStream;
pub use url::{InvalidUrl, Target};

pub(crate) use builder::Client;
pub(crate) use tcp::not_reached;

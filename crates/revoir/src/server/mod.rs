//! [`Server`] and [`Acceptor`]: take connections.

mod acceptor;
mod handshake;
mod incoming;
mod listen;
mod origin;
mod refusal;

pub use acceptor::{Acceptor, accept};
pub use incoming::Incoming;
pub use listen::Server;

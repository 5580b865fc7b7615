//! [`Server`] and [`Acceptor`]: take connections.

mod accepting;
mod acceptor;
mod admission;
mod handshake;
mod incoming;
mod listen;
mod origin;
mod refusal;
mod retiring;
mod settings;
#[cfg(feature = "hyper")]
mod upgrade;

pub use accepting::AcceptFailures;
pub use acceptor::{Acceptor, accept};
pub use admission::Admission;
pub use incoming::Incoming;
pub use listen::Server;
#[cfg(feature = "hyper")]
pub use origin::is_origin_allowed;
#[cfg(feature = "hyper")]
pub use upgrade::Upgrade;

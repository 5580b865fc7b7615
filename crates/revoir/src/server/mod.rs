//! What a [`Server`](crate::Server) and an [`Acceptor`], which stand at the root, are told: whom to
//! take, and how many.

mod accepting;
pub(crate) mod acceptor;
mod admission;
mod handshake;
pub(crate) mod incoming;
pub(crate) mod listen;
mod origin;
mod refusal;
mod retiring;
mod settings;
#[cfg(feature = "hyper")]
mod upgrade;

pub use accepting::AcceptFailures;
pub use admission::Admission;
#[cfg(feature = "hyper")]
pub use origin::is_origin_allowed;
pub use revoir_proto::handshake::Origins;
#[cfg(feature = "hyper")]
pub use upgrade::Upgrade;

pub(crate) use acceptor::Acceptor;
pub(crate) use incoming::Incoming;

//! What a [`Server`](crate::Server) and an [`Acceptor`], which stand at the root, are told: whom to
//! take, and how many.

mod accepting;
pub(crate) mod acceptor;
mod admission;
mod answer;
#[cfg(feature = "axum")]
mod axum;
mod from_http;
mod handshake;
#[cfg(feature = "hyper")]
mod hyper;
pub(crate) mod incoming;
pub(crate) mod listen;
mod opening;
mod origin;
mod refusal;
mod retiring;
mod settings;
mod visit;
mod waiting;

pub use accepting::AcceptFailures;
pub use admission::Admission;
pub use origin::is_origin_allowed;
pub use revoir_proto::handshake::Origins;

pub(crate) use acceptor::Acceptor;
pub(crate) use incoming::Incoming;

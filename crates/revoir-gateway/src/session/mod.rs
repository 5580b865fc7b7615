//! Sessions: the client may be away, its backend does not notice.
//!
//! A client with a session (`revoir.v1`) has three things here: a connection, if it is there; the session, which the library
//! keeps (`revoir::session::Server`); and a connection to the backend, which stays while the client is away.
//!
//! Two designs were sketched. In one, the [`Relay`](crate::relay) knows sessions: its client's side may be absent, numbers
//! messages, keeps them and has them acknowledged. Then each transition of the relay has a case more, and what a session is
//! stands in two places. In the other, which this is, the relay has a client as always: a [`SessionClient`] looks to it like
//! the socket of a client that never leaves, and is the handler of a session to the library. So whatever may happen to a
//! backend (holds, adapters, silence, limits, reloads, drains) happens to one behind a session too, by the same
//! code: session over adapter over hold.
//!
//! What the relay does not say in bytes, a [`Shared`] tells: on whose account the client is closed, and where among the bytes
//! another backend begins.

mod callback;
mod client;
mod leg;
mod refused;
mod settings;
mod shared;

pub(crate) use callback::Callback;
pub use callback::CallbackSettings;
pub(crate) use client::SessionClient;
pub(crate) use leg::Leg;
pub(crate) use refused::refused;
pub use settings::{PrincipalOf, SessionSettings};
pub(crate) use shared::Shared;

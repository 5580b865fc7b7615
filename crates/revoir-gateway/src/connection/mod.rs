//! The tasks of WebSocket connections: a relay between two sockets, its re-dials, and its end.

mod client;
mod closing;
mod drain;
mod driver;
mod driver_hold;
mod driver_memory;
mod driver_reload;
mod driver_return;
mod driver_silence;
mod fields;
mod held_bytes;
mod holding;
mod lifetime;
mod limits;
mod linger;
mod meter;
mod moving;
mod read_buffer;
mod redial;
mod registry;
mod returning;
mod transport;

pub(crate) use client::Connection;
pub(crate) use drain::begun;
pub(crate) use driver::Driver;
pub(crate) use held_bytes::{Held, HeldBytes};
pub use limits::ClientLimits;
pub(crate) use limits::{ClientLimiter, ClientPermit, OverLimit};
pub(crate) use linger::linger;
pub(crate) use moving::REMOVED;
pub(crate) use redial::{Redialer, retry_after};
pub(crate) use registry::{CHANGED, Registry};

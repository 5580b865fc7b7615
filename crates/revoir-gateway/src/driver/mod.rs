//! The task of one client: its session between two sockets.

mod holding;
mod linger;
mod read_buffer;
mod relay;
mod transport;

pub(crate) use holding::{Redial, Redialing, Returned};
pub(crate) use linger::linger;
pub(crate) use relay::Driver;

//! What runs a connection: the core and its transport behind one lock, and who polls them.

mod clock;
mod drain;
mod engine;
mod hub;
mod inbox;
mod keeper;
mod read_buffer;
mod shared;
mod transport;
mod write_buffer;

pub(crate) use engine::detail as io_detail;
pub(crate) use hub::ClosedId;
pub(crate) use keeper::{Failure, Keeper, Supervisor, call};
pub(crate) use shared::{Agreed, Driver, Home, Shared, Start};
pub(crate) use transport::Transport;

//! What drives a connection: the core and its transport behind one lock, and who works on them.
//!
//! From below: [`table`] says what follows from what; [`machine`] does it; [`socket`] locks, wakes
//! and is what handles call; [`task`] is the driver, for whatever nobody else does.

mod clock;
mod epoch;
mod inbox;
mod machine;
#[cfg(test)]
mod model;
mod push;
mod read_buffer;
mod socket;
mod start;
mod sync;
mod table;
mod task;
mod task_waker;
mod transport;
mod try_send_error;
mod wakers;
mod write_buffer;

pub(crate) use machine::detail as io_detail;
pub(crate) use push::push_message;
pub(crate) use socket::{Shared, Socket};
pub(crate) use start::{Agreed, Home, Known, Start};
pub(crate) use table::Stimulus;
pub(crate) use task::{Driver, Failure, call};
pub use try_send_error::TrySendError;
pub(crate) use wakers::WatcherId;

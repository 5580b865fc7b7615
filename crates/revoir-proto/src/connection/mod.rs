//! [`Connection`]: the verbs of the driver and of the application.

mod close;
mod ending;
mod handle;
mod receive;
mod send;
mod timers;
mod transmit;
mod whole_message;

pub use close::{CloseRequest, LocalCause};
pub use ending::InputEnd;
pub use handle::Connection;

pub(crate) use handle::{ConnectionParts, Rare};
pub(crate) use receive::{Reading, Receive};

//! [`Connection`]: the verbs of the driver and of the application.

mod close;
mod ending;
mod failing;
mod handle;
mod receive;
mod send;
mod step;
mod timers;
mod transfer;
mod transmit;

pub use close::{CloseRequest, LocalCause};
pub use handle::Connection;

use handle::{ConnectionParts, Rare, waits};

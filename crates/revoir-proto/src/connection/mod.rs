//! [`Connection`]: the verbs of the driver and of the application.

mod close;
mod ending;
mod failing;
mod handle;
mod reading;
mod receive;
mod send;
mod timers;
mod transfer;
mod transmit;
mod whole_message;

pub use close::{CloseRequest, LocalCause};
pub use handle::Connection;

use handle::{ConnectionParts, Rare};
use reading::{Reading, Receive};

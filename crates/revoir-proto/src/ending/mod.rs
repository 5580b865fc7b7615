//! [`Ending`]: why and how a connection ended.

mod cause;
mod display;
mod record;

pub use cause::{Cause, Finish, Initiator};
pub use record::{CallSite, Detail, Ending};

//! [`Ending`]: why and how a connection ended.

mod cause;
mod display;
mod input_end;
mod record;

pub use cause::{Cause, Finish, Initiator};
pub use input_end::InputEnd;
pub use record::{CallSite, Detail, Ending};

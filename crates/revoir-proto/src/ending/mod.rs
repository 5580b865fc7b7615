//! [`Ending`]: why and how a connection ended.

mod cause;
mod display;
mod input_end;
mod record;
mod tls_fault;

pub use cause::{Cause, Finish, Initiator};
pub use input_end::InputEnd;
pub use record::{CallSite, Detail, Ending};
pub use tls_fault::TlsFault;

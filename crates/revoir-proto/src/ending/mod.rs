//! [`Ending`]: why and how a connection ended.

mod cause;
mod detail_kind;
mod display;
mod input_end;
#[cfg(feature = "serde")]
mod json;
mod record;
mod tls_fault;

pub use cause::{Cause, CauseKind, Finish, Initiator};
pub use detail_kind::DetailKind;
pub use input_end::InputEnd;
pub use record::{CallSite, Detail, Ending};
pub use tls_fault::TlsFault;

//! What an [`Ending`](crate::Ending) is made of.

pub use revoir_codes::{InvalidSlot, NotSendable, ReasonTooLong, Slot};
pub use revoir_proto::frame::CloseFrame;
pub use revoir_proto::{CallSite, Detail, DetailKind, Finish, Initiator, ProtocolError, TlsFault};

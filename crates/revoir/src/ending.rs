//! What an [`Ending`](crate::Ending) is made of.

/// Close codes as data: what each says, who may send it, what to do then.
pub use revoir_codes as codes;
pub use revoir_codes::{InvalidSlot, NotSendable, ReasonTooLong, Slot};
pub use revoir_proto::frame::CloseFrame;
pub use revoir_proto::{
    CallSite, CauseKind, Detail, DetailKind, Finish, Initiator, ProtocolError, TlsFault,
};

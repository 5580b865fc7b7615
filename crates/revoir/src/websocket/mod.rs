//! What belongs to an open [`WebSocket`]: its futures, its limits, and what can be sent.
//! The handles stand at the root.

mod closed;
pub(crate) mod closer;
mod draining;
pub(crate) mod handle;
pub(crate) mod reader;
pub(crate) mod writer;

pub use crate::driver::TrySendError;
pub use closed::Closed;
pub use draining::Draining;
pub use revoir_proto::{
    BinaryPayload, KeepaliveConfig, Limits, NotUtf8, State, TextPayload, UsageError,
};

pub(crate) use closer::Closer;
pub(crate) use handle::WebSocket;
pub(crate) use reader::Reader;
pub(crate) use writer::Writer;

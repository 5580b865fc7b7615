//! What can be wrong, by whose fault: the peer's, our caller's, or that of whoever kept a snapshot.

mod protocol;
mod snapshot;
mod usage;

pub use protocol::ProtocolError;
pub use snapshot::{SNAPSHOT_VERSION, SnapshotError};
pub use usage::UsageError;

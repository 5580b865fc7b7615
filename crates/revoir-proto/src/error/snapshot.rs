//! [`SnapshotError`]: snapshots that are refused.

use std::error::Error;
use std::fmt;

/// The version of [`Snapshot`](crate::Snapshot) that this crate writes, and the only one it reads.
pub const SNAPSHOT_VERSION: u16 = 1;

/// Why a snapshot was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is of another version.
    Version {
        /// The version it is of.
        got: u16,
    },
    /// It describes a connection that cannot be.
    Inconsistent,
    /// Its unfinished message is longer than the limit of the connection's configuration.
    OverLimit {
        /// How long it is at least, in bytes as they are received.
        got: u64,
        /// The limit on it, in such bytes.
        allowed: u64,
    },
    /// It needs permessage-deflate, which this build does not have.
    CompressionAbsent,
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { got } => {
                write!(
                    f,
                    "snapshot has version {got}, this crate reads {SNAPSHOT_VERSION}"
                )
            }
            Self::Inconsistent => f.write_str("snapshot describes a connection that cannot be"),
            Self::OverLimit { got, allowed } => {
                write!(
                    f,
                    "snapshot has a message of {got} bytes, {allowed} are allowed"
                )
            }
            Self::CompressionAbsent => f.write_str("snapshot needs permessage-deflate"),
        }
    }
}

impl Error for SnapshotError {}

//! [`Asking`]: what somebody who waits for a permit wants to dial for.

use crate::upstream::path_id::PathId;

/// One who waits for a permit to dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct QueueId(pub(crate) u64);

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// It has nothing to say yet, and may miss what others say.
    Urgent,
    Normal,
}

/// What somebody wants to dial for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asking {
    pub(crate) path: PathId,
    pub(crate) priority: Priority,
    /// Whether it is a client's own handshake, and not a re-dial.
    pub(crate) is_new: bool,
}

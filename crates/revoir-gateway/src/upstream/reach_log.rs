//! [`ReachLog`]: whether an upstream can be reached, for the log: it tells of changes only.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether an upstream could be reached the last time.
#[derive(Debug, Default)]
pub(super) struct ReachLog {
    is_lost: AtomicBool,
}

impl ReachLog {
    /// It gave an answer, whatever that says.
    pub(super) fn reached(&self, upstream: &str) {
        if self.is_lost.load(Ordering::Relaxed) && self.is_lost.swap(false, Ordering::Relaxed) {
            // As loud as its loss: whoever was told of that waits for this.
            tracing::warn!(target: "revoir", upstream, "the upstream is reached again");
        }
    }

    /// It could not be reached.
    pub(super) fn lost(&self, upstream: &str, error: &dyn Display) {
        if !self.is_lost.swap(true, Ordering::Relaxed) {
            tracing::warn!(target: "revoir", upstream, %error, "the upstream cannot be reached");
        }
    }
}

//! [`HeldBytes`]: the bytes that all holds together hold back, and the most that they may.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that all holds together hold back, and the most that they may.
#[derive(Debug)]
pub(crate) struct HeldBytes {
    now: AtomicUsize,
    limit: AtomicUsize,
}

impl HeldBytes {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            now: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
        }
    }

    /// Has another limit from now on. What is held stays.
    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> usize {
        self.now.load(Ordering::Relaxed)
    }

    /// Takes room for up to `wanted` bytes, and returns how much there is.
    pub(super) fn take(&self, wanted: usize) -> usize {
        let limit = self.limit.load(Ordering::Relaxed);
        let taking = |held: usize| Some(held + wanted.min(limit.saturating_sub(held)));
        match self
            .now
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taking)
        {
            Ok(before) | Err(before) => wanted.min(limit.saturating_sub(before)),
        }
    }

    /// Counts bytes that are held back already.
    pub(super) fn add(&self, bytes: usize) {
        self.now.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Gives back room that was taken.
    pub(super) fn give(&self, bytes: usize) {
        self.now.fetch_sub(bytes, Ordering::Relaxed);
    }
}

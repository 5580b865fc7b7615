//! [`HeldBytes`]: the memory that clients fill, all together, and the most that it may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

/// The memory that clients and their backends fill, all together: messages whose end is missing,
/// messages of held clients, what waits to be written, and bodies. And the most that it may be.
#[derive(Debug)]
pub(crate) struct HeldBytes {
    /// Below zero for a moment, where the end of something is told before its beginning.
    now: AtomicIsize,
    limit: AtomicUsize,
}

/// A part of it, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Held {
    all: Arc<HeldBytes>,
    bytes: usize,
}

impl HeldBytes {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            now: AtomicIsize::new(0),
            limit: AtomicUsize::new(limit),
        }
    }

    /// Has another limit from now on. What is held stays.
    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// So much more is held from now on, or less, by somebody who counts for himself.
    pub(crate) fn change(&self, bytes: i64) {
        // Wraps where the sum does, so that what is added and taken away again leaves nothing.
        self.now.fetch_add(bytes as isize, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> usize {
        usize::try_from(self.now.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// How much room there is.
    pub(crate) fn free(&self) -> usize {
        let limit = self.limit.load(Ordering::Relaxed);
        limit.saturating_sub(self.now())
    }

    /// Whether nobody new may come.
    pub(crate) fn is_full(&self) -> bool {
        self.free() == 0 && self.now() > 0
    }

    /// Whether so little room is left that nothing should wait which need not.
    pub(crate) fn is_short(&self) -> bool {
        self.free() < self.limit.load(Ordering::Relaxed) / 8
    }
}

impl Held {
    /// Nothing yet.
    pub(crate) fn of(all: &Arc<HeldBytes>) -> Self {
        Self {
            all: Arc::clone(all),
            bytes: 0,
        }
    }

    /// Whether everybody together holds more than they may.
    pub(crate) fn is_too_much(&self) -> bool {
        self.all.free() == 0
    }

    /// So much is held now.
    #[inline]
    pub(crate) fn set(&mut self, bytes: usize) {
        if bytes != self.bytes {
            let change = (bytes as isize).wrapping_sub(self.bytes as isize);
            self.all.now.fetch_add(change, Ordering::Relaxed);
            self.bytes = bytes;
        }
    }

    pub(crate) fn all(&self) -> &HeldBytes {
        &self.all
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_held_no_more() {
        let all = Arc::new(HeldBytes::new(100));
        let (mut one, mut other) = (Held::of(&all), Held::of(&all));
        one.set(60);
        other.set(30);
        assert_eq!((all.now(), all.free()), (90, 10));
        assert!(all.is_short() && !all.is_full());
        one.set(70);
        assert!(all.is_full());
        other.set(0);
        drop(one);
        assert_eq!((all.now(), all.free()), (0, 100));
        assert!(!all.is_short());
    }

    #[test]
    fn what_others_count_is_added_and_taken_away() {
        let all = HeldBytes::new(100);
        all.change(60);
        all.change(-20);
        assert_eq!((all.now(), all.free()), (40, 60));
        all.change(-40);
        assert_eq!((all.now(), all.free()), (0, 100));
    }

    #[test]
    fn without_any_room_nothing_is_full_as_long_as_nothing_is_held() {
        let all = Arc::new(HeldBytes::new(0));
        assert!(!all.is_full());
    }
}

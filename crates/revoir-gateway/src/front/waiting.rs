//! [`Waiting`]: the opening handshakes, and first requests of sessions, that wait for a backend, and how many may.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::connection::{Held, HeldBytes};

/// How many opening handshakes and first requests wait for a backend.
#[derive(Debug, Default)]
pub(crate) struct Waiting(AtomicUsize);

/// The place of one that waits, until it is dropped.
#[derive(Debug)]
pub(super) struct WaitingPermit<'a> {
    waiting: &'a Waiting,
    /// What its request takes up meanwhile.
    _held: Held,
}

impl Waiting {
    pub(crate) fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Has another one wait, with a request of so many bytes, among all the memory that clients fill.
    /// `None`: `most` wait already, or there is no room for the request.
    pub(super) fn enter(
        &self,
        most: usize,
        all: &Arc<HeldBytes>,
        bytes: usize,
    ) -> Option<WaitingPermit<'_>> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        let mut held = Held::of(all);
        // From here on it is counted, and dropping it is enough.
        let has_room = bytes <= all.free();
        held.set(bytes);
        let place = WaitingPermit {
            waiting: self,
            _held: held,
        };
        (before < most && has_room).then_some(place)
    }
}

impl Drop for WaitingPermit<'_> {
    fn drop(&mut self) {
        self.waiting.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_limit_for_how_many_wait_and_for_what_they_take_up() {
        let (waiting, all) = (Waiting::default(), Arc::new(HeldBytes::new(100)));
        let first = waiting.enter(2, &all, 60);
        assert!(first.is_some());
        assert!(waiting.enter(2, &all, 60).is_none(), "no room");
        let second = waiting.enter(2, &all, 40);
        assert!(second.is_some());
        assert!(waiting.enter(2, &all, 0).is_none(), "no place");
        assert_eq!((waiting.now(), all.now()), (2, 100));
        drop((first, second));
        assert_eq!((waiting.now(), all.now()), (0, 0));
    }
}

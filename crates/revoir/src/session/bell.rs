//! [`Bell`]: tells an application that something has changed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Who is polled, and has one waker each.
#[derive(Clone, Copy, Debug)]
pub(super) enum Half {
    Reader,
    Writer,
}

/// Tells everybody who waits for a change, and both halves that are polled.
#[derive(Debug, Default)]
pub(super) struct Bell {
    waiting: Notify,
    polled: Mutex<[Option<Waker>; 2]>,
    /// Most applications wait, and poll nothing.
    is_polled: AtomicBool,
}

impl Bell {
    /// Is ready once it rings behind its `enable`.
    pub(super) fn notified(&self) -> Notified<'_> {
        self.waiting.notified()
    }

    /// Wakes `waker` when it rings next.
    pub(super) fn watch(&self, half: Half, waker: &Waker) {
        let mut polled = self.polled.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = &mut polled[half as usize];
        match slot {
            Some(known) => known.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
        self.is_polled.store(true, Ordering::SeqCst);
    }

    pub(super) fn ring(&self) {
        self.waiting.notify_waiters();
        if !self.is_polled.swap(false, Ordering::SeqCst) {
            return;
        }
        let mut polled = self.polled.lock().unwrap_or_else(PoisonError::into_inner);
        let wakers = std::mem::take(&mut *polled);
        drop(polled);
        for waker in wakers.into_iter().flatten() {
            waker.wake();
        }
    }
}

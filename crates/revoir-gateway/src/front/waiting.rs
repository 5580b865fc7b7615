//! [`Waiting`]: the opening handshakes that wait for a backend, and how many may.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::connection::{Held, HeldBytes};
use crate::front::settings::Settings;
use crate::front::state::Front;
use crate::upstream::{Asking, DialPermit, Pool};
use crate::watch::Limit;

/// Between two attempts of one whose backend breaks off, at first.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The same, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many opening handshakes wait for a backend.
#[derive(Debug, Default)]
pub(crate) struct Waiting(AtomicUsize);

/// The place of one that waits, until it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
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
    ) -> Option<Place<'_>> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        let mut held = Held::of(all);
        // From here on it is counted, and dropping it is enough.
        let has_room = bytes <= all.free();
        held.set(bytes);
        let place = Place {
            waiting: self,
            _held: held,
        };
        (before < most && has_room).then_some(place)
    }
}

/// One who asks for a backend, and may wait for it.
pub(super) struct Patience<'a> {
    front: &'a Front,
    settings: &'a Settings,
    /// What its request takes up.
    bytes: usize,
    deadline: Instant,
    place: Option<Place<'a>>,
    pause: Duration,
}

impl<'a> Patience<'a> {
    /// Of a request of so many bytes.
    pub(super) fn new(front: &'a Front, settings: &'a Settings, bytes: usize) -> Self {
        Self {
            front,
            settings,
            bytes,
            deadline: Instant::now() + settings.wait_limit,
            place: None,
            pause: FIRST_PAUSE,
        }
    }

    /// A permit to dial, for which it waits if it has to. `None`: it may not, or not so long.
    pub(super) async fn permit(&mut self, pool: &Arc<Pool>, asking: Asking) -> Option<DialPermit> {
        if self.place.is_none() {
            let mut permit = Box::pin(pool.dial_permit(pool.queue_id(), asking));
            if let Some(permit) = at_once(permit.as_mut()).await {
                return Some(permit);
            }
            if !self.may_wait() {
                return None;
            }
        }
        let permit = pool.permit_behind_returns(pool.queue_id(), asking);
        timeout_at(self.deadline, permit).await.ok()
    }

    /// Lets some time pass until it is tried again. Returns whether it may wait so long.
    pub(super) async fn pauses(&mut self) -> bool {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        self.may_wait() && timeout_at(self.deadline, sleep(pause)).await.is_ok()
    }

    /// Whether it has a place among those who wait, or gets one.
    fn may_wait(&mut self) -> bool {
        if self.place.is_none() {
            let registry = &self.front.registry;
            let (waiting, most) = (&self.front.waiting, self.settings.waiting);
            self.place = waiting.enter(most, &registry.held_bytes, self.bytes);
            if self.place.is_none() {
                registry.limited(Limit::Waiting);
            }
        }
        self.place.is_some()
    }
}

/// What a future has at once. One that has nothing yet can be waited for.
async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

impl Drop for Place<'_> {
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

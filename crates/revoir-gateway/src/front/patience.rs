//! [`Patience`]: one who asks for a backend, and waits for it as long as that may take.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::front::settings::Settings;
use crate::front::state::Front;
use crate::front::waiting::WaitingPermit;
use crate::upstream::{Asking, DialPermit, Pool};
use crate::watch::Limit;

/// Between two attempts of one whose backend breaks off, at first.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The same, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// One who asks for a backend, and may wait for it.
pub(super) struct Patience<'a> {
    front: &'a Front,
    settings: &'a Settings,
    /// What its request takes up.
    bytes: usize,
    deadline: Instant,
    /// Whether another process of the backend would know what it asks for.
    is_for_any: bool,
    place: Option<WaitingPermit<'a>>,
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
            is_for_any: true,
            place: None,
            pause: FIRST_PAUSE,
        }
    }

    /// Waits for its turn, and not for a backend to come back: another process would not know what it asks for.
    pub(super) const fn for_this_one(&mut self) {
        self.is_for_any = false;
    }

    /// A permit to dial, for which it waits if it has to. `None`: it may not, or not so long.
    pub(super) async fn permit(&mut self, pool: &Arc<Pool>, asking: Asking) -> Option<DialPermit> {
        if !self.is_for_any && !pool.accepts() {
            return None;
        }
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

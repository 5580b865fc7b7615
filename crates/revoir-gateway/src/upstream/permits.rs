//! [`Permits`]: who may dial the upstreams of a pool next, and whether they accept.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::upstream::asking::{Asking, Priority, QueueId};
use crate::upstream::bad_paths::Redials;
use crate::upstream::dial_queue::DialQueue;
use crate::upstream::health::Reached;

/// A success is told to those who wait once in so long.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// The permits to dial the upstreams of one pool, and whether one of those accepts.
pub(super) struct Permits {
    /// The zero of all times here.
    epoch: Instant,
    next_id: AtomicU64,
    state: Mutex<State>,
    /// Somebody waits, or something has changed.
    changed: Notify,
    /// The last success, while the backend accepts.
    accepted: watch::Sender<Option<Duration>>,
}

struct State {
    queue: DialQueue,
    waiting: HashMap<QueueId, (Asking, oneshot::Sender<()>)>,
}

impl Permits {
    /// Permits whose times count from `epoch`.
    pub(super) fn new(redial_rate: u32, redials: Redials, epoch: Instant) -> Arc<Self> {
        Arc::new(Self {
            epoch,
            next_id: AtomicU64::new(0),
            state: Mutex::new(State {
                queue: DialQueue::new(redial_rate, redials),
                waiting: HashMap::new(),
            }),
            changed: Notify::new(),
            accepted: watch::Sender::new(None),
        })
    }

    /// Gives them out. Runs until it is dropped; without it nobody who waits gets one.
    pub(super) async fn grant(&self) {
        loop {
            match self.give_due() {
                Some(due) => {
                    tokio::select! {
                        () = self.changed.notified() => {}
                        () = sleep_until(due) => {}
                    }
                }
                None => self.changed.notified().await,
            }
        }
    }

    /// They are given out at another rate from now on.
    pub(super) fn set(&self, redial_rate: u32, redials: Redials) {
        self.state().queue.set(redial_rate, redials);
        self.changed.notify_one();
    }

    /// A number for one who will wait.
    pub(super) fn queue_id(&self) -> QueueId {
        QueueId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Waits for one. A newcomer goes at once if nobody waits and the backend accepts.
    pub(super) async fn wait(self: &Arc<Self>, queue_id: QueueId, asking: Asking) -> DialPermit {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.state();
            if asking.is_new && state.queue.is_free() {
                return DialPermit::new(self, asking);
            }
            state.queue.enqueue(queue_id, asking);
            state.waiting.insert(queue_id, (asking, sender));
        }
        self.changed.notify_one();
        let mut waiting = Waiter {
            permits: self,
            queue_id,
            asking,
            is_given: false,
        };
        // The sender is in the list until the permit is given.
        waiting.is_given = receiver.await.is_ok();
        DialPermit::new(self, asking)
    }

    /// One who has waited goes behind those of `priority` from now on.
    pub(super) fn set_priority(&self, queue_id: QueueId, priority: Priority) {
        self.state().queue.set_priority(queue_id, priority);
    }

    /// Whether the backend accepts.
    pub(super) fn backend_accepts(&self) -> bool {
        self.state().queue.accepts()
    }

    /// When the backend was last seen to accept, while it does.
    pub(super) fn accepted(&self) -> Option<Duration> {
        *self.accepted.borrow()
    }

    /// Tells those who wait when the backend begins to accept, or stops.
    pub(super) fn watch(&self) -> watch::Receiver<Option<Duration>> {
        self.accepted.subscribe()
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn report(&self, asking: Asking, reached: Reached) {
        let now = self.now();
        let mut state = self.state();
        match reached {
            Reached::Well => {
                let began = state.queue.accepted(now, asking.path);
                let told = *self.accepted.borrow();
                if began || told.is_none_or(|told| told + TOLD_EVERY <= now) {
                    self.accepted.send_replace(Some(now));
                }
            }
            Reached::Badly | Reached::Silent => state.queue.answered_badly(now, asking),
            Reached::Untried => state.queue.untried(now, asking),
            Reached::Not => {
                if state.queue.failed(now, asking.path) {
                    self.accepted.send_replace(None);
                }
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives out all permits that are due, and returns when the next one is.
    fn give_due(&self) -> Option<Instant> {
        let mut state = self.state();
        let now = self.now();
        while let Some(queue_id) = state.queue.grant(now) {
            let waiting = state.waiting.remove(&queue_id);
            let asking = waiting.as_ref().map(|(asking, _)| *asking);
            if waiting.is_none_or(|(_, sender)| sender.send(()).is_err()) {
                state.queue.unused(asking);
            }
        }
        state.queue.next_grant().map(|next| self.epoch + next)
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits").finish_non_exhaustive()
    }
}

/// One who waits. Dropped, it waits no more.
struct Waiter<'a> {
    permits: &'a Permits,
    queue_id: QueueId,
    asking: Asking,
    is_given: bool,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if self.is_given {
            return;
        }
        let mut state = self.permits.state();
        if state.waiting.remove(&self.queue_id).is_none() {
            // The permit was given in this moment.
            state.queue.unused(Some(self.asking));
        }
        state.queue.leave(self.queue_id);
        drop(state);
        self.permits.changed.notify_one();
    }
}

/// The right to dial once. What came of it is to be reported; dropped, it goes to somebody else.
#[derive(Debug)]
pub(crate) struct DialPermit {
    permits: Arc<Permits>,
    asking: Asking,
    reported: bool,
}

impl DialPermit {
    fn new(permits: &Arc<Permits>, asking: Asking) -> Self {
        Self {
            permits: Arc::clone(permits),
            asking,
            reported: false,
        }
    }

    /// Whether it is for a client that had a backend.
    pub(super) const fn is_again(&self) -> bool {
        !self.asking.is_new
    }

    /// What came of it. `Reached::Not`: no upstream of the pool is there.
    pub(crate) fn report(mut self, reached: Reached) {
        self.reported = true;
        self.permits.report(self.asking, reached);
    }
}

impl Drop for DialPermit {
    fn drop(&mut self) {
        if !self.reported {
            self.permits.state().queue.unused(Some(self.asking));
            self.permits.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;
    use crate::upstream::path_id::PathId;

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_get_turns_at_the_rate() {
        let start = Instant::now();
        let permits = Permits::new(100, Redials::default(), start);
        let granting = Arc::clone(&permits);
        let running = tokio::spawn(async move { granting.grant().await });
        let asking = Asking {
            path: PathId::of("/"),
            priority: Priority::Normal,
            is_new: false,
        };
        let mut waiting = JoinSet::new();
        for _ in 0..100 {
            let permits = Arc::clone(&permits);
            waiting.spawn(async move {
                let permit = permits.wait(permits.queue_id(), asking).await;
                permit.report(Reached::Well);
            });
        }
        waiting.join_all().await;
        let took = start.elapsed();
        // 99 pauses; the timer counts in milliseconds, and two permits may be made up for.
        let expected = Duration::from_millis(970)..=Duration::from_millis(1100);
        assert!(expected.contains(&took), "{took:?}");
        running.abort();
    }
}

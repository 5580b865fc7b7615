//! [`Draining`]: whether a gateway is about to end, and what those are told who come meanwhile.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revoir::Ending;
use revoir::drain::{Drain, DrainReport, Schedule};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::relay::Goodbye;
use crate::watch::Handle;

/// Whether a drain has begun, and how it goes.
#[derive(Debug)]
pub(crate) struct Draining {
    /// Whoever speaks plain HTTP listens.
    has_begun: watch::Sender<bool>,
    /// When it is over at the latest.
    deadline: watch::Sender<Instant>,
    ongoing: Mutex<Option<Ongoing>>,
}

/// A drain that has begun.
#[derive(Debug)]
struct Ongoing {
    plan: Drain,
    schedule: Schedule,
    started: Duration,
    is_late: bool,
    report: DrainReport,
}

impl Draining {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            has_begun: watch::Sender::new(false),
            deadline: watch::Sender::new(now),
            ongoing: Mutex::default(),
        }
    }

    /// Whether a drain has begun.
    pub(crate) fn has_begun(&self) -> bool {
        *self.has_begun.borrow()
    }

    /// Whoever is told that a drain begins. The drain waits until it is dropped.
    pub(crate) fn listen(&self) -> watch::Receiver<bool> {
        self.has_begun.subscribe()
    }

    /// When a client may come again, if a drain has begun; it is counted as refused.
    pub(crate) fn turn_away(&self, now: Duration) -> Option<Duration> {
        let mut ongoing = self.ongoing();
        let ongoing = ongoing.as_mut()?;
        ongoing.report.refused += 1;
        let elapsed = now.saturating_sub(ongoing.started);
        Some(ongoing.schedule.latecomer(elapsed).saturating_sub(elapsed))
    }

    /// What a connection is told that has opened after a drain has begun.
    pub(super) fn goodbye_to_latecomer(&self, now: Duration) -> Option<Goodbye> {
        let ongoing = self.ongoing();
        let ongoing = ongoing.as_ref()?;
        let elapsed = now.saturating_sub(ongoing.started);
        let at = ongoing.started + ongoing.schedule.latecomer(elapsed);
        Some(Goodbye::drained(&ongoing.plan, at))
    }

    /// Counts a client that has ended, if a drain has begun.
    pub(super) fn count(&self, ending: &Ending) {
        if let Some(ongoing) = &mut *self.ongoing() {
            ongoing.report.count(ending, ongoing.is_late);
        }
    }

    /// Begins. `open` lists the connections to close: from then on others are latecomers.
    pub(super) fn begin(
        &self,
        plan: &Drain,
        now: Duration,
        open: impl FnOnce() -> Vec<Arc<Handle>>,
    ) -> (Vec<Arc<Handle>>, Schedule) {
        self.deadline.send_replace(Instant::now() + plan.limit());
        let begun = {
            // Held meanwhile, so that whoever enters is either among them or finds out.
            let mut ongoing = self.ongoing();
            let handles = open();
            let schedule = plan.schedule(handles.len());
            *ongoing = Some(Ongoing {
                plan: plan.clone(),
                schedule,
                started: now,
                is_late: false,
                report: DrainReport::default(),
            });
            (handles, schedule)
        };
        self.has_begun.send_replace(true);
        begun
    }

    /// Has a drain be over within `limit` from now. The plan, if one has begun.
    pub(crate) fn hurry(&self, limit: Duration) -> Option<Drain> {
        let deadline = Instant::now() + limit;
        self.deadline.send_modify(|old| *old = deadline.min(*old));
        self.ongoing().as_ref().map(|ongoing| ongoing.plan.clone())
    }

    /// Waits until nobody listens any more.
    pub(super) async fn unheard(&self) {
        self.has_begun.closed().await;
    }

    /// Is ready once the deadline has passed, wherever it moves meanwhile.
    pub(super) async fn deadline_passed(&self) {
        let mut deadline = self.deadline.subscribe();
        loop {
            let at = *deadline.borrow_and_update();
            tokio::select! {
                () = sleep_until(at) => return,
                // The sender is here, as long as somebody waits for this.
                Ok(()) = deadline.changed() => {}
            }
        }
    }

    /// What ends from here on was late.
    pub(super) fn is_late(&self) {
        if let Some(ongoing) = &mut *self.ongoing() {
            ongoing.is_late = true;
        }
    }

    /// So many are still there, and dropped.
    pub(super) fn cut(&self, left: usize) {
        if let Some(ongoing) = &mut *self.ongoing() {
            ongoing.report.cut += left;
            ongoing.report.unsent += left;
        }
    }

    pub(super) fn report(&self) -> DrainReport {
        match &*self.ongoing() {
            Some(ongoing) => ongoing.report,
            None => DrainReport::default(),
        }
    }

    fn ongoing(&self) -> MutexGuard<'_, Option<Ongoing>> {
        self.ongoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is ready when a drain begins; never, if nobody tells. The drain goes on waiting for whoever has
/// `draining`.
pub(crate) async fn begun(draining: Option<&mut watch::Receiver<bool>>) {
    if let Some(draining) = draining
        && draining.wait_for(|draining| *draining).await.is_ok()
    {
        return;
    }
    pending().await
}

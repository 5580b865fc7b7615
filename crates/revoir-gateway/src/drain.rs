//! The end of a gateway or of a route: its connections are closed in order, and come back in slots.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use revoir::{Drain, DrainReport, Ending, Entropy, Schedule};
use revoir_proto::Random;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Gateway;
use super::connection::Handle;
use super::site::Site;
use super::verdict::Goodbye;

/// For what is cut at the deadline to be gone.
const CUT_TIME: Duration = Duration::from_millis(500);

/// A drain that has begun.
#[derive(Debug)]
pub(super) struct Ongoing {
    plan: Drain,
    schedule: Schedule,
    started: Duration,
    is_late: bool,
    report: DrainReport,
}

impl Gateway {
    /// Closes every connection as `plan` says, and waits until all have ended; at its deadline the
    /// rest is cut. What was asked over plain HTTP is answered first. To be called once.
    pub async fn drain(&self, plan: Drain) -> DrainReport {
        let started = Instant::now();
        self.deadline.send_replace(started + plan.limit());
        let (handles, schedule) = self.begin(&plan);
        self.draining.send_replace(true);
        let mut sites = JoinSet::new();
        for tracker in self.current().routes.sites().filter_map(Site::tracker) {
            sites.spawn(tracker.drain(plan.clone()));
        }
        let orderly = async {
            self.close(handles, &plan, schedule).await;
            tokio::join!(self.emptied(), self.draining.closed());
        };
        tokio::select! {
            () = orderly => {}
            () = passed(self.deadline.subscribe()) => self.cut(&plan).await,
        }
        let mut report = match &*self.ongoing() {
            Some(ongoing) => ongoing.report,
            None => DrainReport::default(),
        };
        // They keep to the same deadline by themselves.
        for site in sites.join_all().await {
            add(&mut report, &site);
        }
        report.took = started.elapsed();
        report
    }

    /// The connections to close. From here on others are latecomers.
    fn begin(&self, plan: &Drain) -> (Vec<Arc<Handle>>, Schedule) {
        // Held meanwhile, so that whoever enters is either among them or finds out.
        let mut ongoing = self.ongoing();
        let handles = self.handles();
        let schedule = plan.schedule(handles.len());
        *ongoing = Some(Ongoing {
            plan: plan.clone(),
            schedule,
            started: self.now(),
            is_late: false,
            report: DrainReport::default(),
        });
        (handles, schedule)
    }

    /// Has a drain be over within `limit` from now.
    pub fn hurry(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        self.deadline.send_modify(|old| *old = deadline.min(*old));
        let ongoing = self.ongoing().as_ref().map(|ongoing| ongoing.plan.clone());
        if let Some(plan) = ongoing {
            for tracker in self.current().routes.sites().filter_map(Site::tracker) {
                drop(tracker.drain(plan.clone().within(limit)));
            }
        }
    }

    /// Whether a drain has begun.
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// When a client may come again, if a drain has begun; it is counted as refused.
    pub(super) fn turn_away(&self) -> Option<Duration> {
        let mut ongoing = self.ongoing();
        let ongoing = ongoing.as_mut()?;
        ongoing.report.refused += 1;
        let elapsed = self.now().saturating_sub(ongoing.started);
        Some(ongoing.schedule.latecomer(elapsed).saturating_sub(elapsed))
    }

    /// What a connection is told that has opened after a drain has begun.
    pub(super) fn goodbye_to_latecomer(&self) -> Option<Goodbye> {
        let ongoing = self.ongoing();
        let ongoing = ongoing.as_ref()?;
        let elapsed = self.now().saturating_sub(ongoing.started);
        let at = ongoing.started + ongoing.schedule.latecomer(elapsed);
        Some(Goodbye::drained(&ongoing.plan, at))
    }

    /// Counts a client that has ended, if a drain has begun.
    pub(super) fn count_drained(&self, ending: &Ending) {
        if let Some(ongoing) = &mut *self.ongoing() {
            ongoing.report.count(ending, ongoing.is_late);
        }
    }

    /// Closes some connections evenly, in random order, each with a slot.
    pub(super) async fn close(
        &self,
        mut handles: Vec<Arc<Handle>>,
        plan: &Drain,
        schedule: Schedule,
    ) {
        shuffle(&mut handles);
        let started = self.now();
        let mut next = 0;
        while next < handles.len() {
            let until = schedule.due(self.now() - started).max(next);
            for (index, handle) in (next..).zip(&handles[next..until]) {
                let at = started + schedule.slot(index);
                handle.leave(Goodbye::drained(plan, at));
            }
            next = until;
            if next < handles.len() {
                sleep(Schedule::TICK).await;
            }
        }
    }

    /// The deadline has passed. Even now the Close frame comes first, where there is room for it.
    async fn cut(&self, plan: &Drain) {
        if let Some(ongoing) = &mut *self.ongoing() {
            ongoing.is_late = true;
        }
        let left = self.handles();
        let count = left.len();
        let schedule = plan.schedule(count);
        let now = self.now();
        for (index, handle) in left.into_iter().enumerate() {
            handle.end(Goodbye::drained(plan, now + schedule.slot(index)));
        }
        if timeout(CUT_TIME, self.emptied()).await.is_err()
            && let Some(ongoing) = &mut *self.ongoing()
        {
            let left = self.connections();
            ongoing.report.cut += left;
            ongoing.report.unsent += left;
        }
    }

    /// Waits until no connection is open.
    async fn emptied(&self) {
        loop {
            let left = self.left.notified();
            if self.connections() == 0 {
                return;
            }
            left.await;
        }
    }

    fn ongoing(&self) -> MutexGuard<'_, Option<Ongoing>> {
        self.ongoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is ready once the deadline has passed, wherever it moves meanwhile.
async fn passed(mut deadline: watch::Receiver<Instant>) {
    loop {
        let at = *deadline.borrow_and_update();
        tokio::select! {
            () = sleep_until(at) => return,
            // The sender belongs to the gateway, which waits for this.
            Ok(()) = deadline.changed() => {}
        }
    }
}

fn add(report: &mut DrainReport, other: &DrainReport) {
    report.answered += other.answered;
    report.eof += other.eof;
    report.reset += other.reset;
    report.timeout += other.timeout;
    report.cut += other.cut;
    report.otherwise += other.otherwise;
    report.unsent += other.unsent;
    report.refused += other.refused;
}

/// Puts `items` in a random order; every order is as likely.
fn shuffle<T>(items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let bits = u64::from(Entropy.next_u32());
        items.swap(last, ((bits * (last as u64 + 1)) >> 32) as usize);
    }
}

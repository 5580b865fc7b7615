//! Connections are closed properly, and come back in slots.

use std::sync::Arc;
use std::time::Duration;

use revoir::drain::{Drain, DrainReport, Schedule};
use tokio::time::{sleep, timeout};

use crate::connection::registry::Registry;
use crate::relay::Goodbye;
use crate::watch::Handle;

/// For what is cut at the deadline to be gone.
const CUT_TIME: Duration = Duration::from_millis(500);

/// A drain that has begun, whose connections are to be closed.
pub(crate) struct Begun {
    plan: Drain,
    handles: Vec<Arc<Handle>>,
    schedule: Schedule,
}

impl Registry {
    /// Has whoever comes from now on be told that the gateway is about to end.
    pub(crate) fn begin_drain(&self, plan: &Drain) -> Begun {
        let (handles, schedule) = self.draining.begin(plan, self.now(), || self.handles());
        Begun {
            plan: plan.clone(),
            handles,
            schedule,
        }
    }

    /// Closes every connection, and waits until all have ended; at the deadline the rest is cut.
    /// What was asked over plain HTTP is answered first.
    pub(crate) async fn drain(&self, begun: Begun) -> DrainReport {
        let Begun {
            plan,
            handles,
            schedule,
        } = begun;
        let orderly = async {
            self.close(handles, &plan, schedule).await;
            tokio::join!(self.emptied(), self.draining.unheard());
        };
        tokio::select! {
            () = orderly => {}
            () = self.draining.deadline_passed() => self.cut(&plan).await,
        }
        self.draining.report()
    }

    /// Is ready once what is cut at the deadline is gone. Whoever asks then has as much time from there on.
    pub(crate) async fn time_is_up(&self) {
        self.draining.deadline_passed().await;
        sleep(CUT_TIME).await;
    }

    /// Closes some connections evenly, in random order, each with a slot.
    pub(crate) async fn close(
        &self,
        mut handles: Vec<Arc<Handle>>,
        plan: &Drain,
        schedule: Schedule,
    ) {
        Schedule::shuffle(&mut handles);
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
        self.draining.is_late();
        let left = self.handles();
        let count = left.len();
        let schedule = plan.schedule(count);
        let now = self.now();
        for (index, handle) in left.into_iter().enumerate() {
            handle.end(Goodbye::drained(plan, now + schedule.slot(index)));
        }
        if timeout(CUT_TIME, self.emptied()).await.is_err() {
            self.draining.cut(self.len());
        }
    }

    /// Waits until no connection is open.
    async fn emptied(&self) {
        loop {
            let left = self.left.notified();
            if self.len() == 0 {
                return;
            }
            left.await;
        }
    }
}

//! Connections whose upstream or route was removed.

use std::sync::Arc;
use std::time::Duration;

use revoir::drain::{Drain, Schedule};
use tokio::time::sleep;

use crate::connection::registry::Registry;
use crate::watch::Handle;

/// What the clients of an upstream are told that could not be given another one.
pub(crate) const REMOVED: &str = "the upstream is removed";

impl Registry {
    /// Has connections get another upstream, so many per second.
    pub(crate) async fn move_all(&self, handles: Vec<Arc<Handle>>, rate: u32) {
        let started = self.now();
        let mut next = 0;
        while next < handles.len() {
            let passed = self.now().saturating_sub(started) + Schedule::TICK;
            let until = (f64::from(rate.max(1)) * passed.as_secs_f64()).ceil() as usize;
            let until = until.clamp(next, handles.len());
            handles[next..until]
                .iter()
                .for_each(|one| one.tell_to_move());
            next = until;
            if next < handles.len() {
                sleep(Schedule::TICK).await;
            }
        }
    }

    /// The connections whose upstream is one of these, which are known by their names.
    pub(crate) fn still_at(&self, removed: &[Arc<str>]) -> Vec<Arc<Handle>> {
        let is_there = |handle: &Arc<Handle>| {
            let upstream = handle.upstream();
            handle.is_elsewhere() && removed.iter().any(|one| Arc::ptr_eq(one, &upstream))
        };
        self.handles().into_iter().filter(is_there).collect()
    }

    /// Closes connections with 1012 and a slot, for this reason.
    pub(crate) async fn send_back(&self, handles: Vec<Arc<Handle>>, why: &'static str) {
        if handles.is_empty() {
            return;
        }
        let plan = Drain::restart().ready_in(Duration::ZERO).reason(why);
        let schedule = plan.schedule(handles.len());
        self.close(handles, &plan, schedule).await;
    }
}

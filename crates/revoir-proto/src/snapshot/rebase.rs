//! A snapshot in another epoch.

use std::time::Duration;

use crate::keepalive::PingSnapshot;
use crate::snapshot::Snapshot;

impl Snapshot {
    /// Moves the connection from an epoch at which it is now `from` to one at which it is now `to`,
    /// for example one that begins with the process that goes on. Nothing is lost of what happened
    /// before the new epoch: durations and deadlines are what they would have been.
    pub fn rebase(&mut self, from: Duration, to: Duration) {
        let own = from.saturating_add(self.ahead);
        self.ahead = own.saturating_sub(to);
        let by = to.saturating_sub(own);
        if !by.is_zero() {
            self.move_times(by);
        }
    }

    /// Moves every time to one that is later `by` so much.
    fn move_times(&mut self, by: Duration) {
        let move_one = |time: &mut Duration| *time = time.saturating_add(by);
        move_one(&mut self.arrived);
        if let Some(at) = &mut self.deaf_since {
            move_one(at);
        }
        move_one(&mut self.output.progress);
        move_one(&mut self.liveness.received);
        move_one(&mut self.liveness.sent);
        move_one(&mut self.last_message);
        move_one(&mut self.opened);
        if let PingSnapshot::Awaited { since } = &mut self.liveness.ping {
            move_one(since);
        }
        if let Some((_, at)) = &mut self.liveness.unmatched {
            move_one(at);
        }
        if let Some(closing) = &mut self.closing {
            move_one(&mut closing.deadline);
            let times = [&mut closing.written_at, &mut closing.fin_deadline];
            times.into_iter().flatten().for_each(move_one);
        }
    }
}

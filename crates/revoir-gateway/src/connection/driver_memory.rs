//! What a driver keeps in memory, among everybody's.

use std::task::Context;
use std::time::Duration;

use revoir::reconnect::Entropy;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::driver::{Driver, moment};
use crate::connection::transport::Writer;
use crate::relay::Side;

/// What is read at once where there is no room: so that nobody has to stand still.
const LEAST_READ: usize = 4096;

/// How often a message whose end is missing is looked at.
const LOOK: Duration = Duration::from_secs(1);

impl<S> Driver<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// How much of `wanted` may be read now. During a hold everything that is read is kept, and there
    /// may be no room; else a little always goes on.
    pub(super) fn room_for(&mut self, wanted: usize) -> usize {
        let room = self.held.all().free();
        if wanted <= room {
            return wanted;
        }
        let Some(hold) = self.hold.as_mut() else {
            // What waits for the return of others is kept as well.
            let least = match self.relay.keeps_back() {
                true => 0,
                false => LEAST_READ,
            };
            return wanted.min(room.max(least));
        };
        if !hold.is_crowded {
            hold.is_crowded = true;
            self.relay.found_no_room();
            self.connection.found_no_room();
        }
        room
    }

    /// Counts what is kept. A message whose end is missing goes on as it is where room is short.
    pub(super) fn count(&mut self, cx: &mut Context<'_>, now: Duration) {
        self.held.set(self.relay.memory());
        if self.relay.unfinished() == 0 {
            self.next_look = None;
        } else {
            self.next_look.get_or_insert(now + LOOK);
            if !self.relay.is_holding() && self.held.all().is_short() {
                self.let_go(cx, now);
            }
        }
    }

    /// Looks again at what is kept, if that is due.
    pub(super) fn look_at_memory(&mut self, cx: &mut Context<'_>, now: Duration) {
        if self.next_look.is_some_and(|look| look <= now) {
            self.next_look = None;
            self.count(cx, now);
        }
    }

    fn let_go(&mut self, cx: &mut Context<'_>, now: Duration) {
        for side in [Side::Client, Side::Backend] {
            let to = match side {
                Side::Client => &mut self.backend,
                Side::Backend => &mut self.client,
            };
            let (relay, connection) = (&mut self.relay, &self.connection);
            let mut random = Entropy;
            let outlook = || connection.outlook(now);
            let mut writer = Writer::new(to.as_mut(), cx);
            relay.let_go(&mut moment(now, &mut random, &outlook), side, &mut writer);
            if let Some(error) = writer.error {
                self.writing_failed(cx, now, side.other(), &error);
            }
        }
        self.held.set(self.relay.memory());
    }
}

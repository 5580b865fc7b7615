//! What a driver does when its route is told something else.

use std::time::Duration;

use revoir::reconnect::Entropy;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::driver::Driver;
use crate::connection::lifetime::Lifetime;
use crate::connection::meter::Meter;

impl<S> Driver<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Goes by the rules that the route has now. An age and a silence that were not limited as they are
    /// now begin anew.
    pub(super) fn take_rules(&mut self, now: Duration) {
        let Some((before, rules)) = self.connection.take_rules() else {
            return;
        };
        self.relay.set_rules(&rules);
        if (before.max_age, before.idle_limit) != (rules.max_age, rules.idle_limit) {
            self.lifetime = Lifetime::new(&rules, now, &mut Entropy);
        }
        if before.client_rate != rules.client_rate {
            self.meter = Meter::new(rules.client_rate, self.relay.charged());
        }
    }

    /// Leaves a backend that the route has no more, once nothing is half forwarded.
    pub(super) fn poll_move(&mut self, now: Duration) {
        if self.is_to_move && self.connection.is_elsewhere() {
            let mut is_done = false;
            self.with(now, |relay, at| is_done = relay.change_backend(at));
            self.is_to_move = !is_done;
        }
    }
}

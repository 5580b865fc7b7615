//! What a driver does after a hold: what its client says waits for the others that return.

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::driver::Driver;
use crate::upstream::Return;

impl<S> Driver<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Counts this client among those that have still to return, and sees whether there are any. Returns
    /// whether there is something new to look at.
    pub(super) fn poll_return(&mut self, cx: &mut Context<'_>, now: Duration) -> bool {
        let is_refused = self.hold.as_ref().is_some_and(|hold| hold.is_refused);
        let missing = self.relay.missing().filter(|_| !is_refused);
        let is_gated = self.relay.is_gated();
        if missing.is_none() && !is_gated {
            self.returning = None;
            return false;
        }
        let pool = self.connection.pool();
        let returning = self.returning.get_or_insert_default();
        // The last one may have returned before it is waited for.
        let is_new = is_gated && returning.all.is_none();
        if is_new {
            returning.all = Some(Box::pin(pool.returns_over()));
        } else if !is_gated {
            returning.all = None;
        }
        if missing != returning.own.as_ref().map(Return::missing) {
            returning.own = missing.map(|missing| Return::begin(pool, missing));
        }
        let all = returning.all.as_mut().map(|all| all.as_mut().poll(cx));
        let are_over = matches!(all, Some(Poll::Ready(())));
        if are_over {
            returning.all = None;
        }
        if is_new || are_over {
            self.with(now, |relay, at| relay.handle_timeout(at));
        }
        // If somebody else is held since, that one is waited for, too.
        are_over || (is_gated && !self.relay.is_gated())
    }
}

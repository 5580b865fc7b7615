//! What a driver does while its backend is silent: it has the upstream asked how it is.

use std::future::pending;
use std::task::Context;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::driver::Driver;

impl<S> Driver<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Asks, and tells the relay once there is something to tell. Returns whether there is.
    pub(super) fn poll_silence(&mut self, cx: &mut Context<'_>, now: Duration) -> bool {
        let upstream = self.connection.upstream();
        let Some(upstream) = upstream.filter(|_| self.relay.is_silent()) else {
            if self.hearing.take().is_some() {
                self.connection.handle().traffic.set_silent(None);
                if self.relay.is_attached()
                    && let Some(upstream) = self.connection.upstream()
                {
                    upstream.speaks();
                }
            }
            return false;
        };
        let (redial, connection) = (&self.redial, &self.connection);
        let hearing = self.hearing.get_or_insert_with(|| {
            connection.handle().traffic.set_silent(Some(now));
            redial.hear_of(upstream)
        });
        if hearing.as_mut().poll(cx).is_pending() {
            return false;
        }
        // Once is enough: the relay goes by that.
        *hearing = Box::pin(pending());
        self.with(now, |relay, at| relay.handle_timeout(at));
        true
    }
}

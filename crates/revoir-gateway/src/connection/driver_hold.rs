//! What a driver does while its client is held: it waits for its turn, dials, and counts what the
//! client sends meanwhile.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::driver::Driver;
use crate::connection::holding::{HoldState, Returned};
use crate::relay::{RedialFailure, Relay, Side};
use crate::upstream::{Pool, Priority};

impl<S> Driver<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Starts and follows re-dials while another backend is looked for.
    pub(super) fn poll_hold(&mut self, cx: &mut Context<'_>, now: Duration) -> bool {
        let Some(seeking) = self.relay.seeking() else {
            self.end_hold();
            return false;
        };
        let connection = &mut self.connection;
        let hold = self.hold.get_or_insert_with(|| {
            connection.begin_hold(seeking.since);
            Box::new(HoldState {
                redialing: None,
                is_refused: false,
                queue_id: None,
                changed: watch(connection.pool()),
                is_crowded: false,
            })
        });
        let has_waiting = self.relay.has_waiting();
        let priority = priority(has_waiting);
        if self.relay.wants_dial(now) {
            let queue_id = self.connection.pool().queue_id();
            hold.queue_id = (!has_waiting).then_some(queue_id);
            let doubted = self.connection.lost().filter(|_| self.relay.doubts_loss());
            let redialing = self.redial.redial(queue_id, priority, seeking, doubted);
            hold.redialing = Some(redialing);
        }
        if has_waiting && let Some(queue_id) = hold.queue_id.take() {
            self.connection.pool().set_priority(queue_id, priority);
        }
        let mut progressed = false;
        if hold.changed.as_mut().poll(cx).is_ready() {
            hold.changed = watch(self.connection.pool());
            progressed = true;
        }
        let redialed = hold
            .redialing
            .as_mut()
            .map(|redialing| redialing.as_mut().poll(cx));
        if let Some(Poll::Ready(redialed)) = redialed {
            hold.redialing = None;
            self.redialed(cx, now, redialed);
            return true;
        }
        if progressed {
            self.with(now, |relay, at| relay.handle_timeout(at));
        }
        progressed
    }

    fn redialed(
        &mut self,
        cx: &mut Context<'_>,
        now: Duration,
        redialed: Result<Returned<S>, RedialFailure>,
    ) {
        match redialed {
            Ok(Returned {
                stream,
                input,
                upstream,
                took,
            }) => {
                // It may be gone while the opening handshake was under way.
                self.is_to_move = true;
                self.backend = Some(stream);
                self.tell_session();
                // What it had before says whether that was away.
                self.with(now, Relay::attach);
                self.connection.returned(upstream, took);
                self.end_hold();
                self.take_input(cx, now, Side::Backend, &input);
            }
            Err(redialed) => {
                if let Some(hold) = &mut self.hold {
                    hold.is_refused = redialed != RedialFailure::Unreachable;
                }
                self.connection.redial_failed(&redialed);
                self.with(now, |relay, at| relay.redial_failed(at, &redialed));
            }
        }
    }
}

impl<S> Driver<S> {
    /// Has the client's session know that another backend speaks from here on, behind what still waits for it.
    fn tell_session(&self) {
        if let (Some(session), Some(seeking)) = (self.connection.session(), self.relay.seeking()) {
            session.change(seeking.previous, self.relay.waiting_for_client());
        }
    }

    /// Gives everything back that a hold needs.
    pub(super) fn end_hold(&mut self) {
        if self.hold.take().is_some() {
            self.connection.end_hold();
        }
    }
}

/// Those who only listen go first: what is said before they are there is lost to them.
const fn priority(has_waiting: bool) -> Priority {
    match has_waiting {
        true => Priority::Normal,
        false => Priority::Urgent,
    }
}

/// Is ready when the pool begins to accept, or stops.
fn watch(pool: &Pool) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let mut accepted = pool.watch();
    Box::pin(async move {
        // The pool lives as long as the connection.
        let _ = accepted.changed().await;
    })
}

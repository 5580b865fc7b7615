//! What a handler needs that stands between a session and something else: a gateway.

use std::sync::Arc;
use std::task::{Context, Poll};

use revoir_codes::SendCode;
use revoir_proto::{Message, Reason};
use revoir_session::{BackendChanged, Bye, Close, GoAway, Key, Loss, SessionId};

use crate::session::bell::Half;
use crate::session::end::End;
use crate::session::ending::SessionEnding;
use crate::session::event::Event;
use crate::session::handle::Session;

impl Session {
    /// [`event`](Self::event), polled. The task that asked last is woken.
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let next = self.end().poll_until(Half::Reader, cx, End::take);
        next.map(Result::ok)
    }

    /// [`send`](Self::send), polled: once it is ready the message was sent, or never will be. The task that asked last is
    /// woken.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: &Message,
    ) -> Poll<Result<Key, Arc<SessionEnding>>> {
        let send = |end: &End| end.send_or_over(message);
        self.end().poll_until(Half::Writer, cx, send)
    }

    /// Is ready once there is nothing left to do for whoever ends the session: it is over or about to be, or another server is to have
    /// it, and it has no connection. The store is not waited for.
    pub fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let left = |end: &End| {
            end.look_at_state(|state| {
                let session = &state.session;
                let is_ending =
                    session.ended().is_some() || session.is_closing() || !state.is_kept();
                is_ending && session.connection().is_none()
            })
            .then_some(())
        };
        self.end().poll_until(Half::Reader, cx, left)
    }

    /// Server: tells the client, between the messages, that another backend speaks from here on.
    pub fn backend_changed(&self, change: BackendChanged) {
        // One that is over tells nobody.
        let _ = self
            .end()
            .stir(|session, _| session.backend_changed(change));
    }

    /// Ends the session as [`close`](Self::close) does, and says who does so.
    pub fn close_as(&self, mut bye: Bye) {
        bye.reason = Reason::truncated(&bye.reason).to_string();
        self.end().say(bye);
    }

    /// Server: ends the session without a goodbye of the client, which is told the verdict of `why` if it comes again.
    /// If it is there, its connection is closed with `code` and `reason`, behind `goaway`.
    pub fn lose(&self, why: Loss, goaway: Option<GoAway>, code: SendCode, reason: Reason) {
        self.end().stir_state(|state, _| {
            if let Some(goaway) = goaway {
                // A code of the protocol's own announces nothing.
                let _ = state.session.go_away(goaway);
            }
            let reason = reason.to_string();
            state.lose(why, Close { code, reason });
        });
    }

    /// Server with a [store](crate::session::Server::with_store): leaves the session to whichever server its client comes to next. If the
    /// client is there, its connection is closed with `code` and `reason`, behind `goaway`. Nothing more is taken or sent here;
    /// once the store has the session as it is then, it is [elsewhere](SessionEnding::Elsewhere). Says whether it leaves: it does not without a
    /// store that answers, nor if it is over or about to be.
    pub fn leave(&self, goaway: Option<GoAway>, code: SendCode, reason: Reason) -> bool {
        let reason = reason.to_string();
        let end = self.end();
        end.is_stored() && !end.is_closing() && end.leave_to_next(goaway, Close { code, reason })
    }

    /// Looks at it from elsewhere.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        Watcher(Arc::clone(self.end()))
    }
}

/// Looks at a session, and does not hold it: it ends as if this were not there.
#[derive(Clone, Debug)]
pub struct Watcher(Arc<End>);

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Which one it is.
    pub session: SessionId,
    /// Grows with each connection, and with each server that takes the session.
    pub generation: u64,
    /// Whether it has one right now.
    pub is_attached: bool,
    /// Whether it is over.
    pub is_over: bool,
    /// Whether its store is away, so that it is in this process only.
    pub is_volatile: bool,
    /// So many messages were numbered for the peer, with whatever else has a number.
    pub sent: u64,
    /// So many came from it.
    pub received: u64,
    /// Messages that are kept until the peer acknowledges them.
    pub kept_messages: usize,
    /// Their bytes.
    pub kept_bytes: u64,
}

impl Watcher {
    /// How it stands right now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.look(|session| {
            let (kept_messages, kept_bytes) = session.kept();
            Status {
                session: session.id(),
                generation: session.generation(),
                is_attached: session.connection().is_some(),
                is_over: session.ended().is_some(),
                is_volatile: session.is_volatile(),
                sent: session.sent(),
                received: session.received(),
                kept_messages,
                kept_bytes,
            }
        })
    }
}

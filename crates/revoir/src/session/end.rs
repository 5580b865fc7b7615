//! [`End`]: one end of a session, between its application and the connection that it has.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use revoir_codes::SendCode;
use revoir_proto::{Ending, Initiator, Message};
use revoir_session as protocol;
use revoir_session::{
    Acks, Bye, Close, Config, ConnectionId, GoAway, Key, Loss, Origin, Outgoing, Role, SendError,
    SessionId,
};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::deadline::after;
use crate::session::bell::{Bell, Half};
use crate::session::ending::SessionEnding;
use crate::session::event::{Event, to_application, to_protocol};
use crate::session::place::Place;
use crate::session::state::EndState;

/// One end of a session. Whoever changes it wakes the others: the connection, which writes, and the
/// application, which takes and waits for room.
pub(super) struct End {
    state: Mutex<EndState>,
    /// When this end began here, and what the session's time was then.
    began: Instant,
    age: Duration,
    connection: Notify,
    application: Bell,
    /// Whoever waits for its end only is not woken by each message.
    courses: Notify,
    /// Server: who keeps sessions.
    keeper: Option<Weak<dyn Keeper>>,
}

/// Who counts what sessions keep.
pub(super) trait Keeper: Send + Sync {
    /// A session keeps so many bytes more, or fewer. Says whether that is too much, and no other can make
    /// room.
    fn kept(&self, change: i64) -> bool;

    /// The store does not have this session as it is.
    fn behind(&self, id: SessionId);
}

/// What a connection does next.
pub(super) struct Interest {
    /// Whether the application has room for what is read.
    pub(super) may_read: bool,
    pub(super) due: Option<Instant>,
}

/// What a connection writes next.
pub(super) enum ToWrite {
    Message(Message),
    Close(Close),
    Nothing,
}

/// Sessions are acknowledged as the application takes them: what nobody has taken is the peer's to keep.
pub(super) fn config(mut config: Config) -> Config {
    config.acks = Acks::OnCommit;
    config
}

impl End {
    pub(super) fn client(settings: Config) -> Self {
        let session = protocol::Session::client(Duration::ZERO, config(settings));
        Self::new(Duration::ZERO, (session, None), None)
    }

    /// One whose time is `now`, with its place in a store if it has one.
    pub(super) fn new(
        now: Duration,
        (session, place): (protocol::Session, Option<Place>),
        keeper: Option<Weak<dyn Keeper>>,
    ) -> Self {
        Self {
            state: Mutex::new(EndState::new(session, place)),
            began: Instant::now(),
            age: now,
            connection: Notify::new(),
            application: Bell::default(),
            courses: Notify::new(),
            keeper,
        }
    }

    fn lock(&self) -> MutexGuard<'_, EndState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session's time.
    fn now(&self) -> Duration {
        self.age.saturating_add(self.began.elapsed())
    }

    /// When its time is `then`.
    pub(super) fn at(&self, then: Duration) -> Instant {
        after(self.began, then.saturating_sub(self.age))
    }

    /// Looks at the session.
    pub(super) fn look<R>(&self, look: impl FnOnce(&protocol::Session) -> R) -> R {
        look(&self.lock().session)
    }

    pub(super) fn look_at_state<R>(&self, look: impl FnOnce(&EndState) -> R) -> R {
        look(&self.lock())
    }

    /// Changes the session, and tells whoever waits for what has changed.
    pub(super) fn change<R>(
        &self,
        change: impl FnOnce(&mut protocol::Session, Duration) -> R,
    ) -> R {
        self.change_state(|state, now| change(&mut state.session, now))
    }

    /// Changes the session, and tells its connection as well, which may have something to write now, or be another one's.
    pub(super) fn stir<R>(&self, change: impl FnOnce(&mut protocol::Session, Duration) -> R) -> R {
        self.stir_state(|state, now| change(&mut state.session, now))
    }

    pub(super) fn stir_state<R>(&self, change: impl FnOnce(&mut EndState, Duration) -> R) -> R {
        let result = self.change_state(change);
        self.connection.notify_waiters();
        result
    }

    pub(super) fn change_state<R>(&self, change: impl FnOnce(&mut EndState, Duration) -> R) -> R {
        let mut state = self.lock();
        let now = self.now();
        let acknowledged = state.session.acknowledged();
        let before = state.course();
        let result = change(&mut state, now);
        state.give_back_unread();
        let is_news = state.collect(now);
        let course = state.course();
        let has_news = is_news || course != before || state.session.acknowledged() != acknowledged;
        let kept = state.count();
        let behind = state.is_behind().then(|| state.session.id());
        drop(state);
        if has_news {
            self.application.ring();
        }
        if course != before {
            self.courses.notify_waiters();
        }
        self.report(kept, behind);
        result
    }

    /// Tells the keeper; if there is no room, the session that asked for more is over.
    fn report(&self, change: i64, behind: Option<SessionId>) {
        if change == 0 && behind.is_none() {
            return;
        }
        let Some(keeper) = self.keeper.as_ref().and_then(Weak::upgrade) else {
            return;
        };
        if let Some(id) = behind {
            keeper.behind(id);
        }
        if change != 0 && keeper.kept(change) {
            self.lose(Loss::Overflow);
        }
    }

    // The application.

    /// Sends `message`, if there is room.
    pub(super) fn try_send(&self, message: &Message) -> Result<Key, SendError> {
        let sent = self.change_state(|state, _| {
            let EndState { session, place, .. } = state;
            if place.as_ref().is_some_and(Place::is_leaving) {
                // What is written for the next server is all there is.
                return Err(SendError::Full);
            }
            let number = match message {
                Message::Text(text) => session.send_text(text.clone().into_bytes()),
                Message::Binary(bytes) => session.send_binary(bytes),
            }?;
            Ok(session.key(number))
        });
        if sent.is_ok() {
            self.connection.notify_waiters();
        }
        sent
    }

    /// The same for whoever waits for room: nothing, as long as there is none.
    pub(super) fn send_or_over(
        &self,
        message: &Message,
    ) -> Option<Result<Key, Arc<SessionEnding>>> {
        match self.try_send(message) {
            Ok(key) => Some(Ok(key)),
            Err(_) => self.over().map(Err),
        }
    }

    /// Takes the next event; behind the last one there is only the ending.
    pub(super) fn take(&self) -> Option<Result<Event, Arc<SessionEnding>>> {
        let mut state = self.lock();
        let now = self.now();
        let had_room = state.has_room();
        let timeout = state.session.poll_timeout();
        // One look at both: the last events and the ending come together.
        let Some(event) = state.take(now) else {
            return state.over.clone().map(Err);
        };
        let due = state.session.poll_timeout();
        let is_due_sooner = due.is_some_and(|due| timeout.is_none_or(|before| due < before));
        let asks_connection = is_due_sooner || !had_room;
        let kept = state.count();
        let behind = state.is_behind().then(|| state.session.id());
        drop(state);
        self.report(kept, behind);
        if asks_connection {
            self.connection.notify_waiters();
        }
        Some(Ok(event))
    }

    /// Waits until `look` finds something.
    pub(super) async fn until<R>(&self, look: impl FnMut(&Self) -> Option<R>) -> R {
        self.woken(|| self.application.notified(), look).await
    }

    /// The same, where only another [`Course`] brings it.
    ///
    /// [`Course`]: crate::session::state::Course
    pub(super) async fn until_course<R>(&self, look: impl FnMut(&Self) -> Option<R>) -> R {
        self.woken(|| self.courses.notified(), look).await
    }

    async fn woken<'a, R>(
        &'a self,
        notified: impl Fn() -> Notified<'a>,
        mut look: impl FnMut(&Self) -> Option<R>,
    ) -> R {
        loop {
            let mut changed = pin!(notified());
            // Before the look: what changes after it is not missed.
            changed.as_mut().enable();
            if let Some(found) = look(self) {
                return found;
            }
            changed.await;
        }
    }

    /// [`until`](Self::until), for one that is polled.
    pub(super) fn poll_until<R>(
        &self,
        half: Half,
        cx: &Context<'_>,
        mut look: impl FnMut(&Self) -> Option<R>,
    ) -> Poll<R> {
        if let Some(found) = look(self) {
            return Poll::Ready(found);
        }
        self.application.watch(half, cx.waker());
        // What has changed before that has woken nobody.
        look(self).map_or(Poll::Pending, Poll::Ready)
    }

    /// Why the session is over, if it is.
    pub(super) fn over(&self) -> Option<Arc<SessionEnding>> {
        self.lock().over.clone()
    }

    /// Why the session is over, once its connection is gone as well.
    pub(super) fn gone(&self) -> Option<Arc<SessionEnding>> {
        let state = self.lock();
        let is_gone = state.session.connection().is_none();
        state.over.clone().filter(|_| is_gone)
    }

    /// Says goodbye, behind everything that was sent.
    pub(super) fn bye(&self, code: SendCode, reason: &str) {
        self.say(Bye {
            origin: Origin::Application,
            code,
            reason: reason.to_owned(),
        });
    }

    /// The same, whoever says so. A code that is not for applications becomes 1011.
    pub(super) fn say(&self, mut bye: Bye) {
        if !Bye::may_have(bye.code) {
            bye.code = SendCode::INTERNAL_ERROR;
        }
        // Otherwise it is over already.
        let _ = self.stir_state(|state, _| state.bye(bye));
    }

    /// Ends the session without a goodbye of the peer.
    pub(super) fn give_up(&self, why: SessionEnding) {
        self.stir_state(|state, _| {
            state.why = Some(why);
            state.session.lose(Loss::Expired, gone());
        });
    }

    /// Server: ends the session; its client is told why if it comes.
    pub(super) fn lose(&self, loss: Loss) {
        self.stir_state(|state, _| state.lose(loss, gone()));
    }

    /// Tells the application of something that is not of the protocol.
    pub(super) fn tell(&self, event: Event) {
        self.change_state(|state, _| state.push(event));
        self.application.ring();
    }

    // Who holds it.

    /// A handler begins.
    pub(super) fn begin_handler(&self) {
        self.lock().has_handler = true;
    }

    /// The handler is over; as a failure, or not.
    pub(super) fn end_handler(&self, has_failed: bool) {
        let mut state = self.lock();
        state.has_handler = false;
        let is_unheld = !state.has_handle;
        drop(state);
        match has_failed {
            true => self.bye(SendCode::INTERNAL_ERROR, "handler failed"),
            false if is_unheld => self.bye_dropped(),
            false => {}
        }
    }

    /// Every handle was dropped.
    pub(super) fn drop_handles(&self) {
        let has_handler = self.change_state(|state, _| {
            state.let_go();
            state.has_handler
        });
        if !has_handler {
            self.bye_dropped();
        }
    }

    fn bye_dropped(&self) {
        let code = self.look(|session| match session.role() {
            Role::Client => SendCode::NORMAL_CLOSURE,
            Role::Server => SendCode::GOING_AWAY,
        });
        self.bye(code, "");
    }

    // The connection.

    /// Is told when the connection may have something to do.
    pub(super) const fn for_connection(&self) -> &Notify {
        &self.connection
    }

    /// What this connection does next; `None` if the session has another one.
    pub(super) fn turn(&self, id: ConnectionId) -> Option<Interest> {
        let state = self.lock();
        (state.session.connection() == Some(id)).then(|| Interest {
            may_read: state.may_read(),
            due: (state.session.poll_timeout()).map(|due| self.at(due)),
        })
    }

    /// What this connection writes next.
    pub(super) fn next(&self, id: ConnectionId) -> ToWrite {
        let next = self.change_state(|state, now| {
            let EndState { session, place, .. } = state;
            // What is taken from the session has to be written: nothing that is for another connection.
            if session.connection() != Some(id) {
                return None;
            }
            if let Some(place) = place {
                if place.has_left()
                    && let Some(close) = session.cut_short()
                {
                    return Some(Outgoing::Close(close));
                }
                if !place.has_left() && !place.is_claimed(session) {
                    return None;
                }
            }
            session.poll_transmit(now).map(|it| it.outgoing)
        });
        match next {
            Some(Outgoing::Message(message)) => ToWrite::Message(to_application(message)),
            Some(Outgoing::Close(close)) => ToWrite::Close(close),
            None => ToWrite::Nothing,
        }
    }

    pub(super) fn receive(&self, id: ConnectionId, message: Message) {
        let message = to_protocol(message);
        self.change(|session, now| session.handle_message(now, id, message));
    }

    pub(super) fn time_out(&self) {
        self.change_state(|state, now| {
            if !state.may_read() {
                state.session.hold(now);
            }
            state.session.handle_timeout(now);
        });
    }

    /// The Close frame for a connection that takes nothing any more, if there is to be one.
    pub(super) fn cut_short(&self, id: ConnectionId) -> Option<Close> {
        self.change(|session, _| match session.connection() == Some(id) {
            true => session.cut_short(),
            false => None,
        })
    }

    /// Client: what the server has said of the end of the connection.
    pub(super) fn take_goaway(&self) -> Option<Box<GoAway>> {
        self.lock().goaway.take()
    }

    pub(super) fn go_away(&self, goaway: GoAway) {
        // A code of the protocol's own is no drain's.
        let _ = self.change(|session, _| session.go_away(goaway));
    }

    /// The connection is gone, and nobody knows how.
    pub(super) fn leave(&self, id: ConnectionId) {
        self.change(|session, now| session.handle_disconnect(now, id, None));
    }

    /// The connection is over. At a client the link tells of it, together with what it does then.
    pub(super) fn disconnect(&self, id: ConnectionId, ending: &Arc<Ending>) {
        let is_theirs = ending.initiator == Some(Initiator::Remote);
        let received = ending.received.as_ref().filter(|_| is_theirs);
        let code = received.map(|frame| frame.code().get());
        self.change_state(|state, now| {
            let was_ours = state.session.connection() == Some(id);
            state.session.handle_disconnect(now, id, code);
            if was_ours && state.session.role() == Role::Server {
                state.push(Event::Detached {
                    ending: Arc::clone(ending),
                    decision: None,
                });
            }
        });
    }

    // The keeper.

    /// When something has to be done about a session without a connection: it expires, or, if it is over,
    /// it may be forgotten.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let state = self.lock();
        let since = state.over_at.or_else(|| state.session.detached_since())?;
        Some(self.at(since.saturating_add(state.session.ttl())))
    }
}

/// What a connection is told whose session is given up.
fn gone() -> Close {
    Close {
        code: SendCode::GOING_AWAY,
        reason: "session given up".to_owned(),
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("End")
            .field("id", &state.session.id())
            .field("role", &state.session.role())
            .field("generation", &state.session.generation())
            .field("over", &state.over)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use revoir_session::{Claims, Fresh, Grant, Hello, Keys, Principal, SessionId, Verdict};

    use super::*;

    fn hello(resume: Option<revoir_session::Resume>) -> Hello {
        Hello {
            resume,
            window: revoir_session::Window::DEFAULT,
            ttl: None,
            protocols: None,
            headers: None,
        }
    }

    fn is_welcome(next: &ToWrite) -> bool {
        matches!(next, ToWrite::Message(message) if message.as_bytes().first() == Some(&2))
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_no_welcome_is_left_although_the_application_takes_nothing() {
        let end = End::client(Config::default());
        while end.lock().has_room() {
            end.tell(Event::Volatile(true));
        }
        let connected = end.change(|session, now| session.connect(now, None, None));
        let id = connected.unwrap();
        assert!(matches!(end.next(id), ToWrite::Message(_)));
        assert!(end.turn(id).unwrap().may_read);
        tokio::time::advance(revoir_session::OPENING_LIMIT).await;
        end.time_out();
        let ToWrite::Close(close) = end.next(id) else {
            panic!("its time is over");
        };
        assert_eq!(close.code, SendCode::TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn the_connection_before_takes_nothing_that_is_for_the_new_one() {
        let claims = Claims {
            session: SessionId([1; 16]),
            generation: 1,
            epoch: revoir_session::Epoch([2; 8]),
            principal: Principal::NONE,
        };
        let token = Keys::new([3; 32]).seal(&claims, [4; 24]);
        let grant = |token| Grant {
            token,
            protocol: None,
            headers: None,
            volatile: false,
        };
        let fresh = Fresh {
            verdict: Verdict::New,
            received: None,
            lost: None,
            bound: false,
            is_failure: false,
        };
        let session = protocol::Session::accept(
            Duration::ZERO,
            config(Config::default()),
            &hello(None),
            claims.session,
            fresh,
            grant(token.clone()),
        );
        let end = End::new(Duration::ZERO, (session, None), None);
        assert!(is_welcome(&end.next(ConnectionId(1))));
        end.try_send(&Message::from("1")).unwrap();
        let resume = revoir_session::Resume {
            token: token.clone(),
            received: 0,
            acked: 0,
            sent: 0,
            attempt: 2,
            volatile: false,
        };
        end.change(|session, now| session.resume(now, &hello(Some(resume)), &claims, grant(token)));
        assert!(matches!(end.next(ConnectionId(1)), ToWrite::Nothing));
        assert!(is_welcome(&end.next(ConnectionId(2))));
        assert!(matches!(end.next(ConnectionId(1)), ToWrite::Nothing));
        let ToWrite::Message(message) = end.next(ConnectionId(2)) else {
            panic!("the message follows");
        };
        assert_eq!(message, Message::from("1"));
    }
}

//! [`SessionClient`]: a session, as the relay sees a client.

use std::io::IoSlice;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use revoir::reconnect::Entropy;
use revoir::session::{BackendChanged, Bye, Event, GoAway, Loss, Origin, Session, SessionEnding};
use revoir_codes::Slot;
use revoir_proto::frame::CloseFrame;
use revoir_proto::{Config, Connection, Event as Heard, Message, Reason, Role, SendCode};
use tokio::io::ReadBuf;
use tokio::time::Instant;

use crate::relay::EndedBy;
use crate::session::callback::{Callback, Presence};
use crate::session::shared::Shared;
use crate::watch::Observer;

/// What its WebSocket with the relay is told. Whether anybody is there, the session knows.
static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(Config::client().no_keepalive()));

/// A session, as the relay sees a client that never leaves: it reads what the client's application says as the frames of a client,
/// and writes frames of the backend, which become messages of the session.
pub(crate) struct SessionClient {
    session: Session,
    /// The client's end of the WebSocket with the relay.
    socket: Connection<Entropy>,
    began: Instant,
    /// A message of the backend for which the window has no room.
    waiting: Option<Message>,
    /// What the last bytes of the relay came to.
    came: usize,
    stage: SessionStage,
    shared: Arc<Shared>,
    is_detached: bool,
    /// Whether its client may be served by another backend, and so by another gateway.
    may_move: bool,
    observer: Arc<dyn Observer>,
    route: Arc<str>,
    /// Who is told that it is away, or back, and of which connection.
    told: Option<(Arc<Callback>, Arc<str>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SessionStage {
    Open,
    /// The relay has closed, and the client is about to hear of it. Then the relay is answered.
    Leaving,
    /// The client has closed.
    Left,
    /// What waits for the relay is all that follows.
    Over,
}

impl SessionClient {
    /// `session` of a client, on this route.
    pub(crate) fn new(
        session: Session,
        (shared, may_move): (Arc<Shared>, bool),
        (observer, route): (Arc<dyn Observer>, Arc<str>),
        told: Option<(Arc<Callback>, Arc<str>)>,
    ) -> Self {
        let config = Arc::clone(&CONFIG);
        Self {
            session,
            socket: Connection::new(Duration::ZERO, Role::Client, config, Entropy),
            began: Instant::now(),
            waiting: None,
            came: 0,
            stage: SessionStage::Open,
            shared,
            is_detached: false,
            may_move,
            observer,
            route,
            told,
        }
    }

    /// Tells the client that its gateway was lost, and the backend connection with it.
    pub(crate) fn succeed(&self) {
        let status = self.session.watcher().status();
        self.session.backend_changed(BackendChanged {
            written: status.received,
            received: status.sent,
            // Nothing says what a backend has read that nobody speaks to any more.
            maybe_lost: status.received,
        });
    }

    /// What the client says, as the bytes of a client.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<()> {
        self.tell_changes();
        loop {
            if self.stage != SessionStage::Leaving && self.give(into) {
                return Poll::Ready(());
            }
            match self.stage {
                SessionStage::Over => return Poll::Ready(()),
                SessionStage::Leaving if self.session.poll_left(cx).is_pending() => {
                    return Poll::Pending;
                }
                SessionStage::Leaving => {
                    self.stage = SessionStage::Over;
                    continue;
                }
                SessionStage::Open | SessionStage::Left => {}
            }
            match self.session.poll_event(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => self.stage = SessionStage::Over,
                Poll::Ready(Some(event)) => self.hear(event),
            }
        }
    }

    /// Takes bytes for the client; pending while the window is full.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<usize> {
        if !self.deliver(cx) {
            return Poll::Pending;
        }
        self.tell_changes();
        let count = self.shared.take(bytes.len());
        let now = self.now();
        self.came = count;
        self.socket
            .handle_input(now, BytesMut::from(&bytes[..count]));
        self.deliver(cx);
        Poll::Ready(count)
    }

    /// Gives the session what waits for room.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) {
        if self.deliver(cx) {
            self.tell_changes();
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Copies what waits for the relay. Whether there was something.
    fn give(&mut self, into: &mut ReadBuf<'_>) -> bool {
        let now = self.now();
        let before = into.filled().len();
        while into.remaining() > 0 {
            let mut slices = [IoSlice::new(&[]); 8];
            let used = self.socket.poll_transmit(&mut slices);
            let mut count = 0;
            for slice in &slices[..used] {
                let fits = slice.len().min(into.remaining());
                into.put_slice(&slice[..fits]);
                count += fits;
            }
            if count == 0 {
                break;
            }
            self.socket.transmitted(now, count);
        }
        into.filled().len() > before
    }

    /// Gives the session all that has come for it, up to what finds no room. Whether that is all.
    fn deliver(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            if let Some(message) = &self.waiting {
                if self.session.poll_send(cx, message).is_pending() {
                    return false;
                }
                // If the session is over, its client is told how much it has missed.
                self.waiting = None;
            }
            let now = self.now();
            match self.socket.poll_event(now) {
                None => return true,
                Some(Heard::Message(message)) => self.waiting = Some(self.alone(message)),
                Some(Heard::Closing) => self.conclude(),
                Some(_) => {}
            }
        }
    }

    /// A message that may be kept for long, without what it was read with if that is much more.
    fn alone(&self, message: Message) -> Message {
        let is_most = message.as_bytes().len() >= self.came / 2;
        match message {
            Message::Text(text) if !is_most => Message::Text(text.as_str().to_owned().into()),
            message => message,
        }
    }

    /// Tells the client of backends that are others from here on.
    fn tell_changes(&mut self) {
        if self.waiting.is_some() {
            return;
        }
        while let Some(change) = self.shared.take_change() {
            self.session.backend_changed(change);
            if self.is_detached {
                // The new one has not heard of it.
                self.tell_of(Presence::Detached);
            }
        }
    }

    /// What happens to the session.
    fn hear(&mut self, event: Event) {
        match event {
            Event::Message { message, .. } => {
                // One that comes behind a Close frame is for nobody.
                let now = self.now();
                let _ = self.socket.send(now, message);
            }
            Event::Attached(attached) => {
                self.observer
                    .session_attached(&self.route, attached.verdict.id());
                // A backend knows of a new one by its handshake.
                if std::mem::take(&mut self.is_detached) {
                    self.tell_of(Presence::Resumed);
                }
            }
            Event::Detached { ending, .. } => {
                self.is_detached = true;
                self.tell_of(Presence::Detached);
                tracing::debug!(target: "revoir", route = &*self.route, %ending, "the client of a session is away");
            }
            Event::Gap {
                key, count, reason, ..
            } => {
                let reason = reason.id();
                tracing::debug!(target: "revoir", %key, count, reason, "messages of a client are missing");
            }
            Event::Ended(ending) => self.ended(&ending),
            // Messages of the backend that its client did not take. The client is told how many.
            _ => {}
        }
    }

    /// Tells the backend, if it wants to know.
    fn tell_of(&self, presence: Presence) {
        if let Some((callback, connection)) = &self.told {
            callback.notify(connection, presence);
        }
    }

    /// The session is over.
    fn ended(&mut self, ending: &SessionEnding) {
        tracing::debug!(target: "revoir", route = &*self.route, %ending, "a session is over");
        if self.stage != SessionStage::Open {
            return;
        }
        self.stage = SessionStage::Left;
        let now = self.now();
        match ending.bye() {
            Some(bye) => {
                let reason = Reason::truncated(&bye.reason);
                let _ = self.socket.close(now, bye.code, reason);
            }
            // It was not heard of any more: to the relay, it is lost.
            None => self.stage = SessionStage::Over,
        }
    }

    /// The relay has closed: so is the session, in a way that says on whose account.
    fn conclude(&mut self) {
        if self.stage != SessionStage::Open {
            return;
        }
        self.stage = SessionStage::Leaving;
        let received = self.socket.closing().and_then(|closing| closing.received);
        let Some(frame) = received else {
            let reason = Reason::truncated("the backend broke the protocol");
            self.session
                .lose(Loss::Backend, None, SendCode::BAD_GATEWAY, reason);
            return;
        };
        let slot = Slot::read(frame.code(), frame.reason());
        match (self.shared.ended_by(), slot) {
            (EndedBy::Backend, _) => self.say_bye(Origin::Backend, &frame),
            (EndedBy::Gateway, None) => self.say_bye(Origin::Gateway, &frame),
            (ended_by @ (EndedBy::Gateway | EndedBy::NoBackend), slot) => {
                let code = sendable(&frame);
                let goaway = |resumable| {
                    slot.map(|slot| GoAway {
                        origin: Origin::Gateway,
                        code,
                        resumable,
                        after: slot.after(),
                        spread: slot.spread(),
                        reason: frame.reason().to_string(),
                    })
                };
                let reason = *frame.reason();
                let may_move = self.may_move && ended_by == EndedBy::Gateway;
                // Without a store, or if its backend knows this client only here, it goes with its backend.
                if !may_move || !self.session.leave(goaway(true), code, reason) {
                    self.session
                        .lose(Loss::Backend, goaway(false), code, reason);
                }
            }
        }
    }

    fn say_bye(&self, origin: Origin, frame: &CloseFrame) {
        self.session.close_as(Bye {
            origin,
            code: sendable(frame),
            reason: frame.reason().to_string(),
        });
    }
}

/// The relay is gone, for whatever reason: nobody speaks for the client any more.
impl Drop for SessionClient {
    fn drop(&mut self) {
        if self.stage == SessionStage::Open {
            let reason = Reason::truncated("the backend connection was lost");
            let code = SendCode::INTERNAL_ERROR;
            // Where another backend may follow, another gateway may.
            if !self.may_move || !self.session.leave(None, code, reason) {
                self.session.lose(Loss::Backend, None, code, reason);
            }
        }
    }
}

/// The code of a Close frame; one without says that all is well.
fn sendable(frame: &CloseFrame) -> SendCode {
    SendCode::try_from(frame.code().get()).unwrap_or(SendCode::NORMAL_CLOSURE)
}

//! [`EndState`]: a session, and what its application has not taken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use revoir_session as protocol;
use revoir_session::{Bye, Close, ConnectionId, GoAway, Loss, SendError, SessionId};

use crate::session::ending::SessionEnding;
use crate::session::event::{Event, to_application};
use crate::session::place::Place;

/// So many events wait at most before nothing more is read. A peer that keeps to the window unless told otherwise
/// never meets it: what nobody has taken is not acknowledged.
const EVENTS: usize = 2 * 1024;

/// So many bytes of messages.
const BYTES: usize = 1024 * 1024;

/// A message costs its bytes, and about so much beside them.
const MESSAGE_BYTES: u64 = 64;

/// What the lock of an end is around.
pub(super) struct EndState {
    pub(super) session: protocol::Session,
    /// Server: its place in a store, if there is one.
    pub(super) place: Option<Place>,
    /// What the application has not taken.
    events: VecDeque<Queued>,
    /// Bytes of the messages among them.
    bytes: usize,
    pub(super) over: Option<Arc<SessionEnding>>,
    pub(super) over_at: Option<Duration>,
    /// Why this side gives the session up, if the protocol has no word for it.
    pub(super) why: Option<SessionEnding>,
    /// What the keeper was told that is kept.
    counted: i64,
    pub(super) has_handle: bool,
    pub(super) has_handler: bool,
    /// Client: what the server has said of the end of this connection.
    pub(super) goaway: Option<Box<GoAway>>,
}

/// How far a session is: what changes seldom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Course {
    connection: Option<ConnectionId>,
    is_closing: bool,
    is_over: bool,
    /// Whether it is not left to another server.
    is_kept: bool,
}

struct Queued {
    event: Event,
    /// Taken, it says that so many messages of this session were.
    session: SessionId,
    received: u64,
}

impl EndState {
    pub(super) fn new(session: protocol::Session, place: Option<Place>) -> Self {
        Self {
            session,
            place,
            events: VecDeque::new(),
            bytes: 0,
            over: None,
            over_at: None,
            why: None,
            counted: 0,
            has_handle: true,
            has_handler: false,
            goaway: None,
        }
    }

    pub(super) fn course(&self) -> Course {
        Course {
            connection: self.session.connection(),
            is_closing: self.session.is_closing(),
            is_over: self.over.is_some(),
            is_kept: self.is_kept(),
        }
    }

    /// The application takes the next event: what came until then is acknowledged.
    pub(super) fn take(&mut self, now: Duration) -> Option<Event> {
        let Queued {
            event,
            session,
            received,
        } = self.events.pop_front()?;
        if let Event::Message { message, .. } = &event {
            self.bytes -= message.as_bytes().len();
        }
        match &mut self.place {
            Some(place) => place.take(&mut self.session, now, received),
            None if session == self.session.id() => self.session.commit(now, received),
            None => {}
        }
        if self.events.is_empty() && self.session.connection().is_none() {
            self.events = VecDeque::new();
        }
        Some(event)
    }

    pub(super) fn has_room(&self) -> bool {
        self.events.len() < EVENTS && self.bytes < BYTES
    }

    /// Whether the connection reads on: what comes is taken, or thrown away.
    pub(super) fn may_read(&self) -> bool {
        self.has_room()
            || self.over.is_some()
            || self.session.is_bye_written()
            || !self.session.is_open()
    }

    /// Takes the events of the protocol; says whether there were any.
    pub(super) fn collect(&mut self, now: Duration) -> bool {
        let mut has_news = false;
        while let Some(event) = self.session.poll_event() {
            has_news = true;
            if let Some(event) = self.translate(event, now) {
                self.push(event);
            }
        }
        has_news
    }

    /// Nobody takes anything any more: what nobody has taken is the peer's again.
    pub(super) fn let_go(&mut self) {
        self.has_handle = false;
        self.session.stop_taking(self.taken());
        self.events = VecDeque::new();
        self.bytes = 0;
    }

    /// How many messages the application has taken.
    fn taken(&self) -> u64 {
        let committed = self.session.committed();
        self.place.as_ref().map_or(committed, Place::taken)
    }

    /// Nothing more is taken: what nobody has taken is the peer's again.
    pub(super) fn stop_taking(&mut self) {
        self.session.stop_taking(self.taken());
        self.forget_unread();
    }

    /// The session is lost. Its client is told how much was taken, so what nobody has taken is its own again.
    pub(super) fn lose(&mut self, loss: Loss, close: Close) {
        let unread = self.events.iter().map(|it| match &it.event {
            Event::Message { .. } => 1,
            Event::Gap { count, .. } => *count,
            _ => 0,
        });
        let taken = match &self.place {
            Some(place) => place.taken(),
            None => self.session.received().saturating_sub(unread.sum()),
        };
        self.session.stop_taking(taken);
        self.forget_unread();
        self.session.lose(loss, close);
    }

    /// Throws away what is the peer's again.
    fn forget_unread(&mut self) {
        let taken = self.session.received();
        let is_sequenced =
            |event: &Event| matches!(event, Event::Message { .. } | Event::Gap { .. });
        (self.events).retain(|it| it.received <= taken || !is_sequenced(&it.event));
        let bytes = self.events.iter().map(|it| match &it.event {
            Event::Message { message, .. } => message.as_bytes().len(),
            _ => 0,
        });
        self.bytes = bytes.sum();
    }

    /// Says goodbye. It says how much was taken, so nothing more is if a store has to know that first.
    pub(super) fn bye(&mut self, bye: Bye) -> Result<(), SendError> {
        let Some(place) = &self.place else {
            return self.session.bye(bye);
        };
        place.bye(&mut self.session, bye)?;
        self.forget_unread();
        Ok(())
    }

    /// Another server has the session: it is over here.
    pub(super) fn go_elsewhere(&mut self, close: Close) {
        if self.over.is_none() {
            self.stop_taking();
            self.why = Some(SessionEnding::Elsewhere);
            self.session.lose(Loss::Epoch, close);
        }
    }

    /// Whether no other server has the session, or is about to.
    pub(super) fn is_kept(&self) -> bool {
        self.place.as_ref().is_none_or(Place::is_kept)
    }

    /// Whether the store does not have the session as it is, and whoever writes does not know yet.
    pub(super) fn is_behind(&mut self) -> bool {
        let Self { place, session, .. } = self;
        place.as_mut().is_some_and(|place| place.is_news(session))
    }

    /// Once BYE is written, what the application has not taken is the peer's again.
    pub(super) fn give_back_unread(&mut self) {
        if self.events.is_empty() || !self.session.is_bye_written() {
            return;
        }
        let is_message = |it: &Queued| matches!(it.event, Event::Message { .. });
        self.events.retain(|it| !is_message(it));
        self.bytes = 0;
    }

    pub(super) fn push(&mut self, event: Event) {
        if !self.has_handle {
            return;
        }
        let is_last = matches!(event, Event::Ended(_));
        if self.over.is_some() && !is_last && !matches!(event, Event::Returned { .. }) {
            return;
        }
        if let Event::Message { message, .. } = &event {
            self.bytes += message.as_bytes().len();
        }
        if matches!(event, Event::Detached { .. }) && self.events.len() >= EVENTS / 2 {
            // Nobody looks at how connections come and go.
            self.events
                .retain(|it| !matches!(it.event, Event::Attached(_) | Event::Detached { .. }));
        }
        self.events.push_back(Queued {
            event,
            session: self.session.id(),
            received: self.session.received(),
        });
    }

    fn translate(&mut self, event: protocol::Event, now: Duration) -> Option<Event> {
        Some(match event {
            protocol::Event::Message { key, message } => Event::Message {
                key,
                message: to_application(message),
            },
            protocol::Event::Gap { key, count, reason } => Event::Gap { key, count, reason },
            protocol::Event::BackendChanged(change) => Event::BackendChanged(change),
            protocol::Event::Welcome(welcome) => Event::Attached(Box::new((*welcome).into())),
            protocol::Event::GoAway(goaway) => {
                self.goaway = Some(Box::new(goaway.clone()));
                Event::GoAway(goaway)
            }
            protocol::Event::Volatile(volatile) => Event::Volatile(volatile),
            // Another server goes on with them.
            protocol::Event::Returned { .. }
                if matches!(self.why, Some(SessionEnding::Elsewhere)) =>
            {
                return None;
            }
            protocol::Event::Returned { key, message, fate } => Event::Returned {
                key,
                message: to_application(message),
                fate,
            },
            protocol::Event::SentAgain { from, to } => Event::SentAgain { from, to },
            protocol::Event::Ended(ended) => {
                let why = self.why.take().unwrap_or(SessionEnding::Ended(ended));
                let over = Arc::new(why);
                self.over = Some(Arc::clone(&over));
                self.over_at = Some(now);
                Event::Ended(over)
            }
            // Whoever waits for room is woken by the news; a token is the affair of the session.
            _ => return None,
        })
    }

    /// By how much has changed since the last call what is kept for the peer, and for the application. Of a
    /// session that is over, the application is about to take the rest.
    pub(super) fn count(&mut self) -> i64 {
        let (messages, bytes) = self.session.kept();
        let count = (messages + self.events.len()) as u64;
        let bytes = bytes.saturating_add(self.bytes as u64);
        let kept = match self.over {
            Some(_) => 0,
            None => bytes.saturating_add(count * MESSAGE_BYTES),
        };
        let kept = i64::try_from(kept).unwrap_or(i64::MAX);
        let change = kept - self.counted;
        self.counted = kept;
        change
    }
}

//! [`Place`]: the place of a session in a store.

use std::time::Duration;

use revoir_session::{Bye, SendError, Session};
use revoir_store::{Mark, Owned, Write};

/// The place of a session in a store, at the server that owns it.
#[derive(Debug)]
pub(super) struct Place {
    owned: Owned,
    /// Whether whoever writes was told that it is behind.
    is_noted: bool,
    /// Whether it is known when it is to be refreshed.
    is_scheduled: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is this server's.
    Kept,
    /// It is about to be another one's: it is written once more, without a connection.
    Leaving,
    /// It is another one's.
    Left,
}

impl Place {
    pub(super) const fn new(owned: Owned) -> Self {
        Self {
            owned,
            is_noted: false,
            is_scheduled: false,
            stage: Stage::Kept,
        }
    }

    /// The application has taken the first so many messages: that is acknowledged once the store knows.
    pub(super) fn take(&mut self, session: &mut Session, now: Duration, taken: u64) {
        self.owned.take(session, now, taken);
    }

    pub(super) const fn taken(&self) -> u64 {
        self.owned.taken()
    }

    /// Says goodbye, unless that is for another server to say.
    pub(super) fn bye(&self, session: &mut Session, bye: Bye) -> Result<(), SendError> {
        match self.stage {
            Stage::Kept => self.owned.bye(session, bye),
            Stage::Leaving | Stage::Left => Err(SendError::Ended),
        }
    }

    /// Whether anything may be written to a connection: the store knows of it.
    pub(super) fn is_claimed(&self, session: &Session) -> bool {
        self.owned.is_claimed(session)
    }

    /// Whether something of it may wait for the store, and not for its connection or its time.
    pub(super) fn may_hold(&self, session: &Session) -> bool {
        self.owned.may_hold(session)
    }

    /// Whether the store does not have it as it is, and is to.
    pub(super) fn is_behind(&self, session: &Session) -> bool {
        !self.has_left() && self.owned.is_behind(session)
    }

    /// Whether it is behind, and nobody was told yet.
    pub(super) fn is_news(&mut self, session: &Session) -> bool {
        let is_news = !self.is_noted && self.is_behind(session);
        self.is_noted |= is_news;
        is_news
    }

    /// What is to be written now.
    pub(super) fn write(&mut self, session: &Session, now: Duration) -> Option<(Write, Mark)> {
        self.is_noted = false;
        self.is_behind(session)
            .then(|| self.owned.write(session, now))
    }

    /// The store has it. If it was written for the last time, it is another server's from here on.
    pub(super) fn written(&mut self, session: &mut Session, now: Duration, mark: Mark) {
        self.owned.written(session, now, mark);
        let is_whole = !self.owned.is_behind(session) && session.connection().is_none();
        if self.is_leaving() && is_whole {
            self.stage = Stage::Left;
        }
    }

    /// It could not be written: it goes on without a store, of which its client is told.
    pub(super) fn go_without(&mut self, session: &mut Session, now: Duration) {
        self.owned.go_without(session, now);
    }

    /// The store may have lost it.
    pub(super) const fn set_back(&mut self) {
        self.owned.failed();
    }

    /// When it is to be refreshed, unless its client is away, or that is known.
    pub(super) fn refresh_at(&mut self, session: &Session) -> Option<Duration> {
        let is_new = !self.is_scheduled && session.connection().is_some();
        self.is_scheduled |= is_new;
        is_new.then(|| self.owned.refresh_at(session))
    }

    /// Keeps what the store has of it from looking abandoned, once that is due; says when to come again, unless its client is
    /// away.
    pub(super) fn refresh(&mut self, session: &Session, now: Duration) -> Option<Duration> {
        self.owned.refresh(session, now);
        self.is_scheduled = !self.has_left() && session.connection().is_some();
        self.is_scheduled.then(|| self.owned.refresh_at(session))
    }

    /// Another server is to have it: it is written once more.
    pub(super) const fn leave(&mut self) {
        self.stage = Stage::Leaving;
        self.owned.leave();
    }

    /// Whether it is this server's, and stays so.
    pub(super) fn is_kept(&self) -> bool {
        self.stage == Stage::Kept
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.stage == Stage::Leaving
    }

    /// Another server has it: nothing is written any more, not even to its connection.
    pub(super) const fn lose(&mut self) {
        self.stage = Stage::Left;
    }

    pub(super) fn has_left(&self) -> bool {
        self.stage == Stage::Left
    }
}

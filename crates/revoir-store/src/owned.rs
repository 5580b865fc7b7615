//! [`Owned`]: the place in a store of one session of a server.

use std::time::Duration;

use revoir_session::{Bye, Config, SendError, Session, Snapshot, SnapshotError};

use crate::store::{Stored, Write};

/// So many numbers are reserved ahead: the most that a successor has to call lost.
const BLOCK: u64 = 128;

/// A record outlives the session by this, so that its client still learns what became of it.
const EPITAPH: Duration = Duration::from_secs(60);

/// The record of a session whose client is there is written again after this part of its `ttl`.
const REFRESH: u32 = 4;

/// Until it is, and a little longer since it may come late, its age is not time for which the client was away: this part.
const PRESENT: u32 = 2;

/// What waits for the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durable {
    /// Acknowledgements. Messages leave at once: those of the last moment before a loss are a gap, of which the successor
    /// knows how many there were at most.
    #[default]
    Acks,
    /// Messages as well: what was never stored was never sent, and nothing is a gap. What was given to the session and
    /// not [stored](Owned::is_stored) when its owner was lost, is lost with it: an application that waits knows. While the
    /// store is away, of which the client is told, nothing waits.
    BeforeSend,
}

/// What the owner of a session knows of its place in a store. It says what to write and when, and what may be said
/// because the store has it; it does no I/O itself.
///
/// The session has [`Acks::OnCommit`](revoir_session::Acks::OnCommit), and whoever drives it
///
/// - writes nothing to a connection before [`is_claimed`](Self::is_claimed): the store knows of the generation first;
/// - tells [`take`](Self::take) what the application has taken, in place of [`Session::commit`], and gives it nothing more
///   once it said [`bye`](Self::bye);
/// - each 10 ms or so writes what [`write`](Self::write) gives, and tells [`written`](Self::written) of it; one that is fenced loses
///   its session (`Loss::Epoch`);
/// - asks for a [`refresh`](Self::refresh) [when it is due](Self::refresh_at), or each second or so;
/// - if the store fails, tells [`go_without`](Self::go_without), and grants sessions with `volatile` until it is back; if what the
///   store has may have [gone back](crate::Store::setbacks), [`failed`](Self::failed).
#[derive(Debug)]
pub struct Owned {
    owner: u64,
    durable: Durable,
    /// The generation that the store has; 0: nothing.
    generation: u64,
    /// So many messages the application has taken.
    taken: u64,
    /// Of our messages, so many the store knows.
    sent: u64,
    /// What was written last.
    last: Option<Seen>,
    /// And when.
    wrote: Duration,
    /// The store was away and answers again: what is taken from now on waits for it.
    is_back: bool,
    /// Nothing more is sent here.
    is_leaving: bool,
}

/// What a write is about: [`Owned::written`] wants it back.
#[derive(Clone, Copy, Debug)]
#[must_use = "the store's answer has to be told"]
pub struct Mark {
    generation: u64,
    taken: u64,
    sent: u64,
}

/// By what a record differs from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    generation: u64,
    taken: u64,
    sent: u64,
    acknowledged: u64,
    is_over: bool,
    is_attached: bool,
    is_volatile: bool,
}

impl Owned {
    /// A session that begins: nothing is in the store yet.
    pub fn begin(owner: u64, durable: Durable, session: &mut Session) -> Self {
        let owned = Self {
            owner,
            durable,
            generation: 0,
            taken: session.committed(),
            sent: 0,
            last: None,
            wrote: Duration::ZERO,
            is_back: false,
            is_leaving: false,
        };
        owned.hold(session);
        owned
    }

    /// Goes on with a session whose owner was lost, as its successor.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`]: the record is of another version, or broken.
    pub fn succeed(
        owner: u64,
        durable: Durable,
        stored: &Stored,
        now: Duration,
        config: Config,
    ) -> Result<(Session, Self), SnapshotError> {
        let mut snapshot = Snapshot::decode(&stored.record)?;
        // Whoever took it since may have been lost before it wrote anything.
        snapshot.generation = snapshot.generation.max(stored.generation);
        let present = match snapshot.detached_for.is_zero() {
            true => snapshot.ttl / PRESENT,
            false => Duration::ZERO,
        };
        let away = stored.age.saturating_sub(present);
        snapshot.detached_for = snapshot.detached_for.saturating_add(away);
        let mut snapshot = snapshot.into_successor();
        // Whoever wrote it may have been told otherwise, and had no store just then.
        snapshot.reserved = match durable {
            Durable::Acks => Some(snapshot.numbered()),
            Durable::BeforeSend => None,
        };
        snapshot.volatile = false;
        let mut session = Session::import(now, config, snapshot)?;
        let owned = Self {
            owner,
            durable,
            generation: stored.generation,
            taken: session.committed(),
            sent: session.sent(),
            last: None,
            wrote: now,
            is_back: false,
            is_leaving: false,
        };
        // It is over if nobody came in time.
        session.handle_timeout(now);
        if session.is_closing() {
            session.stop_taking(owned.taken);
        }
        owned.hold(&mut session);
        Ok((session, owned))
    }

    /// The application has taken the first so many messages. They are acknowledged once the store has that; while it is
    /// away, at once.
    pub fn take(&mut self, session: &mut Session, now: Duration, taken: u64) {
        // What was thrown away since is not taken with what came behind it.
        self.taken = self.taken.max(taken.min(session.received()));
        if session.is_volatile() && !self.is_back {
            session.commit(now, self.taken);
        }
    }

    /// How many messages the application has taken.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether the store knows of the connection that the session has: before, nothing is written to it. While the store is
    /// away, nobody waits for that.
    #[must_use]
    pub fn is_claimed(&self, session: &Session) -> bool {
        session.is_volatile() || self.generation >= session.generation()
    }

    /// Whether something of it may wait for the store, and not for its connection or its time.
    #[must_use]
    pub fn may_hold(&self, session: &Session) -> bool {
        self.durable == Durable::BeforeSend || session.is_closing()
    }

    /// Whether the store has our message with this number.
    #[must_use]
    pub const fn is_stored(&self, number: u64) -> bool {
        self.sent >= number
    }

    /// Says goodbye, once the store has what was taken until now. Nothing more is to be taken.
    ///
    /// # Errors
    ///
    /// As for [`Session::bye`].
    pub fn bye(&self, session: &mut Session, bye: Bye) -> Result<(), SendError> {
        session.bye(bye)?;
        session.stop_taking(self.taken);
        self.hold(session);
        Ok(())
    }

    /// Whether the store does not have what there is now.
    #[must_use]
    pub fn is_behind(&self, session: &Session) -> bool {
        self.last != Some(self.see(session))
    }

    /// Has it written again although nothing has changed, if its client is there and the store would take it for gone. Not in
    /// time, its age in the store is time for which the client was away.
    pub fn refresh(&mut self, session: &Session, now: Duration) {
        let is_due = now >= self.refresh_at(session);
        if is_due && session.connection().is_some() {
            self.last = None;
        }
    }

    /// When [`refresh`](Self::refresh) does that, if nothing is written before.
    #[must_use]
    pub fn refresh_at(&self, session: &Session) -> Duration {
        self.wrote.saturating_add(session.ttl() / REFRESH)
    }

    /// What to write of the session as it is now.
    pub fn write(&mut self, session: &Session, now: Duration) -> (Write, Mark) {
        self.last = Some(self.see(session));
        self.wrote = now;
        let mark = Mark {
            generation: session.generation(),
            taken: self.taken,
            sent: session.sent(),
        };
        let mut snapshot = session.export(now);
        // What nobody has taken is the client's to say again.
        (snapshot.received, snapshot.committed) = match session.ended() {
            Some(_) => (session.received(), session.received()),
            None => (mark.taken, mark.taken),
        };
        snapshot.reserved = self.reserves(mark);
        let write = Write {
            session: session.id(),
            expects: self.generation,
            generation: mark.generation,
            owner: self.owner,
            record: snapshot.encode().into(),
            keep: session
                .ttl()
                .saturating_add(session.ttl() / PRESENT)
                .saturating_add(EPITAPH),
        };
        (write, mark)
    }

    /// The store has it: what waited for that may be said.
    pub fn written(&mut self, session: &mut Session, now: Duration, mark: Mark) {
        self.generation = mark.generation;
        self.sent = self.sent.max(mark.sent);
        session.commit(now, mark.taken);
        let numbers = self.reserves(mark);
        if let Some(numbers) = numbers {
            session.reserve(numbers);
        }
        if session.is_volatile() {
            // From now on acknowledgements wait for the store. It has the session once it has all that did not.
            self.is_back = true;
            let is_whole = mark.generation == session.generation()
                && mark.taken >= session.committed()
                && numbers.unwrap_or(mark.sent) >= session.sent();
            if is_whole {
                session.set_volatile(false);
                self.is_back = false;
            }
        }
        match session.is_closing() && self.sent == session.sent() {
            // It was written after goodbye was said, so it has all that was taken.
            true => session.hold_behind(None),
            false => self.hold(session),
        }
    }

    /// What the store has of it may be gone: it is behind again.
    pub const fn failed(&mut self) {
        self.last = None;
    }

    /// The store does not answer: what it has of this session may be gone, and the session goes on without it, of which its
    /// client is told. It is tried again with each [`write`](Self::write).
    pub fn go_without(&mut self, session: &mut Session, now: Duration) {
        self.failed();
        self.is_back = false;
        if session.ended().is_none() {
            session.set_volatile(true);
            session.commit(now, self.taken);
        }
    }

    /// Another server is to have it: it is written once more, and nothing is sent from here on. So its successor need not
    /// take numbers for used that nobody has seen.
    pub const fn leave(&mut self) {
        self.is_leaving = true;
        self.failed();
    }

    const fn reserves(&self, mark: Mark) -> Option<u64> {
        match (self.durable, self.is_leaving) {
            (Durable::Acks, true) => Some(mark.sent),
            (Durable::Acks, false) => Some(mark.sent + BLOCK),
            (Durable::BeforeSend, _) => None,
        }
    }

    /// Says what of ours may be written.
    fn hold(&self, session: &mut Session) {
        if self.durable == Durable::Acks && self.generation == 0 {
            session.reserve(0);
        }
        let goodbye = session.is_closing().then(|| session.sent() - 1);
        session.hold_behind(match (self.durable, goodbye) {
            (Durable::BeforeSend, Some(number)) => Some(number.min(self.sent)),
            (Durable::BeforeSend, None) => Some(self.sent),
            (Durable::Acks, goodbye) => goodbye,
        });
    }

    fn see(&self, session: &Session) -> Seen {
        Seen {
            generation: session.generation(),
            taken: self.taken,
            sent: session.sent(),
            acknowledged: session.acknowledged(),
            is_over: session.ended().is_some(),
            is_attached: session.connection().is_some(),
            is_volatile: session.is_volatile(),
        }
    }
}

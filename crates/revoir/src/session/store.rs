//! [`Store`]: the sessions of a server, in memory.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use revoir_session::{Epoch, Loss, Session, SessionId};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::entropy::Entropy;
use crate::session::end::{End, Keeper};

/// Sessions, those that are over among them until nobody can ask for them any more.
pub(super) struct Store {
    pub(super) epoch: Epoch,
    shelf: Mutex<Shelf>,
    /// What all of them keep, in bytes, and may. Every message asks: it takes no lock for that.
    kept: AtomicI64,
    most_kept: AtomicI64,
    /// The first deadline has changed.
    changed: Arc<Notify>,
}

#[derive(Default)]
struct Shelf {
    sessions: HashMap<SessionId, Place>,
    /// Those whose clients are away, by when they expire.
    away: BTreeSet<(Instant, SessionId)>,
    /// Those that are over, by when they may be forgotten.
    over: BTreeSet<(Instant, SessionId)>,
    is_swept: bool,
}

struct Place {
    end: Arc<End>,
    /// Where it stands in one of the sets.
    due: Option<Instant>,
}

/// What a [`Server`](crate::session::Server) has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Sessions with a connection.
    pub attached: usize,
    /// Sessions whose clients are away.
    pub detached: usize,
    /// Bytes that all of them keep.
    pub kept_bytes: u64,
}

impl Store {
    /// For sessions that keep `most` bytes together.
    pub(super) fn new(most: u64) -> Self {
        let store = Self {
            epoch: Epoch(Entropy::bytes()),
            shelf: Mutex::default(),
            kept: AtomicI64::new(0),
            most_kept: AtomicI64::new(0),
            changed: Arc::default(),
        };
        store.set_most_kept(most);
        store
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_most_kept(&self, bytes: u64) {
        let most = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.most_kept.store(most, Relaxed);
    }

    fn keeps_too_much(&self) -> bool {
        self.kept.load(Relaxed) > self.most_kept.load(Relaxed)
    }

    pub(super) fn find(&self, id: SessionId) -> Option<Arc<End>> {
        Some(Arc::clone(&self.lock().sessions.get(&id)?.end))
    }

    /// Takes a new session, unless there are `most`, or more is kept than may be. Those that are over go first.
    pub(super) fn add(self: &Arc<Self>, id: SessionId, end: &Arc<End>, most: usize) -> bool {
        if self.keeps_too_much() {
            return false;
        }
        let mut shelf = self.lock();
        while shelf.sessions.len() >= most {
            if !shelf.forget_one() {
                return false;
            }
        }
        let place = Place {
            end: Arc::clone(end),
            due: None,
        };
        shelf.sessions.insert(id, place);
        true
    }

    /// The session has a connection now, or none any more, or is over.
    pub(super) fn note(self: &Arc<Self>, id: SessionId) {
        let mut shelf = self.lock();
        let is_first = shelf.note(id);
        let begins = is_first && !shelf.is_swept;
        shelf.is_swept |= begins;
        drop(shelf);
        match begins {
            true => match Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn(sweep(Arc::downgrade(self)))),
                // It shuts down.
                Err(_) => self.lock().is_swept = false,
            },
            false if is_first => self.changed.notify_one(),
            false => {}
        }
    }

    /// Does what is due; says when to come again, if at all.
    fn tidy(&self) -> Option<Instant> {
        loop {
            let mut shelf = self.lock();
            let Some(first) = shelf.first() else {
                shelf.is_swept = false;
                return None;
            };
            if first.0 > Instant::now() {
                return Some(first.0);
            }
            if shelf.over.remove(&first) {
                shelf.sessions.remove(&first.1);
            } else if let Some(end) = shelf.expire(first) {
                drop(shelf);
                // If its client has come back meanwhile, nothing happens.
                end.time_out();
                self.lock().note(first.1);
            }
        }
    }

    /// Ends the sessions that would expire first, until no more is kept than may be; says whether all that is kept is
    /// for clients that are there, and too much.
    fn relieve(&self) -> bool {
        while self.keeps_too_much() {
            let mut shelf = self.lock();
            let Some(first) = shelf.away.first().copied() else {
                return true;
            };
            let end = shelf.expire(first);
            drop(shelf);
            if let Some(end) = end {
                end.lose(Loss::Overflow);
                self.lock().note(first.1);
            }
        }
        false
    }

    pub(super) fn counts(&self) -> Counts {
        let shelf = self.lock();
        let is_attached = |session: &Session| match session.ended() {
            Some(_) => None,
            None => Some(session.connection().is_some()),
        };
        let (mut attached, mut detached) = (0, 0);
        for place in shelf.sessions.values() {
            match place.end.look(is_attached) {
                Some(true) => attached += 1,
                Some(false) => detached += 1,
                None => {}
            }
        }
        Counts {
            attached,
            detached,
            kept_bytes: u64::try_from(self.kept.load(Relaxed)).unwrap_or(0),
        }
    }
}

impl Shelf {
    /// The first thing that is due.
    fn first(&self) -> Option<(Instant, SessionId)> {
        let both = [self.away.first(), self.over.first()];
        both.into_iter().flatten().min().copied()
    }

    /// Puts a session into the set where it belongs; says whether it is due before all others.
    fn note(&mut self, id: SessionId) -> bool {
        let Some(place) = self.sessions.get_mut(&id) else {
            return false;
        };
        if let Some(before) = place.due.take() {
            self.away.remove(&(before, id));
            self.over.remove(&(before, id));
        }
        place.due = place.end.deadline();
        let Some(due) = place.due else { return false };
        match place.end.over() {
            Some(_) => self.over.insert((due, id)),
            None => self.away.insert((due, id)),
        };
        self.first() == Some((due, id))
    }

    /// Takes a session out of the set of those that are away.
    fn expire(&mut self, (due, id): (Instant, SessionId)) -> Option<Arc<End>> {
        self.away.remove(&(due, id));
        let place = self.sessions.get_mut(&id)?;
        place.due = None;
        Some(Arc::clone(&place.end))
    }

    /// Forgets a session that is over, if there is one.
    fn forget_one(&mut self) -> bool {
        match self.over.pop_first() {
            Some((_, id)) => self.sessions.remove(&id).is_some(),
            None => false,
        }
    }
}

impl Keeper for Store {
    fn kept(&self, change: i64) -> bool {
        self.kept.fetch_add(change, Relaxed);
        change > 0 && self.relieve()
    }
}

/// Nobody can come back any more: handlers learn of it.
impl Drop for Store {
    fn drop(&mut self) {
        let shelf = self.shelf.get_mut().unwrap_or_else(PoisonError::into_inner);
        for place in shelf.sessions.values() {
            place.end.lose(Loss::Expired);
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts().fmt(f)
    }
}

/// Expires sessions, and forgets those that are over, as long as there are any without a connection.
async fn sweep(store: Weak<Store>) {
    loop {
        let Some(strong) = store.upgrade() else {
            return;
        };
        let Some(due) = strong.tidy() else { return };
        let changed = Arc::clone(&strong.changed);
        drop(strong);
        tokio::select! {
            () = sleep_until(due) => {}
            () = changed.notified() => {}
        }
    }
}

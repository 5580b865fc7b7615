//! [`Sessions`]: the sessions of a server, in memory.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use revoir_session::{Epoch, Loss, Session, SessionId};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::entropy::Entropy;
use crate::session::end::{End, Keeper};
use crate::session::ledger::Ledger;

/// Sessions, those that are over among them until nobody can ask for them any more.
pub(super) struct Sessions {
    epoch: Epoch,
    /// What of them is kept beyond this process.
    pub(super) ledger: OnceLock<Arc<Ledger>>,
    /// What keeps that: it ends with the sessions.
    writing: Mutex<JoinSet<()>>,
    shelf: Mutex<Shelf>,
    /// What all of them keep, in bytes, and may. Every message asks: it takes no lock for that.
    kept: AtomicI64,
    most_kept: AtomicI64,
    /// Who else counts that.
    pub(super) meter: OnceLock<Meter>,
    /// The first deadline has changed.
    changed: Arc<Notify>,
}

/// Is told by how much has changed what all sessions keep.
pub(super) type Meter = Box<dyn Fn(i64) + Send + Sync>;

#[derive(Default)]
struct Shelf {
    sessions: HashMap<SessionId, Shelved>,
    /// Those whose clients are away, by when they expire.
    away: BTreeSet<(Instant, SessionId)>,
    /// Those that are over, by when they may be forgotten.
    over: BTreeSet<(Instant, SessionId)>,
    is_swept: bool,
}

struct Shelved {
    end: Arc<End>,
    /// Where it stands in one of the sets.
    due: Option<Instant>,
}

/// Whether a session was taken.
pub(super) enum Added {
    Yes,
    /// This one has its place.
    There(Arc<End>),
    Full,
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

impl Sessions {
    /// For sessions that keep `most` bytes together.
    pub(super) fn new(most: u64) -> Self {
        let sessions = Self {
            epoch: Epoch(Entropy::bytes()),
            ledger: OnceLock::new(),
            writing: Mutex::default(),
            shelf: Mutex::default(),
            kept: AtomicI64::new(0),
            most_kept: AtomicI64::new(0),
            meter: OnceLock::new(),
            changed: Arc::default(),
        };
        sessions.set_most_kept(most);
        sessions
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

    /// Starts what ends with the sessions.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn(task);
    }

    /// What incarnation of what keeps it has this session.
    pub(super) fn epoch(&self, session: SessionId) -> Epoch {
        let stored = self.ledger.get();
        stored.map_or(self.epoch, |ledger| ledger.store.epoch(session))
    }

    /// Takes a session, unless it is there, there are `most`, or more is kept than may be. Those that are over go first.
    pub(super) fn add(self: &Arc<Self>, id: SessionId, end: &Arc<End>, most: usize) -> Added {
        if self.keeps_too_much() {
            return Added::Full;
        }
        let mut shelf = self.lock();
        if let Some(place) = shelf.sessions.get(&id) {
            return Added::There(Arc::clone(&place.end));
        }
        while shelf.sessions.len() >= most {
            if !shelf.forget_one() {
                return Added::Full;
            }
        }
        let place = Shelved {
            end: Arc::clone(end),
            due: None,
        };
        shelf.sessions.insert(id, place);
        drop(shelf);
        Added::Yes
    }

    /// Forgets this one, if another server has it.
    pub(super) fn remove_if_left(&self, end: &Arc<End>) {
        if end.has_left() {
            self.remove(end);
        }
    }

    /// Forgets this one.
    pub(super) fn remove(&self, end: &Arc<End>) {
        self.lock().remove(end.id(), end);
    }

    /// All of them, at this moment.
    pub(super) fn all(&self) -> Vec<Arc<End>> {
        let shelf = self.lock();
        let ends = shelf.sessions.values().map(|place| &place.end);
        ends.cloned().collect()
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

    pub(super) fn has_detached(&self) -> bool {
        let shelf = self.lock();
        // One that was lost meanwhile stands there until its time is over.
        let goes_on = |id| {
            let place = shelf.sessions.get(id);
            place.is_some_and(|place| place.end.over().is_none())
        };
        shelf.away.iter().any(|(_, id)| goes_on(id))
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
    /// Takes this one out, unless another has its place.
    fn remove(&mut self, id: SessionId, end: &Arc<End>) {
        let is_it = |place: &Shelved| Arc::ptr_eq(&place.end, end);
        if !self.sessions.get(&id).is_some_and(is_it) {
            return;
        }
        let place = self.sessions.remove(&id);
        if let Some(due) = place.and_then(|place| place.due) {
            self.away.remove(&(due, id));
            self.over.remove(&(due, id));
        }
    }

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

impl Keeper for Sessions {
    fn kept(&self, change: i64) -> bool {
        self.kept.fetch_add(change, Relaxed);
        if let Some(meter) = self.meter.get() {
            meter(change);
        }
        change > 0 && self.relieve()
    }

    fn behind(&self, id: SessionId) {
        if let Some(ledger) = self.ledger.get() {
            ledger.note(id);
        }
    }
}

/// Nobody can come back any more: handlers learn of it.
impl Drop for Sessions {
    fn drop(&mut self) {
        let shelf = self.shelf.get_mut().unwrap_or_else(PoisonError::into_inner);
        for place in shelf.sessions.values() {
            place.end.abandon();
        }
        // They have nobody left to report to.
        let kept = self.kept.load(Relaxed);
        if kept != 0 {
            self.kept(-kept);
        }
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts().fmt(f)
    }
}

/// Expires sessions, and forgets those that are over, as long as there are any without a connection.
async fn sweep(sessions: Weak<Sessions>) {
    loop {
        let Some(strong) = sessions.upgrade() else {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use revoir_session::{Bye, Config, Fresh, Grant, Hello, Origin, Token, Verdict, Window};

    use super::*;

    fn end(id: SessionId) -> Arc<End> {
        let hello = Hello {
            resume: None,
            window: Window::DEFAULT,
            ttl: None,
            protocols: None,
            headers: None,
        };
        let fresh = Fresh {
            verdict: Verdict::New,
            received: None,
            lost: None,
            bound: false,
            is_failure: false,
        };
        let grant = Grant {
            token: Token::new(vec![1].into()).unwrap(),
            protocol: None,
            headers: None,
            volatile: false,
        };
        let session = Session::accept(Duration::ZERO, Config::default(), &hello, id, fresh, grant);
        Arc::new(End::new(Duration::ZERO, (session, None), None))
    }

    /// So many sessions, of which each began a second after the one before and is away.
    async fn away(count: u8) -> (Arc<Sessions>, Vec<Arc<End>>) {
        let sessions = Arc::new(Sessions::new(u64::MAX));
        let mut ends = Vec::new();
        for number in 0..count {
            let id = SessionId([number; 16]);
            let end = end(id);
            assert!(matches!(sessions.add(id, &end, usize::MAX), Added::Yes));
            end.leave(revoir_session::ConnectionId(1));
            sessions.note(id);
            tokio::time::sleep(Duration::from_secs(1)).await;
            ends.push(end);
        }
        (sessions, ends)
    }

    #[tokio::test(start_paused = true)]
    async fn each_session_stands_in_the_one_set_where_it_is_looked_for() {
        let (sessions, ends) = away(3).await;
        assert!(sessions.has_detached());
        let sets = |sessions: &Sessions| {
            let shelf = sessions.lock();
            (shelf.away.len(), shelf.over.len())
        };
        assert_eq!(sets(&sessions), (3, 0));
        ends[1].lose(Loss::Expired);
        sessions.note(SessionId([1; 16]));
        assert_eq!(sets(&sessions), (2, 1));
        // Who is there is due for nothing.
        sessions.note(SessionId([9; 16]));
        ends[0].change(|session, _| {
            let bye = Bye {
                origin: Origin::Gateway,
                code: revoir_codes::SendCode::GOING_AWAY,
                reason: String::new(),
            };
            session.bye(bye).unwrap();
        });
        assert_eq!(sessions.lock().first().unwrap().1, SessionId([0; 16]));
        tokio::time::sleep(Duration::from_secs(1_000)).await;
        assert_eq!(sets(&sessions), (0, 0));
        assert!(sessions.lock().sessions.is_empty());
        assert!(!sessions.lock().is_swept);
        assert!(!sessions.has_detached());
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_was_lost_while_its_client_is_away_does_not_go_on() {
        let (sessions, ends) = away(2).await;
        for end in &ends {
            end.lose(Loss::Expired);
        }
        assert_eq!(sessions.lock().away.len(), 2);
        assert!(!sessions.has_detached());
    }

    #[test]
    fn a_server_that_is_gone_keeps_nothing() {
        let sum = Arc::new(AtomicI64::new(0));
        let counted = Arc::clone(&sum);
        let sessions = Sessions::new(u64::MAX);
        let meter: Meter = Box::new(move |change| {
            counted.fetch_add(change, Relaxed);
        });
        assert!(sessions.meter.set(meter).is_ok());
        assert!(!sessions.kept(11));
        drop(sessions);
        assert_eq!(sum.load(Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_would_expire_first_makes_room_and_is_away_no_more() {
        let (sessions, ends) = away(3).await;
        sessions.set_most_kept(10);
        assert!(ends[2].over().is_none());
        // Losing a session frees nothing here, since these have no keeper: one after the other goes.
        assert!(sessions.kept(11), "nobody is left to make room");
        assert!(ends.iter().all(|end| end.over().is_some()));
        let shelf = sessions.lock();
        assert_eq!((shelf.away.len(), shelf.over.len()), (0, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_was_over_first_is_forgotten_for_a_new_one() {
        let (sessions, ends) = away(3).await;
        for (number, end) in [(1, &ends[1]), (0, &ends[0])] {
            end.lose(Loss::Expired);
            sessions.note(SessionId([number; 16]));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let id = SessionId([7; 16]);
        assert!(matches!(sessions.add(id, &end(id), 3), Added::Yes));
        assert!(sessions.find(SessionId([1; 16])).is_none());
        assert!(sessions.find(SessionId([0; 16])).is_some());
    }
}

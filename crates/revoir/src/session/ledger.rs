//! [`Ledger`]: what is written of all sessions of a server into its store.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use revoir_session::SessionId;
use revoir_store::{Mark, Store, StoreError, Write, Written};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::entropy::Entropy;
use crate::session::end::End;
use crate::session::sessions::Sessions;

/// What has changed since the last write waits for this long.
const TICK: Duration = Duration::from_millis(10);

/// A store that is away is asked again after this time.
const RETRY: Duration = Duration::from_millis(200);

/// So often it is looked at sessions that do not change, and at what has become of the store.
const LOOK: Duration = Duration::from_secs(1);

/// So many are written at once.
const BATCH: usize = 4096;

/// For the last write of a session that another server asks for, or is to have.
pub(super) const LEAVING: Duration = Duration::from_secs(5);

/// What is written of all sessions of a server into its store: whatever has changed, once for each tick.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) store: Arc<dyn Store>,
    /// Who writes.
    pub(super) owner: u64,
    /// The sessions that the store does not have as they are.
    behind: Mutex<HashSet<SessionId>>,
    noted: Notify,
    /// A write has been answered.
    answered: Notify,
    is_writing: AtomicBool,
    is_away: AtomicBool,
    setbacks: AtomicU64,
    is_running: AtomicBool,
}

impl Ledger {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        let setbacks = AtomicU64::new(store.setbacks());
        Self {
            store,
            owner: u64::from_be_bytes(Entropy::bytes()),
            behind: Mutex::default(),
            noted: Notify::new(),
            answered: Notify::new(),
            is_writing: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
            setbacks,
            is_running: AtomicBool::new(false),
        }
    }

    fn behind(&self) -> MutexGuard<'_, HashSet<SessionId>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store does not have this session as it is.
    pub(super) fn note(&self, id: SessionId) {
        self.behind().insert(id);
        self.noted.notify_one();
    }

    /// Whether the store has not answered when it was written to last.
    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Whether the store has all sessions as they are.
    pub(super) fn is_settled(&self) -> bool {
        self.behind().is_empty() && !self.is_writing.load(Ordering::Relaxed)
    }

    /// Starts what writes, once there is a session. It ends with `tasks`.
    pub(super) fn run(&self, sessions: &Arc<Sessions>, tasks: &mut JoinSet<()>) {
        if !self.is_running.swap(true, Ordering::Relaxed) {
            tasks.spawn(write(Arc::downgrade(sessions)));
            tasks.spawn(give(Arc::downgrade(sessions)));
        }
    }

    /// Takes some of those that are behind.
    fn take(&self) -> Vec<SessionId> {
        let mut behind = self.behind();
        let some = behind.iter().take(BATCH).copied().collect::<Vec<_>>();
        for id in &some {
            behind.remove(id);
        }
        self.is_writing.store(!some.is_empty(), Ordering::Relaxed);
        some
    }

    /// Whether the store may have lost something since the last call.
    fn has_setback(&self) -> bool {
        let setbacks = self.store.setbacks();
        self.setbacks.swap(setbacks, Ordering::Relaxed) != setbacks
    }

    /// Waits until something is so behind a write, or for as long as the last write of a session may take.
    pub(super) async fn until(&self, is_so: impl Fn() -> bool) -> bool {
        let looking = async {
            loop {
                let answered = self.answered.notified();
                if is_so() {
                    return;
                }
                answered.await;
            }
        };
        timeout(LEAVING, looking).await.is_ok()
    }

    /// Says once that the store is away, and once that it is back.
    fn tell(&self, error: Option<&StoreError>) {
        let was_away = self.is_away.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !was_away => {
                tracing::warn!(target: "revoir", %error, "sessions are in memory only");
            }
            None if was_away => {
                tracing::info!(target: "revoir", "the store of sessions is back");
            }
            _ => {}
        }
    }

    /// Writes these, and tells the sessions what came of it.
    async fn write(&self, sessions: &Sessions, ends: Vec<(Arc<End>, Mark)>, writes: Vec<Write>) {
        match self.store.write(writes).await {
            Ok(written) => {
                self.tell(None);
                for ((end, mark), written) in ends.into_iter().zip(written) {
                    if written == Written::Fenced {
                        let session = end.id();
                        tracing::info!(target: "revoir", ?session, "another server has the session");
                    }
                    end.answered(mark, written);
                    sessions.remove_if_left(&end);
                }
            }
            Err(error) => {
                self.tell(Some(&error));
                for (end, _) in ends {
                    end.go_without_store();
                }
            }
        }
    }
}

/// Writes for as long as there is a server.
async fn write(sessions: Weak<Sessions>) {
    let mut looks = Instant::now() + LOOK;
    loop {
        let Some(ledger) = ledger_of(&sessions) else {
            return;
        };
        tokio::select! {
            () = ledger.noted.notified() => {}
            () = sleep_until(looks) => {}
        }
        let Some(strong) = sessions.upgrade() else {
            return;
        };
        if looks <= Instant::now() {
            looks = Instant::now() + LOOK;
            strong.all().iter().for_each(|end| end.refresh());
            if ledger.is_settled() {
                // A store may say only when it is asked that it is away, or has lost something.
                ledger.write(&strong, Vec::new(), Vec::new()).await;
            }
        }
        if ledger.has_setback() {
            strong.all().iter().for_each(|end| end.set_back());
        }
        write_all(&strong, &ledger).await;
        drop(strong);
        ledger.answered.notify_waiters();
        sleep(if ledger.is_away() { RETRY } else { TICK }).await;
    }
}

fn ledger_of(sessions: &Weak<Sessions>) -> Option<Arc<Ledger>> {
    sessions.upgrade()?.ledger.get().map(Arc::clone)
}

/// Writes all that is behind, unless the store does not answer.
async fn write_all(sessions: &Sessions, ledger: &Ledger) {
    loop {
        let ids = ledger.take();
        if ids.is_empty() {
            return;
        }
        let (ends, writes) = collect(sessions, ids);
        if !writes.is_empty() {
            ledger.write(sessions, ends, writes).await;
            if ledger.is_away() {
                ledger.is_writing.store(false, Ordering::Relaxed);
                return;
            }
        }
    }
}

/// What to write of these.
fn collect(sessions: &Sessions, ids: Vec<SessionId>) -> (Vec<(Arc<End>, Mark)>, Vec<Write>) {
    let found = ids.into_iter().filter_map(|id| sessions.find(id));
    let all = found.filter_map(|end| {
        let (write, mark) = end.to_write()?;
        Some(((end, mark), write))
    });
    all.unzip()
}

/// Gives the sessions that other servers ask for.
async fn give(sessions: Weak<Sessions>) {
    let mut giving = JoinSet::new();
    loop {
        let Some(ledger) = ledger_of(&sessions) else {
            return;
        };
        let id = ledger.store.asked(ledger.owner).await;
        giving.spawn(give_one(Weak::clone(&sessions), ledger, id));
        while giving.try_join_next().is_some() {}
    }
}

async fn give_one(sessions: Weak<Sessions>, ledger: Arc<Ledger>, id: SessionId) {
    let end = sessions.upgrade().and_then(|sessions| sessions.find(id));
    if let Some(end) = end {
        end.leave_at_once();
        ledger.until(|| !end.is_leaving()).await;
    }
    if let Err(error) = ledger.store.let_go(id).await {
        tracing::debug!(target: "revoir", %error, "who asked for a session was not told");
    }
}

//! [`Ledger`]: what the store of a server does not have yet, and whether it answers.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revoir_session::SessionId;
use revoir_store::{Store, StoreError};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::entropy::Entropy;

/// So many are written at once: what a store does in one step, and so in the time in which one that is there answers.
const BATCH: usize = 512;

/// A store that does not answer for so long is away. A client waits 10 s for WELCOME, of which its application needs most.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// For the last write of a session that another server asks for, or is to have.
pub(super) const LEAVING: Duration = Duration::from_secs(5);

/// A session whose client is there is looked at so often at least.
const LONGEST: Duration = Duration::from_secs(60);

/// What is behind of the sessions of a server in its store, and what became of the last write.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) store: Arc<dyn Store>,
    /// Who writes.
    pub(super) owner: u64,
    /// The sessions that the store does not have as they are.
    behind: Mutex<HashSet<SessionId>>,
    /// When to look whether what the store has of a session is too old: those whose clients are there.
    refreshes: Mutex<BTreeSet<(Instant, SessionId)>>,
    pub(super) noted: Notify,
    /// A write has been answered.
    pub(super) answered: Notify,
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
            refreshes: Mutex::default(),
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

    fn refreshes(&self) -> MutexGuard<'_, BTreeSet<(Instant, SessionId)>> {
        self.refreshes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The store does not have this session as it is.
    pub(super) fn note(&self, id: SessionId) {
        self.behind().insert(id);
        self.noted.notify_one();
    }

    /// This session is to be looked at then, or sooner: those that are over by then are not remembered for long.
    pub(super) fn schedule(&self, at: Instant, id: SessionId) {
        let at = at.min(Instant::now() + LONGEST);
        self.refreshes().insert((at, id));
    }

    /// Takes those that are to be looked at by now.
    pub(super) fn due(&self) -> BTreeSet<(Instant, SessionId)> {
        let next = Instant::now() + Duration::from_nanos(1);
        let mut refreshes = self.refreshes();
        let later = refreshes.split_off(&(next, SessionId::default()));
        std::mem::replace(&mut *refreshes, later)
    }

    /// Whether the store has not answered when it was written to last.
    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Whether the store has all sessions as they are.
    pub(super) fn is_settled(&self) -> bool {
        self.behind().is_empty() && !self.is_writing.load(Ordering::Relaxed)
    }

    /// Whether nobody writes yet; whoever asks is to.
    pub(super) fn begins(&self) -> bool {
        !self.is_running.swap(true, Ordering::Relaxed)
    }

    /// Takes some of those that are behind.
    pub(super) fn take(&self) -> Vec<SessionId> {
        let mut behind = self.behind();
        let some = behind.iter().take(BATCH).copied().collect::<Vec<_>>();
        for id in &some {
            behind.remove(id);
        }
        self.is_writing.store(!some.is_empty(), Ordering::Relaxed);
        some
    }

    /// Those that are behind, and wait until what was taken is written.
    pub(super) fn waiting(&self) -> Vec<SessionId> {
        self.behind().iter().copied().collect()
    }

    /// What was taken is behind still: the store does not answer.
    pub(super) fn put_off(&self) {
        self.is_writing.store(false, Ordering::Relaxed);
    }

    /// Whether the store may have lost something since the last call.
    pub(super) fn has_setback(&self) -> bool {
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
    pub(super) fn tell(&self, error: Option<&StoreError>) {
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
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_session_is_remembered_for_longer_than_a_minute() {
        let ledger = Ledger::new(Arc::new(revoir_store::Memory::new().unwrap()));
        let hours = Instant::now() + Duration::from_secs(4 * 3600);
        let soon = Instant::now() + Duration::from_secs(7);
        let [first, second] = [1, 2].map(|id| SessionId([id; 16]));
        ledger.schedule(hours, first);
        ledger.schedule(soon, second);
        let mut due = Vec::new();
        for _ in 0..60 {
            advance(Duration::from_secs(1)).await;
            let now = ledger.due().into_iter();
            due.extend(now.map(|(at, id)| (at == soon, id)));
        }
        assert_eq!(due, [(true, second), (false, first)]);
    }
}

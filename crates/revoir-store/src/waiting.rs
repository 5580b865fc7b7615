//! [`Waiting`]: who waits here for the owner of a session to let go of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revoir_session::SessionId;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Whoever asks has an answer within this, and the owner so long to let go, less what it took to be asked.
pub(crate) const LET_GO: Duration = Duration::from_secs(1);

/// Who waits, by the session.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<HashMap<SessionId, Vec<oneshot::Sender<()>>>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Vec<oneshot::Sender<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One who waits for this session from here on.
    pub(crate) fn wait_for(&self, session: SessionId) -> Waits<'_> {
        let (gone, has_let_go) = oneshot::channel();
        self.lock().entry(session).or_default().push(gone);
        Waits {
            waiting: self,
            session,
            has_let_go,
        }
    }

    /// The owner of this session has let go of it.
    pub(crate) fn tell(&self, session: SessionId) {
        for waits in self.lock().remove(&session).unwrap_or_default() {
            // Who waited has given up.
            let _ = waits.send(());
        }
    }
}

/// Waits for the owner of a session to let go, until it is dropped.
pub(crate) struct Waits<'a> {
    waiting: &'a Waiting,
    session: SessionId,
    has_let_go: oneshot::Receiver<()>,
}

impl Waits<'_> {
    /// Until the owner has, or its time is over: what counts is what the store has then.
    pub(crate) async fn until(mut self, over: Instant) {
        let _ = tokio::time::timeout_at(over, &mut self.has_let_go).await;
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.has_let_go.close();
        let mut waiting = self.waiting.lock();
        if let Some(waits) = waiting.get_mut(&self.session) {
            waits.retain(|it| !it.is_closed());
            if waits.is_empty() {
                waiting.remove(&self.session);
            }
        }
    }
}

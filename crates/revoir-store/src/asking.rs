//! [`Asking`]: the servers of one process that have a store ask each other to let go of a session.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use revoir_session::SessionId;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::waiting::{LET_GO, Waiting};

/// What each owner is asked for, and who waits for it.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    /// Those who listen, or did until a moment ago.
    owners: Mutex<HashMap<u64, VecDeque<SessionId>>>,
    /// Something is in one of their queues.
    news: Notify,
    waiting: Waiting,
}

impl Asking {
    fn owners(&self) -> MutexGuard<'_, HashMap<u64, VecDeque<SessionId>>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`Store::ask`](crate::Store::ask).
    pub(crate) async fn ask(&self, session: SessionId, owner: u64) {
        let waits = self.waiting.wait_for(session);
        let listens = match self.owners().get_mut(&owner) {
            Some(asked) => {
                if !asked.contains(&session) {
                    asked.push_back(session);
                }
                true
            }
            None => false,
        };
        if listens {
            self.news.notify_waiters();
            waits.until(Instant::now() + LET_GO).await;
        }
    }

    /// See [`Store::asked`](crate::Store::asked).
    pub(crate) async fn asked(&self, owner: u64) -> SessionId {
        let mut listens = Listens {
            asking: self,
            owner,
            comes_back: false,
        };
        loop {
            let news = self.news.notified();
            let next = self.owners().entry(owner).or_default().pop_front();
            if let Some(session) = next {
                listens.comes_back = true;
                return session;
            }
            news.await;
        }
    }

    /// See [`Store::let_go`](crate::Store::let_go).
    pub(crate) fn let_go(&self, session: SessionId) {
        self.waiting.tell(session);
    }
}

/// An owner that listens. One that stops without a question is gone: nobody waits for it.
struct Listens<'a> {
    asking: &'a Asking,
    owner: u64,
    comes_back: bool,
}

impl Drop for Listens<'_> {
    fn drop(&mut self) {
        if !self.comes_back {
            self.asking.owners().remove(&self.owner);
        }
    }
}

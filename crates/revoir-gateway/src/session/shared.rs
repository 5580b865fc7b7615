//! [`Shared`]: what the relay of a session says beside bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use revoir::session::{BackendChanged, Watcher};

use crate::relay::{EndedBy, Previous};

/// What the relay of a session says beside bytes.
#[derive(Debug)]
pub(crate) struct Shared {
    watcher: Watcher,
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    ended_by: EndedBy,
    /// So many bytes of the relay the session has taken.
    taken: u64,
    /// Behind so many bytes another backend speaks.
    changes: VecDeque<(u64, BackendChanged)>,
}

impl Shared {
    pub(crate) fn new(watcher: Watcher) -> Self {
        Self {
            watcher,
            said: Mutex::default(),
        }
    }

    pub(crate) const fn watcher(&self) -> &Watcher {
        &self.watcher
    }

    /// On whose account the client is about to be closed.
    pub(crate) fn set_ended_by(&self, ended_by: EndedBy) {
        self.said().ended_by = ended_by;
    }

    /// The client has another backend than `previous`. `waiting`: so many bytes wait for the client that the old one
    /// has sent.
    pub(crate) fn change(&self, previous: Previous, waiting: usize) {
        let mut said = self.said();
        let at = said.taken + waiting as u64;
        let change = BackendChanged {
            written: previous.written,
            received: previous.received,
            // Nothing says what a backend has read that is gone.
            maybe_lost: previous.written,
        };
        said.changes.push_back((at, change));
    }

    pub(super) fn ended_by(&self) -> EndedBy {
        self.said().ended_by
    }

    /// Takes those of so many bytes that belong to the backend as it is, and says how many they are.
    pub(super) fn take(&self, bytes: usize) -> usize {
        let mut said = self.said();
        let next = said.changes.front().map(|(at, _)| *at - said.taken);
        let next = next.map_or(usize::MAX, |next| {
            usize::try_from(next).unwrap_or(usize::MAX)
        });
        let count = bytes.min(next);
        said.taken += count as u64;
        count
    }

    /// Another backend that speaks from here on.
    pub(super) fn take_change(&self) -> Option<BackendChanged> {
        let mut said = self.said();
        let taken = said.taken;
        let is_here = said.changes.front().is_some_and(|(at, _)| *at <= taken);
        is_here
            .then(|| said.changes.pop_front())
            .flatten()
            .map(|(_, change)| change)
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

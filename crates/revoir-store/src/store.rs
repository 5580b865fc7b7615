//! [`Store`]: what is asked of whatever keeps sessions.

use std::error::Error;
use std::fmt;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use revoir_session::{Epoch, SessionId};

/// What a store will have done.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps sessions beyond a process.
///
/// What [`write`](Self::write) has answered is kept: a [`load`](Self::load) by whoever comes later finds it, in the same
/// process or, if the store says so, after the loss of one.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Which incarnation has this session: 8 bytes that change when what the store had is lost. Stores whose parts
    /// can be lost apart (a cluster) have one for each.
    fn epoch(&self, session: SessionId) -> Epoch;

    /// What there is of a session, unless its time is over.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nobody knows; a session is not to be taken for gone.
    fn load(&self, session: SessionId) -> Answer<'_, Option<Stored>>;

    /// Takes a session from its owner, in one step: from here on the store has the generation and the owner of `take`, so that whatever
    /// the owner before still writes is fenced; and what there was of it at that moment is the answer. `None`: the store has it at
    /// another generation than the one that is expected, or not at all, and nothing has changed.
    ///
    /// Neither what is kept of it nor its age is another one after that. What was taken can be taken again by the same owner, as long as
    /// nobody has written it since: so a question whose answer was lost may be said again.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it may have been taken, or not.
    fn take(&self, take: Take) -> Answer<'_, Option<Stored>>;

    /// Writes all of these, in order, and says what came of each. With none, it looks whether the store is there and has what
    /// it had: for who has nothing to write, about once a second.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: any of them may have been written, or not. To say them again does no harm.
    fn write(&self, writes: Vec<Write>) -> Answer<'_, Vec<Written>>;

    /// How often what the store has may have gone back, or been lost: it restarted, or a replica took its place. When this
    /// grows, an owner writes its sessions again. It may grow with a [`load`](Self::load) or a [`write`](Self::write) only,
    /// an empty one among them.
    fn setbacks(&self) -> u64 {
        0
    }

    /// Asks the owner of a session to let go of it. Answers once it has, or after a second; what there is then is
    /// [loaded](Self::load) again. Nobody is waited for who does not [listen](Self::asked).
    ///
    /// As it stands here it asks nobody, which is right only for a store that one server has at a time.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it could not be asked.
    fn ask(&self, _session: SessionId, _owner: u64) -> Answer<'_, ()> {
        Box::pin(ready(Ok(())))
    }

    /// The next session that others ask this owner for. It never comes where one server has the store. One value of a store that
    /// nodes share over a network is for one owner: of two that wait there, either gets what the other is asked for.
    ///
    /// Cancel safe: a question is given once. What was asked and not given waits for the next call where nodes share the store over
    /// a network; in one process, an owner that gives up listening counts as gone, and is not waited for.
    fn asked(&self, _owner: u64) -> Pin<Box<dyn Future<Output = SessionId> + Send + '_>> {
        Box::pin(pending())
    }

    /// Tells who asked for this session that it is in the store, and its owner goes on with it no more.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it could not be told, and waits for its second to pass.
    fn let_go(&self, _session: SessionId) -> Answer<'_, ()> {
        Box::pin(ready(Ok(())))
    }
}

/// What a store has of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What it was written at, or taken at since.
    pub generation: u64,
    /// Who wrote or took it.
    pub owner: u64,
    /// What was written.
    pub record: Bytes,
    /// How long ago.
    pub age: Duration,
}

/// Whoever goes on with a session takes it from its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take {
    /// The session.
    pub session: SessionId,
    /// The generation that the store is to have of it.
    pub expects: u64,
    /// The generation that it has from then on, above that.
    pub generation: u64,
    /// Who takes it.
    pub owner: u64,
}

impl Take {
    /// Whether it may be done where this generation is, of this owner.
    #[must_use]
    pub fn fits(&self, there: (u64, u64)) -> bool {
        there.0 == self.expects || there == (self.generation, self.owner)
    }
}

/// One write, which is done only if the store has nothing newer than what the writer knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The session.
    pub session: SessionId,
    /// The generation that the store has of it, as far as the writer knows; 0: nothing.
    pub expects: u64,
    /// The generation that it has from then on.
    pub generation: u64,
    /// Who writes: a random number of each server. Of two that claim the same generation the store has the first; and
    /// whoever has written it may say so again.
    pub owner: u64,
    /// What to keep.
    pub record: Bytes,
    /// For how long, unless it is written again.
    pub keep: Duration,
}

impl Write {
    /// Whether it may be done where this generation is, of this owner, or nothing.
    ///
    /// A lower generation than the one that is expected, or none, is no reason against it: what the writer was answered
    /// was there, so the store has lost it, and is told again.
    #[must_use]
    pub fn fits(&self, there: Option<(u64, u64)>) -> bool {
        match there {
            Some((generation, owner)) if generation == self.generation => owner == self.owner,
            Some((generation, _)) => generation <= self.expects,
            None => true,
        }
    }
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is kept.
    Done,
    /// The store has a later generation, or another owner of this one: the session is somebody else's.
    Fenced,
}

/// The store does not answer, or cannot keep anything.
#[derive(Debug)]
pub struct StoreError(Box<dyn Error + Send + Sync>);

impl StoreError {
    /// For this reason.
    pub fn new(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }

    /// Only the reason.
    #[cfg(feature = "redis")]
    pub(crate) fn reason(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store of sessions is away: {}", self.0)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// A random incarnation of a store.
pub(crate) fn new_epoch() -> Result<Epoch, StoreError> {
    let mut epoch = [0; 8];
    getrandom::fill(&mut epoch).map_err(|error| StoreError::new(error.to_string()))?;
    Ok(Epoch(epoch))
}

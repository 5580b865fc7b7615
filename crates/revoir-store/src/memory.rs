//! [`Memory`]: sessions beyond a server, in one process.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use revoir_session::{Epoch, SessionId};

use crate::asking::Asking;
use crate::store::{Answer, Store, StoreError, Stored, Take, Write, Written, new_epoch};

/// Keeps sessions in this process: for tests, and for several servers in one.
///
/// Servers that share it [ask](Store::ask) each other, which needs a tokio runtime with time.
#[derive(Debug)]
pub struct Memory {
    epoch: Epoch,
    kept: Mutex<HashMap<SessionId, Kept>>,
    asking: Asking,
}

#[derive(Debug)]
struct Kept {
    write: Write,
    since: Instant,
}

impl Kept {
    fn is_over(&self) -> bool {
        self.since.elapsed() >= self.write.keep
    }

    fn stored(&self) -> Stored {
        Stored {
            generation: self.write.generation,
            owner: self.write.owner,
            record: self.write.record.clone(),
            age: self.since.elapsed(),
        }
    }
}

impl Memory {
    /// An empty one.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the operating system has no random bytes.
    pub fn new() -> Result<Self, StoreError> {
        Ok(Self {
            epoch: new_epoch()?,
            kept: Mutex::default(),
            asking: Asking::default(),
        })
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<SessionId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_one(&self, take: Take) -> Option<Stored> {
        let mut kept = self.kept();
        let kept = kept.get_mut(&take.session).filter(|it| !it.is_over())?;
        if !take.fits((kept.write.generation, kept.write.owner)) {
            return None;
        }
        kept.write.generation = take.generation;
        kept.write.owner = take.owner;
        Some(kept.stored())
    }

    fn write_all(&self, writes: Vec<Write>) -> Vec<Written> {
        let mut kept = self.kept();
        let since = Instant::now();
        let written = writes.into_iter().map(|write| {
            let there = kept.get(&write.session).filter(|it| !it.is_over());
            if !write.fits(there.map(|it| (it.write.generation, it.write.owner))) {
                return Written::Fenced;
            }
            kept.insert(write.session, Kept { write, since });
            Written::Done
        });
        let written = written.collect();
        kept.retain(|_, it| !it.is_over());
        written
    }
}

impl Store for Memory {
    fn epoch(&self, _: SessionId) -> Epoch {
        self.epoch
    }

    fn load(&self, session: SessionId) -> Answer<'_, Option<Stored>> {
        let kept = self.kept();
        let found = kept.get(&session).filter(|it| !it.is_over());
        Box::pin(ready(Ok(found.map(Kept::stored))))
    }

    fn take(&self, take: Take) -> Answer<'_, Option<Stored>> {
        Box::pin(ready(Ok(self.take_one(take))))
    }

    fn write(&self, writes: Vec<Write>) -> Answer<'_, Vec<Written>> {
        Box::pin(ready(Ok(self.write_all(writes))))
    }

    fn ask(&self, session: SessionId, owner: u64) -> Answer<'_, ()> {
        Box::pin(async move {
            self.asking.ask(session, owner).await;
            Ok(())
        })
    }

    fn asked(&self, owner: u64) -> Pin<Box<dyn Future<Output = SessionId> + Send + '_>> {
        Box::pin(self.asking.asked(owner))
    }

    fn let_go(&self, session: SessionId) -> Answer<'_, ()> {
        self.asking.let_go(session);
        Box::pin(ready(Ok(())))
    }
}

//! [`Memory`]: sessions beyond a server, in one process.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use revoir_session::{Epoch, SessionId};

use crate::asking::Asking;
use crate::store::{Answer, Store, StoreError, Stored, Write, Written, new_epoch};

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

    fn write_all(&self, writes: Vec<Write>) -> Vec<Written> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
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
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(&session).filter(|it| !it.is_over());
        let stored = found.map(|it| Stored {
            generation: it.write.generation,
            owner: it.write.owner,
            record: it.write.record.clone(),
            age: it.since.elapsed(),
        });
        Box::pin(ready(Ok(stored)))
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

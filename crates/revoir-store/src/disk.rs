//! [`Disk`]: sessions in a file.

use std::fmt;
use std::fs::OpenOptions;
use std::future::{Future, ready};
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use redb::{Builder, Database, ReadableTable, Table, TableDefinition};
use revoir_session::{Epoch, SessionId};

use crate::asking::Asking;
use crate::store::{Answer, Store, StoreError, Stored, Take, Write, Written, new_epoch};

/// What is known of each session.
const SESSIONS: TableDefinition<'_, [u8; 16], &[u8]> = TableDefinition::new("sessions");

/// What is known of the store.
const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
const EPOCH: &str = "epoch";
const SCHEMA: &str = "schema";

/// The form of what stands in front of a record. Records have a version of their own.
const VERSION: u8 = 1;

/// So often it is looked for records whose time is over.
const SWEEP: Duration = Duration::from_secs(60);

/// Keeps sessions in a file, for one process at a time. They survive its restart, and SIGKILL; each
/// [`write`](Store::write) is one transaction, which is on the disk (fsync) when it is answered.
///
/// It needs a tokio runtime: the file is read and written on threads that may block.
pub struct Disk {
    epoch: Epoch,
    shared: Arc<Shared>,
    asking: Asking,
}

struct Shared {
    database: Database,
    swept: Mutex<Instant>,
}

/// Time as the file has it.
#[derive(Clone, Copy)]
struct Millis(u64);

impl Millis {
    fn now() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::of(now.unwrap_or_default())
    }

    fn of(time: Duration) -> Self {
        Self(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    /// How long ago that is. A clock that was set back says nothing of the past.
    const fn until(self, now: Self) -> Duration {
        Duration::from_millis(now.0.saturating_sub(self.0))
    }
}

/// What stands in front of a record.
struct Head {
    generation: u64,
    owner: u64,
    written: Millis,
    keep: Millis,
}

const HEAD_BYTES: usize = 33;

impl Head {
    fn encode(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[0] = VERSION;
        let numbers = [self.generation, self.owner, self.written.0, self.keep.0];
        for (place, number) in bytes[1..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// With the record behind it; `None` if it is of another version, or broken.
    fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (head, record) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let (version, numbers) = head.split_first()?;
        let mut numbers = numbers.chunks_exact(8).map(|number| {
            let number = number.try_into();
            number.map_or(0, u64::from_be_bytes)
        });
        let mut next = || numbers.next().unwrap_or(0);
        let head = Self {
            generation: next(),
            owner: next(),
            written: Millis(next()),
            keep: Millis(next()),
        };
        (*version == VERSION).then_some((head, record))
    }

    /// In front of this record.
    fn with(&self, record: &[u8]) -> Vec<u8> {
        [&self.encode()[..], record].concat()
    }

    /// What there is of a session, unless its time is over.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: a session that cannot be read is not one that is gone.
    fn read(bytes: &[u8], now: Millis) -> Result<Option<(Self, &[u8])>, StoreError> {
        let read = Self::decode(bytes);
        let (head, record) =
            read.ok_or_else(|| StoreError::new("a record has another version, or is broken"))?;
        Ok((!head.is_over(now)).then_some((head, record)))
    }

    fn stored(&self, record: &[u8], now: Millis) -> Stored {
        Stored {
            generation: self.generation,
            owner: self.owner,
            record: Bytes::copy_from_slice(record),
            age: self.written.until(now),
        }
    }

    fn is_over(&self, now: Millis) -> bool {
        self.written.until(now) >= Duration::from_millis(self.keep.0)
    }
}

impl Disk {
    /// Opens the file, or makes it, for nobody but its owner to read. Its folder is there.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it cannot be opened, is no such file or of a later version, or another process has it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let mut builder = Builder::new();
        make(path.as_ref()).map_err(StoreError::new)?;
        // Later versions of redb read this one.
        builder.create_with_file_format_v3(true);
        let database = builder.create(path).map_err(StoreError::new)?;
        let epoch = begin(&database)?;
        let shared = Arc::new(Shared {
            database,
            swept: Mutex::new(Instant::now()),
        });
        Ok(Self {
            epoch,
            shared,
            asking: Asking::default(),
        })
    }

    fn with<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'_, T> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let asked = tokio::task::spawn_blocking(move || ask(&shared));
            asked.await.map_err(StoreError::new)?
        })
    }
}

/// Makes the file, unless it is there. Messages of users stand in it: nobody else reads it.
fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Makes what is not there; says which incarnation this is.
fn begin(database: &Database) -> Result<Epoch, StoreError> {
    let transaction = database.begin_write().map_err(StoreError::new)?;
    let epoch;
    {
        let mut about = transaction.open_table(ABOUT).map_err(StoreError::new)?;
        let schema = about.get(SCHEMA).map_err(StoreError::new)?;
        let schema = schema.map(|schema| schema.value().to_vec());
        if let Some(other) = schema.filter(|schema| *schema != [VERSION]) {
            return Err(StoreError::new(format!(
                "the file has the form {other:?} of another version of this program, and this one reads [{VERSION}]: \
                 give another file, or run the program that wrote it"
            )));
        }
        let known = about.get(EPOCH).map_err(StoreError::new)?;
        let known = known.and_then(|known| <[u8; 8]>::try_from(known.value()).ok());
        if let Some(known) = known {
            epoch = Epoch(known);
        } else {
            epoch = new_epoch()?;
            about.insert(EPOCH, &epoch.0[..]).map_err(StoreError::new)?;
            let version = &[VERSION][..];
            about.insert(SCHEMA, version).map_err(StoreError::new)?;
        }
        let mut sessions = transaction.open_table(SESSIONS).map_err(StoreError::new)?;
        sweep(&mut sessions, Millis::now())?;
    }
    transaction.commit().map_err(StoreError::new)?;
    Ok(epoch)
}

/// Takes out what nobody may ask for any more.
fn sweep(sessions: &mut Table<'_, [u8; 16], &'static [u8]>, now: Millis) -> Result<(), StoreError> {
    let is_kept = |_, bytes: &[u8]| Head::decode(bytes).is_none_or(|(head, _)| !head.is_over(now));
    sessions.retain(is_kept).map_err(StoreError::new)
}

impl Shared {
    fn load(&self, session: SessionId) -> Result<Option<Stored>, StoreError> {
        let transaction = self.database.begin_read().map_err(StoreError::new)?;
        let sessions = transaction.open_table(SESSIONS).map_err(StoreError::new)?;
        let found = sessions.get(session.0).map_err(StoreError::new)?;
        let Some(found) = found else {
            return Ok(None);
        };
        let now = Millis::now();
        let read = Head::read(found.value(), now)?;
        Ok(read.map(|(head, record)| head.stored(record, now)))
    }

    fn take(&self, take: Take) -> Result<Option<Stored>, StoreError> {
        let now = Millis::now();
        let transaction = self.database.begin_write().map_err(StoreError::new)?;
        let taken = {
            let mut sessions = transaction.open_table(SESSIONS).map_err(StoreError::new)?;
            let found = sessions.get(take.session.0).map_err(StoreError::new)?;
            let bytes = found.map(|found| found.value().to_vec());
            let read = bytes.as_deref().map(|bytes| Head::read(bytes, now));
            let read = read.transpose()?.flatten();
            let fits = read.filter(|(head, _)| take.fits((head.generation, head.owner)));
            let Some((mut head, record)) = fits else {
                return Ok(None);
            };
            head.generation = take.generation;
            head.owner = take.owner;
            let bytes = head.with(record);
            sessions
                .insert(take.session.0, &bytes[..])
                .map_err(StoreError::new)?;
            head.stored(record, now)
        };
        transaction.commit().map_err(StoreError::new)?;
        Ok(Some(taken))
    }

    fn write(&self, writes: &[Write]) -> Result<Vec<Written>, StoreError> {
        let now = Millis::now();
        let transaction = self.database.begin_write().map_err(StoreError::new)?;
        let mut written = Vec::with_capacity(writes.len());
        {
            let mut sessions = transaction.open_table(SESSIONS).map_err(StoreError::new)?;
            for write in writes {
                let there = sessions.get(write.session.0).map_err(StoreError::new)?;
                let there = there.and_then(|there| {
                    let (head, _) = Head::decode(there.value())?;
                    (!head.is_over(now)).then_some((head.generation, head.owner))
                });
                if !write.fits(there) {
                    written.push(Written::Fenced);
                    continue;
                }
                let head = Head {
                    generation: write.generation,
                    owner: write.owner,
                    written: now,
                    keep: Millis::of(write.keep),
                };
                let bytes = head.with(&write.record);
                sessions
                    .insert(write.session.0, &bytes[..])
                    .map_err(StoreError::new)?;
                written.push(Written::Done);
            }
            if self.is_sweep_due() {
                sweep(&mut sessions, now)?;
            }
        }
        transaction.commit().map_err(StoreError::new)?;
        Ok(written)
    }

    /// Whether it is time to sweep, which is then said to nobody else.
    fn is_sweep_due(&self) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = swept.elapsed() >= SWEEP;
        if is_due {
            *swept = Instant::now();
        }
        is_due
    }
}

impl Store for Disk {
    fn epoch(&self, _: SessionId) -> Epoch {
        self.epoch
    }

    fn load(&self, session: SessionId) -> Answer<'_, Option<Stored>> {
        self.with(move |shared| shared.load(session))
    }

    fn take(&self, take: Take) -> Answer<'_, Option<Stored>> {
        self.with(move |shared| shared.take(take))
    }

    fn write(&self, writes: Vec<Write>) -> Answer<'_, Vec<Written>> {
        if writes.is_empty() {
            // Nothing that this process has open goes back.
            return Box::pin(ready(Ok(Vec::new())));
        }
        self.with(move |shared| shared.write(&writes))
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

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_later_version_is_refused_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions");
        drop(Disk::open(&path).unwrap());
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut about = transaction.open_table(ABOUT).unwrap();
        about.insert(SCHEMA, &[VERSION + 1][..]).unwrap();
        drop(about);
        transaction.commit().unwrap();
        drop(database);
        let error = Disk::open(&path).unwrap_err().to_string();
        assert!(error.contains("the form [2]"), "{error}");
        assert!(error.contains("this one reads [1]"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions");
        drop(Disk::open(&path).unwrap());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

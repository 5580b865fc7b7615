//! [`Shared`]: the connection to Redis, how it is asked, and how long.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use redis::{Cmd, ServerError, Value};
use revoir_session::{Epoch, SessionId};
use tokio::time::{Instant, timeout};

use crate::redis::epochs::Epochs;
use crate::redis::link::{Link, Master, Masters, refused};
use crate::redis::place::Place;
use crate::redis::record::{
    Head, PARTS, begin_command, part_of, read_command, take_command, write_command,
};
use crate::store::{StoreError, Stored, Take, Write, Written, new_epoch};

/// Whatever is asked of it is answered, or given up, within this.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// A connection, with what has to be known of the server, is made within this.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// After a failure it is not tried again so soon.
const PAUSE: Duration = Duration::from_millis(100);

/// So often it is looked whether masters have restarted or changed.
const LOOK: Duration = Duration::from_secs(1);

/// More writes than these go in several pipelines, and so do more bytes: others want to be answered, too.
const MOST_WRITES: usize = 512;
const MOST_BYTES: usize = 1024 * 1024;

/// What all calls have in common.
pub(super) struct Shared {
    pub(super) place: Place,
    pub(super) epochs: Epochs,
    pub(super) setbacks: AtomicU64,
    /// The number of the last write: a late one is told by it.
    number: AtomicU64,
    state: Mutex<State>,
}

/// A connection that is being made, for all who wait for it.
type Connecting = future::Shared<BoxFuture<'static, Result<(u64, Link), String>>>;

#[derive(Default)]
struct State {
    /// With a number of its own.
    link: Option<(u64, Link)>,
    links: u64,
    looked: Option<Instant>,
    connecting: Option<Connecting>,
    /// Not to be tried before that.
    pause: Option<Instant>,
    histories: BTreeSet<String>,
    /// Masters whose replicas are waited for.
    replicated: Vec<Master>,
}

/// Why an answer is no answer. Redis is away, and whoever is connected to it should be no more, or not.
pub(super) enum Trouble {
    Link(StoreError),
    Answer(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Link(error)
    }
}

impl Trouble {
    fn of(error: &ServerError) -> Self {
        let text = format!("{} {}", error.code(), error.details().unwrap_or_default());
        let told = refused(error.code(), &text);
        match error.code() {
            // Somebody else is the master by now, or is about to be.
            "READONLY" | "MASTERDOWN" => Self::Link(told),
            _ => Self::Answer(told),
        }
    }
}

impl Shared {
    /// # Errors
    ///
    /// See [`Redis::new`](crate::Redis::new).
    pub(super) fn new(address: &str) -> Result<Self, StoreError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = now.unwrap_or_default().as_micros();
        Ok(Self {
            place: Place::parse(address)?,
            epochs: Epochs::new(new_epoch()?),
            setbacks: AtomicU64::new(0),
            number: AtomicU64::new(u64::try_from(micros).unwrap_or(0)),
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `ask` with the connection there is, or a new one, within the time there is for it.
    pub(super) async fn ask<T, F>(
        self: &Arc<Self>,
        ask: impl FnOnce(Link) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let mut used = None;
        let asked = async {
            let (number, link) = self.link().await.map_err(Trouble::Answer)?;
            used = Some(number);
            ask(link).await
        };
        let trouble = match timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(trouble)) => trouble,
            Err(_) => Trouble::Link(StoreError::new("it does not answer")),
        };
        match trouble {
            Trouble::Answer(error) => Err(error),
            Trouble::Link(error) => {
                self.lose(used);
                Err(error)
            }
        }
    }

    /// Never uses this connection again.
    fn lose(&self, used: Option<u64>) {
        let mut state = self.lock();
        if used.is_some() && state.link.as_ref().map(|(number, _)| *number) == used {
            state.link = None;
            state.pause = Some(Instant::now() + PAUSE);
        }
    }

    /// The connection there is. Connecting goes on when whoever wants it has given up: the next one has it then.
    async fn link(self: &Arc<Self>) -> Result<(u64, Link), StoreError> {
        let connecting = {
            let mut state = self.lock();
            if let Some(link) = &state.link {
                return Ok(link.clone());
            }
            if state.pause.is_some_and(|until| until > Instant::now()) {
                return Err(StoreError::new("it was away a moment ago"));
            }
            let begin = || {
                let task = tokio::spawn(Arc::clone(self).connect_for_all());
                let shared = Arc::clone(self);
                let connected = async move {
                    task.await.unwrap_or_else(|error| {
                        // It panicked, or its runtime has ended: the next one tries again.
                        shared.lock().connecting = None;
                        Err(error.to_string())
                    })
                };
                connected.boxed().shared()
            };
            state.connecting.get_or_insert_with(begin).clone()
        };
        connecting.await.map_err(StoreError::new)
    }

    async fn connect_for_all(self: Arc<Self>) -> Result<(u64, Link), String> {
        let connected = match timeout(CONNECT, self.connect()).await {
            Ok(connected) => connected.map_err(|error| error.reason()),
            Err(_) => Err("it cannot be connected to in time".to_owned()),
        };
        let mut state = self.lock();
        state.connecting = None;
        match connected {
            Ok(link) => {
                state.links += 1;
                let link = (state.links, link);
                state.link = Some(link.clone());
                Ok(link)
            }
            Err(error) => {
                state.pause = Some(Instant::now() + PAUSE);
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<Link, StoreError> {
        let link = Link::connect(&self.place, PATIENCE).await?;
        self.look(&link).await?;
        match self.begin(&link, (0..PARTS).collect()).await {
            Ok(()) => Ok(link),
            Err(Trouble::Link(error) | Trouble::Answer(error)) => Err(error),
        }
    }

    /// Looks what the masters say of themselves.
    async fn look(&self, link: &Link) -> Result<(), StoreError> {
        let Masters {
            histories,
            replicated,
        } = link.look().await?;
        let mut state = self.lock();
        state.looked = Some(Instant::now());
        state.replicated = replicated;
        let is_first = state.histories.is_empty();
        let is_new = !histories.is_subset(&state.histories);
        state.histories = histories;
        if is_new && !is_first {
            self.setbacks.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// Has Redis say the epochs of these parts, or take one if it knows none.
    async fn begin(&self, link: &Link, parts: Vec<usize>) -> Result<(), Trouble> {
        let epoch = new_epoch()?;
        let commands = parts
            .iter()
            .map(|part| (*part, begin_command(*part, epoch)));
        let answers = link.send(commands.collect()).await?;
        for (part, answer) in parts.into_iter().zip(answers) {
            self.learn(part, &answer)?;
        }
        Ok(())
    }

    fn learn(&self, part: usize, told: &Value) -> Result<(), Trouble> {
        let epoch = match told {
            Value::BulkString(bytes) => <[u8; 8]>::try_from(&bytes[..]).ok(),
            Value::ServerError(error) => return Err(Trouble::of(error)),
            _ => None,
        };
        let epoch = epoch.ok_or_else(|| Trouble::Answer(StoreError::new("an epoch is broken")))?;
        if self.epochs.learn(part, Epoch(epoch)) {
            self.setbacks.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    pub(super) async fn load(
        &self,
        link: Link,
        session: SessionId,
    ) -> Result<Option<Stored>, Trouble> {
        let part = part_of(session);
        self.read(&link, part, read_command(session)).await
    }

    pub(super) async fn take(&self, link: Link, take: Take) -> Result<Option<Stored>, Trouble> {
        let number = self.number.fetch_add(1, Relaxed) + 1;
        let part = part_of(take.session);
        let command = take_command(take, number);
        let taken = self.read(&link, part, command).await?;
        if taken.is_some() {
            self.have_replicated(&link, true).await?;
        }
        Ok(taken)
    }

    /// What a script of this part says that there is of a session.
    async fn read(
        &self,
        link: &Link,
        part: usize,
        command: Cmd,
    ) -> Result<Option<Stored>, Trouble> {
        let answers = link.send(vec![(part, command)]).await?;
        let (record, left, epoch) = match answers.into_iter().next() {
            Some(Value::Array(told)) => match <[Value; 3]>::try_from(told) {
                Ok([record, Value::Int(left), epoch]) => (record, left, epoch),
                _ => return Err(strange()),
            },
            Some(Value::ServerError(error)) => return Err(Trouble::of(&error)),
            _ => return Err(strange()),
        };
        match epoch {
            Value::Nil => self.begin(link, vec![part]).await?,
            epoch => self.learn(part, &epoch)?,
        }
        let bytes = match record {
            Value::Nil => return Ok(None),
            Value::BulkString(bytes) => Bytes::from(bytes),
            _ => return Err(strange()),
        };
        let broken = |error: String| Trouble::Answer(StoreError::new(error));
        let (head, record) = Head::decode(&bytes).map_err(broken)?;
        let left = u64::try_from(left).unwrap_or(head.keep_ms);
        Ok(Some(Stored {
            generation: head.generation,
            owner: head.owner,
            record: bytes.slice_ref(record),
            age: Duration::from_millis(head.keep_ms.saturating_sub(left)),
        }))
    }

    async fn write(&self, link: Link, writes: &[Write]) -> Result<Vec<Written>, Trouble> {
        let count = writes.len();
        let first = self.number.fetch_add(count as u64, Relaxed) + 1;
        let command = |place: usize, whole: bool| {
            let write = &writes[place];
            let part = part_of(write.session);
            let number = first + place as u64;
            let command = write_command(write, number, self.epochs.of(part), whole);
            (part, command)
        };
        let commands = (0..count).map(|place| command(place, false));
        let mut answers = link.send(commands.collect()).await?;
        let is_unknown = |answer: &Value| matches!(answer, Value::ServerError(error) if error.code() == "NOSCRIPT");
        let unknown: Vec<_> = (0..count)
            .filter(|place| is_unknown(&answers[*place]))
            .collect();
        if !unknown.is_empty() {
            // Those behind them may have been done by now. They are later than these, or of other sessions.
            let commands = unknown.iter().map(|place| command(*place, true));
            let told = link.send(commands.collect()).await?;
            for (place, answer) in unknown.into_iter().zip(told) {
                answers[place] = answer;
            }
        }
        let (written, forgotten) = read(writes, answers)?;
        if !forgotten.is_empty() {
            self.begin(&link, forgotten.into_iter().collect()).await?;
        }
        let is_claim = |write: &Write| write.generation != write.expects;
        self.have_replicated(&link, writes.iter().any(is_claim))
            .await?;
        Ok(written)
    }

    fn is_look_due(&self) -> bool {
        let looked = self.lock().looked;
        looked.is_none_or(|looked| looked.elapsed() >= LOOK)
    }

    /// Looks after masters and epochs, when it is time: no write does.
    async fn look_after(self: &Arc<Self>) -> Result<(), StoreError> {
        self.ask(async |link| {
            if self.is_look_due() {
                self.look(&link).await?;
                self.begin(&link, (0..PARTS).collect()).await?;
            }
            Ok(())
        })
        .await
    }

    /// Looks after masters, when it is time, and asks for a replica to have what is new of generations, if anything is.
    async fn have_replicated(&self, link: &Link, is_claimed: bool) -> Result<(), StoreError> {
        if self.is_look_due() {
            self.look(link).await?;
        }
        if !is_claimed {
            return Ok(());
        }
        let replicated = self.lock().replicated.clone();
        // Not to be insisted upon: the master has it. Who waits in vain does not wait again until it has looked.
        if !replicated.is_empty() && !link.wait(&replicated).await? {
            self.lock().replicated.clear();
        }
        Ok(())
    }

    pub(super) async fn write_all(
        self: &Arc<Self>,
        writes: &[Write],
    ) -> Result<Vec<Written>, StoreError> {
        if writes.is_empty() {
            self.look_after().await?;
        }
        let mut written = Vec::with_capacity(writes.len());
        while let Some(rest) = writes.get(written.len()..).filter(|rest| !rest.is_empty()) {
            let mut bytes = 0;
            let fits = rest.iter().take(MOST_WRITES).take_while(|write| {
                let before = bytes;
                bytes += write.record.len();
                before < MOST_BYTES
            });
            let some = &rest[..fits.count()];
            written.extend(self.ask(|link| self.write(link, some)).await?);
        }
        Ok(written)
    }
}

/// What came of each, and the parts whose epoch is not what it was.
fn read(writes: &[Write], answers: Vec<Value>) -> Result<(Vec<Written>, BTreeSet<usize>), Trouble> {
    let mut written = Vec::with_capacity(writes.len());
    let mut forgotten = BTreeSet::new();
    for (write, answer) in writes.iter().zip(answers) {
        let told = match answer {
            Value::Int(told @ 0..4) => told,
            Value::ServerError(error) => return Err(Trouble::of(&error)),
            _ => return Err(strange()),
        };
        written.push(match told & 1 {
            1 => Written::Done,
            _ => Written::Fenced,
        });
        if told & 2 != 0 {
            forgotten.insert(part_of(write.session));
        }
    }
    Ok((written, forgotten))
}

fn strange() -> Trouble {
    Trouble::Link(StoreError::new("its answer is none that Redis gives"))
}

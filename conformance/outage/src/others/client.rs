//! A client behind the gateway: numbered messages out, numbered answers in.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use revoir::{Client, Ending, Message, Reason, SendCode, WebSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// The time between two messages of one client. During the longest hold, they are fewer than the
/// gateway keeps.
const PAUSE: Duration = Duration::from_millis(100);

/// What the clients are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// All talk.
    Talk,
    /// Every other client says nothing.
    HalfQuiet,
    /// None says anything new.
    Quiet,
    /// All close.
    Close,
}

/// What a client has sent and got.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// The number of the last message that was sent; the first is 1.
    pub(crate) sent: u64,
    /// Connections of the backend that answered, and to which messages, in the order of arrival.
    pub(crate) answers: Vec<(String, u64)>,
    /// Whether it says nothing new at present.
    pub(crate) is_quiet: bool,
    /// The last number before the outage, if it was quiet then.
    pub(crate) quiet_at: Option<u64>,
    /// How it ended.
    pub(crate) ending: Option<Arc<Ending>>,
    /// An answer that makes no sense.
    pub(crate) wrong: Option<String>,
}

impl Record {
    /// Whether it has stopped talking, and the last message was answered.
    pub(crate) fn is_answered(&self) -> bool {
        let last = self.answers.last().map_or(0, |(_, number)| *number);
        self.is_quiet && last == self.sent
    }
}

/// One client.
#[derive(Debug)]
pub(crate) struct Talker {
    /// What it asks for, which is its name.
    pub(crate) path: String,
    /// Whether it is among those that are quiet in `HalfQuiet`.
    pub(crate) may_be_quiet: bool,
    record: Arc<Mutex<Record>>,
    task: JoinHandle<()>,
}

impl Talker {
    /// Connects and begins to talk.
    pub(crate) async fn connect(
        gateway: SocketAddr,
        number: usize,
        phase: watch::Receiver<Phase>,
    ) -> anyhow::Result<Self> {
        let path = format!("/{number}");
        let url = format!("ws://{gateway}{path}");
        let socket = Client::new().connect(&url).await;
        let socket = socket.with_context(|| format!("client {number}"))?;
        let record = Arc::default();
        let may_be_quiet = number.is_multiple_of(2);
        let task = tokio::spawn(talk(socket, may_be_quiet, phase, Arc::clone(&record)));
        Ok(Self {
            path,
            may_be_quiet,
            record,
            task,
        })
    }

    /// What it has sent and got so far.
    pub(crate) fn record(&self) -> Record {
        lock(&self.record).clone()
    }

    /// The same, once it has ended.
    pub(crate) async fn ended(self) -> anyhow::Result<(String, Record)> {
        self.task.await?;
        let record = lock(&self.record).clone();
        Ok((self.path, record))
    }
}

async fn talk(
    mut socket: WebSocket,
    may_be_quiet: bool,
    mut phase: watch::Receiver<Phase>,
    record: Arc<Mutex<Record>>,
) {
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = *phase.borrow_and_update();
        if now == Phase::Close {
            let closed = socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
            lock(&record).ending = Some(closed);
            return;
        }
        let talks = now == Phase::Talk || (now == Phase::HalfQuiet && !may_be_quiet);
        lock(&record).note(now, talks);
        let ended = tokio::select! {
            message = socket.recv() => message.map(|message| lock(&record).take(&message)),
            _ = ticks.tick(), if talks => {
                let number = lock(&record).next();
                socket.send_text(number.to_string()).await
            }
            _ = phase.changed() => Ok(()),
        };
        if let Err(ending) = ended {
            lock(&record).ending = Some(ending);
            return;
        }
    }
}

impl Record {
    fn note(&mut self, phase: Phase, talks: bool) {
        self.is_quiet = !talks;
        if self.is_quiet && phase == Phase::HalfQuiet {
            self.quiet_at = Some(self.sent);
        }
    }

    fn next(&mut self) -> u64 {
        self.sent += 1;
        self.sent
    }

    fn take(&mut self, message: &Message) {
        let text = String::from_utf8_lossy(message.as_bytes()).into_owned();
        let answer = text.split_once(' ');
        match answer.and_then(|(label, number)| Some((label.to_owned(), number.parse().ok()?))) {
            Some(answer) => self.answers.push(answer),
            None => self.wrong = Some(text),
        }
    }
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

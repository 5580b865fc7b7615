//! What servers tell each other through Redis: who asks whom to let go of a session.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::PubSub;
use redis::{Client, Msg};
use revoir_session::SessionId;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, interval, sleep, timeout, timeout_at};

use crate::redis::link::{Link, ask_sentinels, failed};
use crate::redis::place::Place;
use crate::redis::shared::{CONNECT, PATIENCE, Shared, Trouble};
use crate::store::StoreError;
use crate::waiting::{LET_GO, Waiting};

/// A channel on which nothing comes is tried so often.
const PROBE: Duration = Duration::from_secs(2);

/// More questions than these wait for nobody.
const MOST_ASKED: usize = 65_536;

const ASK: u8 = b'?';
const GONE: u8 = b'!';

/// This server's end of it.
pub(super) struct Channel {
    shared: Arc<Shared>,
    /// Answers are published under this number.
    id: u64,
    listener: OnceLock<Listener>,
    said: Mutex<Said>,
    waiting: Waiting,
    /// Something is in `said.asked`.
    news: Notify,
}

struct Listener {
    task: AbortHandle,
    owners: mpsc::UnboundedSender<u64>,
    is_ready: watch::Receiver<bool>,
}

#[derive(Default)]
struct Said {
    owners: HashSet<u64>,
    /// What others ask for, in order.
    asked: VecDeque<SessionId>,
    /// Who asks for a session, by the number that an answer goes to.
    askers: HashMap<SessionId, Vec<u64>>,
}

impl Channel {
    pub(super) fn new(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let id = getrandom::u64().map_err(|error| StoreError::new(error.to_string()))?;
        Ok(Self {
            shared,
            id,
            listener: OnceLock::new(),
            said: Mutex::default(),
            waiting: Waiting::default(),
            news: Notify::new(),
        })
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was published for this server.
    fn hear(&self, message: &[u8]) {
        let Some((kind, rest)) = message.split_first() else {
            return;
        };
        let Some((session, rest)) = rest.split_first_chunk() else {
            return;
        };
        let session = SessionId(*session);
        let mut said = self.said();
        match *kind {
            ASK if said.asked.len() < MOST_ASKED => {
                let Some(asker) = rest.first_chunk() else {
                    return;
                };
                let askers = said.askers.entry(session).or_default();
                askers.push(u64::from_be_bytes(*asker));
                said.asked.push_back(session);
                drop(said);
                self.news.notify_one();
            }
            GONE => self.waiting.tell(session),
            // Of a later version, or too much at once: whoever asks waits a second.
            _ => {}
        }
    }

    fn listener(self: &Arc<Self>) -> &Listener {
        self.listener.get_or_init(|| {
            let (owners, wanted) = mpsc::unbounded_channel();
            let (tell_ready, is_ready) = watch::channel(false);
            let listening = listen(Arc::downgrade(self), wanted, tell_ready);
            Listener {
                task: tokio::spawn(listening).abort_handle(),
                owners,
                is_ready,
            }
        })
    }

    /// See [`Store::ask`](crate::Store::ask).
    pub(super) async fn ask(
        self: &Arc<Self>,
        session: SessionId,
        owner: u64,
    ) -> Result<(), StoreError> {
        let until = Instant::now() + LET_GO;
        let mut is_ready = self.listener().is_ready.clone();
        let listens = async { is_ready.wait_for(|is_ready| *is_ready).await.is_ok() };
        if timeout_at(until, listens).await != Ok(true) {
            return Err(StoreError::new("its channel is away"));
        }
        let waits = self.waiting.wait_for(session);
        let message = [&[ASK][..], &session.0, &self.id.to_be_bytes()].concat();
        let owners = channel_of("owner", owner);
        let is_there = match timeout_at(until, self.publish(&owners, &message)).await {
            Ok(is_there) => is_there,
            Err(_) => Err(StoreError::new("it does not answer")),
        };
        if matches!(is_there, Ok(None | Some(true))) {
            waits.until(until).await;
        }
        is_there.map(|_| ())
    }

    /// See [`Store::asked`](crate::Store::asked).
    pub(super) async fn asked(self: &Arc<Self>, owner: u64) -> SessionId {
        if self.said().owners.insert(owner) {
            // The listener ends with the store, which is borrowed here.
            let _ = self.listener().owners.send(owner);
        }
        loop {
            let news = self.news.notified();
            if let Some(session) = self.said().asked.pop_front() {
                return session;
            }
            news.await;
        }
    }

    /// See [`Store::let_go`](crate::Store::let_go).
    pub(super) async fn let_go(&self, session: SessionId) -> Result<(), StoreError> {
        let askers = self.said().askers.remove(&session);
        let message = [&[GONE][..], &session.0].concat();
        for asker in askers.unwrap_or_default() {
            self.publish(&channel_of("asker", asker), &message).await?;
        }
        Ok(())
    }

    async fn publish(&self, channel: &str, message: &[u8]) -> Result<Option<bool>, StoreError> {
        let publish = async |link: Link| {
            let published = link.publish(channel, message).await;
            published.map_err(Trouble::Link)
        };
        self.shared.ask(publish).await
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.get() {
            listener.task.abort();
        }
    }
}

fn channel_of(kind: &str, id: u64) -> String {
    format!("revoir:{kind}:{id:016x}")
}

/// Listens until nobody has the store any more.
async fn listen(
    channel: Weak<Channel>,
    mut owners: mpsc::UnboundedReceiver<u64>,
    is_ready: watch::Sender<bool>,
) {
    while let Some(strong) = channel.upgrade() {
        let connected = timeout(CONNECT, connect(&strong)).await;
        drop(strong);
        if let Ok(Ok(heard)) = connected {
            is_ready.send_replace(true);
            hear_all(heard, &channel, &mut owners).await;
            is_ready.send_replace(false);
        }
        sleep(Duration::from_millis(200)).await;
    }
}

async fn open(client: &Client) -> Result<PubSub, StoreError> {
    match timeout(PATIENCE, client.get_async_pubsub()).await {
        Ok(opened) => opened.map_err(failed),
        Err(_) => Err(StoreError::new("it does not answer")),
    }
}

async fn connect(channel: &Channel) -> Result<PubSub, StoreError> {
    let mut heard = match &channel.shared.place {
        Place::One(client) => open(client).await?,
        Place::Sentinels {
            sentinels,
            name,
            server,
        } => {
            let master = ask_sentinels(sentinels, name, PATIENCE).await?;
            open(&server.at(&master)?).await?
        }
        Place::Cluster(nodes) => open_any(nodes).await?,
    };
    let owners: Vec<_> = channel.said().owners.iter().copied().collect();
    let owners = owners.into_iter().map(|owner| channel_of("owner", owner));
    let mut names: Vec<_> = owners.collect();
    names.push(channel_of("asker", channel.id));
    heard.subscribe(names).await.map_err(failed)?;
    Ok(heard)
}

/// What is published in a cluster comes to all of its nodes.
async fn open_any(nodes: &[Client]) -> Result<PubSub, StoreError> {
    let mut last = StoreError::new("no server is there");
    for node in nodes {
        match open(node).await {
            Ok(heard) => return Ok(heard),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Until the connection is gone.
async fn hear_all(
    heard: PubSub,
    channel: &Weak<Channel>,
    owners: &mut mpsc::UnboundedReceiver<u64>,
) {
    let (mut sink, mut stream) = heard.split();
    let mut probes = interval(PROBE);
    loop {
        let sent = tokio::select! {
            message = stream.next() => {
                let Some(strong) = channel.upgrade() else { return };
                match message.as_ref().map(Msg::get_payload_bytes) {
                    Some(message) => strong.hear(message),
                    None => return,
                }
                continue;
            }
            Some(owner) = owners.recv() => {
                timeout(PATIENCE, sink.subscribe(channel_of("owner", owner))).await
            }
            _ = probes.tick() => timeout(PATIENCE, sink.ping()).await,
        };
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

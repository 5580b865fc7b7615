//! Servers that share a store, and lose it one by one.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use revoir::reconnect::LinkBuilder;
use revoir::session::{self, Durable, Event, Keys, Session, SessionEnding, SessionId, Store};
use revoir::{CloseCode, Link, WebSocket};
use revoir_session::Epoch;
use revoir_store::{Answer, StoreError, Stored, Take, Write, Written};
use tokio::sync::watch;

use crate::session::line::{Fault, Kind};
use crate::session::{Begun, Network, network, server};

/// How a server reaches the store: it can be cut off.
#[derive(Debug)]
pub(crate) struct Reach {
    store: Arc<dyn Store>,
    pub(crate) is_away: AtomicBool,
    /// Nothing is answered, and nothing refused.
    is_silent: watch::Sender<bool>,
    /// It does not hear what it is asked for.
    is_deaf: AtomicBool,
    /// So many writes have begun, and so many have ended.
    writes: (AtomicUsize, AtomicUsize),
}

impl Reach {
    fn new(store: &Arc<dyn Store>) -> Self {
        Self {
            store: Arc::clone(store),
            is_away: AtomicBool::new(false),
            is_silent: watch::Sender::new(false),
            is_deaf: AtomicBool::new(false),
            writes: Default::default(),
        }
    }

    fn answer<'a, T: Send + 'a>(
        &'a self,
        ask: impl FnOnce() -> Answer<'a, T> + Send + 'a,
    ) -> Answer<'a, T> {
        let mut silent = self.is_silent.subscribe();
        Box::pin(async move {
            silent.wait_for(|is_silent| !is_silent).await.unwrap();
            match self.is_away.load(Ordering::Relaxed) {
                true => Err(StoreError::new("cut off")),
                false => ask().await,
            }
        })
    }
}

impl Store for Reach {
    fn epoch(&self, session: SessionId) -> Epoch {
        self.store.epoch(session)
    }

    fn load(&self, session: SessionId) -> Answer<'_, Option<Stored>> {
        self.answer(move || self.store.load(session))
    }

    fn take(&self, take: Take) -> Answer<'_, Option<Stored>> {
        self.answer(move || self.store.take(take))
    }

    fn write(&self, writes: Vec<Write>) -> Answer<'_, Vec<Written>> {
        let (begun, ended) = &self.writes;
        let before = begun.fetch_add(1, Ordering::Relaxed);
        assert_eq!(before, ended.load(Ordering::Relaxed), "one at a time");
        let others = &writes[..writes.len().saturating_sub(1)];
        let bytes: usize = others.iter().map(|write| write.record.len()).sum();
        assert!(others.len() < 512 && bytes < 512 * 1024, "in one step");
        Box::pin(async move {
            let written = self.answer(move || self.store.write(writes)).await;
            ended.fetch_add(1, Ordering::Relaxed);
            written
        })
    }

    fn ask(&self, session: SessionId, owner: u64) -> Answer<'_, ()> {
        self.answer(move || self.store.ask(session, owner))
    }

    fn asked(&self, owner: u64) -> Pin<Box<dyn Future<Output = SessionId> + Send + '_>> {
        Box::pin(async move {
            let session = self.store.asked(owner).await;
            let is_away = self.is_away.load(Ordering::Relaxed) || *self.is_silent.borrow();
            match is_away || self.is_deaf.load(Ordering::Relaxed) {
                true => pending().await,
                false => session,
            }
        })
    }

    fn let_go(&self, session: SessionId) -> Answer<'_, ()> {
        self.answer(move || self.store.let_go(session))
    }
}

/// A server, how it reaches the store, and the sessions that begin there.
pub(crate) struct Node {
    pub(crate) network: Arc<Network>,
    pub(crate) begun: Begun,
    pub(crate) reach: Arc<Reach>,
}

/// Servers with one store, of which a client dials one at a time.
pub(crate) struct Nodes {
    pub(crate) nodes: Vec<Node>,
    at: Arc<AtomicUsize>,
}

impl Nodes {
    pub(crate) fn new(store: &Arc<dyn Store>, durable: Durable, count: usize) -> Self {
        let nodes = std::iter::repeat_with(|| {
            let reach = Arc::new(Reach::new(store));
            let stored: Arc<dyn Store> = Arc::<Reach>::clone(&reach);
            let server = server().with_keys(Keys::new([7; 32]));
            let (network, begun) = network(server.with_store(stored, durable));
            Node {
                network,
                begun,
                reach,
            }
        });
        Self {
            nodes: nodes.take(count).collect(),
            at: Arc::default(),
        }
    }

    pub(crate) fn in_memory(durable: Durable, count: usize) -> Self {
        let store: Arc<dyn Store> = Arc::new(session::Memory::new().unwrap());
        Self::new(&store, durable, count)
    }

    /// A link to whichever server it is sent to.
    pub(crate) fn link(&self) -> LinkBuilder {
        let networks: Vec<_> = { self.nodes.iter() }
            .map(|node| Arc::clone(&node.network))
            .collect();
        let at = Arc::clone(&self.at);
        Link::to("ws://a.example/").with_connector(move |_| {
            let line = networks[at.load(Ordering::Relaxed)].dial();
            async move { Ok(line) }
        })
    }

    /// Clients come to this one from now on.
    pub(crate) fn send_to(&self, node: usize) {
        self.at.store(node, Ordering::Relaxed);
    }

    /// The next session that begins at this server.
    pub(crate) async fn begun(&mut self, node: usize) -> Session {
        self.nodes[node].begun.recv().await.unwrap()
    }

    pub(crate) fn server(&self, node: usize) -> session::Server {
        self.nodes[node].network.server.lock().unwrap().clone()
    }

    /// Cuts the connection that a server has, if it has one.
    pub(crate) fn cut(&self, node: usize) {
        let cable = self.nodes[node].network.cable.lock().unwrap().take();
        if let Some(cable) = cable {
            cable.strike(Fault::now(Kind::Fin));
        }
    }

    /// This server does not reach the store any more, or does again.
    pub(crate) fn set_away(&self, node: usize, is_away: bool) {
        self.nodes[node]
            .reach
            .is_away
            .store(is_away, Ordering::Relaxed);
    }

    /// The store says nothing to this server any more, or answers again.
    pub(crate) fn silence(&self, node: usize, is_silent: bool) {
        self.nodes[node].reach.is_silent.send_replace(is_silent);
    }

    /// This server does not hear what others ask it for.
    pub(crate) fn deafen(&self, node: usize) {
        self.nodes[node]
            .reach
            .is_deaf
            .store(true, Ordering::Relaxed);
    }

    /// This server is lost: nothing of it reaches anybody any more, and clients come to the next one.
    pub(crate) fn lose(&self, node: usize) {
        self.set_away(node, true);
        self.send_to(node + 1);
        self.cut(node);
    }
}

/// More than a tick: whatever has changed is in the store.
pub(crate) async fn tick() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// What its client is told when it gets a connection.
pub(crate) async fn attached(session: &mut Session) -> (&'static str, bool) {
    loop {
        match session.event().await.unwrap() {
            Event::Attached(attached) => return (attached.verdict.id(), attached.bound),
            Event::Detached { .. } | Event::GoAway(_) | Event::Volatile(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// How it ends, whatever comes before.
pub(crate) async fn ended(session: &mut Session) -> Arc<SessionEnding> {
    loop {
        if let Event::Ended(ending) = session.event().await.unwrap() {
            return ending;
        }
    }
}

/// The client is told to come again, after a moment.
pub(crate) async fn is_to_come_again(mut socket: WebSocket) {
    let ending = socket.recv().await.unwrap_err();
    assert_eq!(ending.code(), CloseCode::TRY_AGAIN_LATER);
    assert!(
        ending.reason().ends_with("[after=100ms spread=900ms]"),
        "{ending}"
    );
}

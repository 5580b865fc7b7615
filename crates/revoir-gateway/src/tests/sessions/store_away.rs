//! A store that is away, for a while or for good.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use revoir::drain::{Drain, DrainReport};
use revoir::session::{self, Event, Keys, Memory, SessionId, Store};
use revoir_session::Epoch;
use revoir_store::{Answer, StoreError, Stored, Take, Write, Written};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::front::RouteSettings;
use crate::rules::Mode;
use crate::session::SessionSettings;
use crate::tests::operating::Operated;
use crate::tests::sessions::line::Network;
use crate::tests::sessions::{Stage, linked, staged_with, told};
use crate::tests::support::{settings, soon, taken};

/// What becomes of what a store is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Answers,
    /// It is refused.
    Refuses,
    /// It waits.
    Silent,
}

/// A store in memory, as it is reached.
#[derive(Debug)]
struct Moody {
    store: Memory,
    mood: watch::Sender<Mood>,
}

impl Moody {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            store: Memory::new().unwrap(),
            mood: watch::Sender::new(Mood::Answers),
        })
    }

    fn becomes(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    fn answer<'a, T: Send + 'a>(
        &'a self,
        ask: impl FnOnce() -> Answer<'a, T> + Send + 'a,
    ) -> Answer<'a, T> {
        let mut mood = self.mood.subscribe();
        Box::pin(async move {
            let mood = *mood.wait_for(|mood| *mood != Mood::Silent).await.unwrap();
            match mood {
                Mood::Refuses => Err(StoreError::new("away")),
                Mood::Answers | Mood::Silent => ask().await,
            }
        })
    }
}

impl Store for Moody {
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
        self.answer(move || self.store.write(writes))
    }

    fn ask(&self, session: SessionId, owner: u64) -> Answer<'_, ()> {
        self.answer(move || self.store.ask(session, owner))
    }

    fn asked(&self, owner: u64) -> Pin<Box<dyn Future<Output = SessionId> + Send + '_>> {
        self.store.asked(owner)
    }

    fn let_go(&self, session: SessionId) -> Answer<'_, ()> {
        self.answer(move || self.store.let_go(session))
    }
}

fn keyed() -> SessionSettings {
    SessionSettings {
        keys: Some(Keys::new([7; 32])),
        ..SessionSettings::default()
    }
}

#[tokio::test]
async fn whoever_asks_is_told_that_the_store_is_away() {
    let store = Moody::new();
    let shared: Arc<dyn Store> = Arc::<Moody>::clone(&store);
    let with_session = |route| RouteSettings {
        session: Some(keyed()),
        ..route
    };
    let operated = Operated::with(with_session, Some(shared)).await;
    let status = |path: &'static str| operated.request(path, "Host: localhost\r\n", "");
    assert_eq!(status("GET /readyz?store").await.0, 200);
    let network = Arc::new(Network::to(operated.address));
    let mut client = session::Client::new().start(linked(&network)).unwrap();
    let (mut backend, _) = taken(&operated.backend).await;
    store.becomes(Mood::Refuses);
    client.send("1").await.unwrap();
    let Event::Volatile(true) = told(&mut client).await else {
        panic!("not told");
    };
    // Nobody is disconnected, and nothing waits for the store.
    assert_eq!(backend.recv().await, "1");
    let (code, text) = status("GET /readyz?store").await;
    assert_eq!(code, 503);
    assert!(text.starts_with("the store of sessions is away"), "{text}");
    // It counts for who asks.
    assert_eq!(status("GET /readyz").await.0, 200);
    assert_eq!(operated.metrics().await["revoir_session_store_up"], 0.0);
    let connections = operated.connections().await;
    assert_eq!(connections[0]["session"]["volatile"], true);
    store.becomes(Mood::Answers);
    let Event::Volatile(false) = told(&mut client).await else {
        panic!("not told");
    };
    assert_eq!(status("GET /readyz?store").await.0, 200);
    assert_eq!(operated.metrics().await["revoir_session_store_up"], 1.0);
    let connections = operated.connections().await;
    assert_eq!(connections[0]["session"]["volatile"], false);
}

/// A gateway that drains as planned, with a session whose client has been told and whose store says nothing. The clock stands still.
/// The last are its client and its backend, to be kept.
async fn drained_in_silence(plan: Drain) -> (Stage, JoinHandle<DrainReport>, impl Sized) {
    let store = Moody::new();
    let shared: Arc<dyn Store> = Arc::<Moody>::clone(&store);
    let stage = staged_with(settings(Mode::Hold), keyed(), Some(shared)).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    store.becomes(Mood::Silent);
    let gateway = Arc::clone(&stage.between.gateway);
    let draining = tokio::spawn(async move { gateway.drain(plan).await });
    assert_eq!(backend.closed().await.0, 1001);
    backend.close(1001).await;
    let Event::GoAway(_) = told(&mut client).await else {
        panic!("not told");
    };
    tokio::time::pause();
    (stage, draining, (client, backend))
}

#[tokio::test]
async fn a_relay_does_not_wait_for_a_store_that_says_nothing() {
    let (stage, _draining, _ends) = drained_in_silence(Drain::going_away()).await;
    let since = Instant::now();
    while !stage.between.gateway.handles().is_empty() {
        // The kernel needs real time, and a paused clock gives it none.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // It has 5 s to close.
    assert!(since.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_a_store_that_says_nothing() {
    let plan = Drain::going_away().within(Duration::from_secs(1_000_000));
    // Without the signal the store is waited for, as long as sessions may take to leave.
    let (stage, draining, _ends) = drained_in_silence(plan).await;
    let signalled = Instant::now();
    stage.between.gateway.hurry(Duration::ZERO);
    soon(draining).await.unwrap();
    assert!(signalled.elapsed() < Duration::from_secs(5));
}

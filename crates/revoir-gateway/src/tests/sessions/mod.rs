//! Clients with sessions: they come and go, and their backends do not notice.

mod callback;
mod cuts;
mod ending;
mod line;
mod opening;
mod store_away;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use revoir::reconnect::{LinkBuilder, Rule};
use revoir::session::{self, Event, Session, Store};
use revoir::{Cause, Link, Policy};
use revoir_proto::Message;
use revoir_proto::frame::Opcode;
use tokio::net::TcpListener;

use crate::front::RouteSettings;
use crate::rules::Mode;
use crate::session::SessionSettings;
use crate::tests::ports::listen_async;
use crate::tests::sessions::line::{Network, connect};
use crate::tests::support::{
    Between, Raw, Setup, accepted, asked, route, routed, settings, soon, stored as with_store,
    taken,
};

/// A backend, and the gateway in front of it, whose clients may have sessions.
struct Stage {
    backend: TcpListener,
    between: Between,
    network: Arc<Network>,
}

async fn staged(setup: Setup, session: SessionSettings) -> Stage {
    staged_with(setup, session, None).await
}

/// The same, with a store.
async fn staged_with(
    setup: Setup,
    session: SessionSettings,
    store: Option<Arc<dyn Store>>,
) -> Stage {
    let backend = listen_async();
    let route = RouteSettings {
        session: Some(session),
        ..route(backend.local_addr().unwrap(), &setup)
    };
    let between = match store {
        Some(store) => with_store(vec![route], setup.settings, store).await,
        None => routed(vec![route], setup.settings).await,
    };
    let network = Arc::new(Network::to(between.address));
    Stage {
        backend,
        between,
        network,
    }
}

async fn stage(mode: Mode) -> Stage {
    staged(settings(mode), SessionSettings::default()).await
}

impl Stage {
    /// A client that wants a session, and the backend that it gets.
    async fn begin(&self) -> (Session, Raw) {
        let client = session::Client::new().start(self.link()).unwrap();
        let (mut backend, head) = asked(&self.backend).await;
        accepted(&mut backend, &head, "").await;
        (client, backend)
    }

    /// Its connection ends, and no other one comes about.
    async fn lose_the_client(&self) {
        self.network.is_down(true);
        self.network.cut(line::How::Fin);
        away(&self.between, 1).await;
    }

    fn link(&self) -> LinkBuilder {
        linked(&self.network)
    }
}

/// A client's way to its gateway.
fn linked(network: &Arc<Network>) -> LinkBuilder {
    let network = Arc::clone(network);
    // Nobody waits for a client that comes back.
    let lost = [
        Cause::Eof,
        Cause::Reset,
        Cause::WriteFailed,
        Cause::HandshakeEof,
        Cause::HandshakeReset,
    ];
    let at_once = Duration::from_millis(1);
    let policy = lost.into_iter().fold(Policy::new(), |policy, cause| {
        policy.with_rule(Rule::cause(cause).with_delay(at_once..=at_once))
    });
    Link::to("ws://chat.example/chat?a=b")
        .with_policy(policy)
        .with_connector(move |_| connect(Arc::clone(&network)))
}

/// The text of the next message; what becomes of connections meanwhile is passed over.
async fn text(session: &mut Session) -> String {
    match told(session).await {
        Event::Message {
            message: Message::Text(text),
            ..
        } => text.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// The next event that is not of connections coming and going.
async fn told(session: &mut Session) -> Event {
    soon(async {
        loop {
            match session.event().await.unwrap() {
                Event::Attached(_) | Event::Detached { .. } => {}
                other => return other,
            }
        }
    })
    .await
}

/// What becomes of the session that was wanted.
async fn verdict(session: &mut Session) -> &'static str {
    soon(async {
        loop {
            if let Event::Attached(attached) = session.event().await.unwrap() {
                return attached.verdict.id();
            }
        }
    })
    .await
}

/// Waits until the gateway has noticed that so many clients are away.
async fn away(between: &Between, clients: usize) {
    soon(async {
        while between.gateway.overview().sessions.detached != clients {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_and_comes_back_misses_nothing() {
    let stage = stage(Mode::Auto).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    backend.text("a").await;
    assert_eq!(text(&mut client).await, "a");
    stage.network.is_down(true);
    stage.network.cut(line::How::Rst);
    away(&stage.between, 1).await;
    // The backend sees a client that is there.
    backend.text("b").await;
    backend.send(Opcode::Binary, b"c").await;
    backend.send(Opcode::Ping, b"there?").await;
    let pong = backend.frame().await.unwrap();
    assert_eq!(pong, (Opcode::Pong, b"there?".to_vec()));
    client.send("2").await.unwrap();
    stage.network.is_down(false);
    assert_eq!(text(&mut client).await, "b");
    let Event::Message { message, .. } = told(&mut client).await else {
        panic!("no message");
    };
    assert_eq!(message, Message::Binary(b"c".to_vec().into()));
    assert_eq!(backend.recv().await, "2");
    let handles = stage.between.gateway.handles();
    let status = handles[0].session().unwrap().status();
    assert!(status.is_attached && status.generation >= 2, "{status:?}");
}

#[tokio::test]
async fn what_is_too_much_for_a_client_that_is_away_ends_its_session() {
    let session = narrow(2, session::Overflow::Expire);
    let stage = staged(settings(Mode::Auto), session).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    stage.lose_the_client().await;
    for _ in 0..3 {
        backend.text("too much").await;
    }
    // Its backend is told, too.
    let (code, _) = backend.closed().await;
    assert_eq!(code, 1001);
    stage.network.is_down(false);
    let (mut next, head) = asked(&stage.backend).await;
    accepted(&mut next, &head, "").await;
    assert_eq!(verdict(&mut client).await, "new");
    assert_eq!(verdict(&mut client).await, "fresh:overflow");
}

/// A session whose window has room for so many messages.
fn narrow(messages: u64, overflow: session::Overflow) -> SessionSettings {
    SessionSettings {
        window: session::Window {
            messages,
            bytes: 1000,
        },
        overflow,
        ..SessionSettings::default()
    }
}

/// What a route does with too much, for a client whose window was full before it went away. Its messages are `1` to `9`.
async fn full_and_gone(overflow: session::Overflow) -> (Stage, Session, Raw) {
    let stage = staged(settings(Mode::Auto), narrow(3, overflow)).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("0").await.unwrap();
    assert_eq!(backend.recv().await, "0");
    // It takes nothing, so nothing is acknowledged: all the backend can do is wait.
    for number in 1..=9 {
        backend.text(&number.to_string()).await;
    }
    soon(async {
        while stage.between.gateway.handles()[0]
            .session()
            .unwrap()
            .status()
            .kept_messages
            < 3
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stage.lose_the_client().await;
    (stage, client, backend)
}

#[tokio::test]
async fn a_message_that_waits_is_too_much_once_the_client_goes() {
    let (stage, mut client, mut backend) = full_and_gone(session::Overflow::Expire).await;
    assert_eq!(backend.closed().await.0, 1001);
    stage.network.is_down(false);
    let (_next, _) = taken(&stage.backend).await;
    assert_eq!(verdict(&mut client).await, "new");
    assert_eq!(verdict(&mut client).await, "fresh:overflow");
}

#[tokio::test]
async fn a_message_that_waits_takes_the_place_of_the_oldest_once_the_client_goes() {
    let (stage, mut client, _backend) = full_and_gone(session::Overflow::DropOldest).await;
    let watcher = stage.between.gateway.handles().remove(0);
    soon(async {
        while watcher.session().unwrap().status().sent < 9 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stage.network.is_down(false);
    let (mut texts, mut missing) = (Vec::new(), 0);
    while texts.last().is_none_or(|last| last != "9") {
        match told(&mut client).await {
            Event::Message {
                message: Message::Text(text),
                ..
            } => texts.push(text.as_str().to_owned()),
            Event::Gap { count, .. } => missing += count,
            other => panic!("{other:?}"),
        }
    }
    // What it had before it went is not missing, whatever was dropped here.
    assert_eq!(texts.len() as u64 + missing, 9, "{texts:?}");
    assert_eq!(texts[texts.len() - 2..], ["8", "9"]);
}

#[tokio::test]
async fn a_message_that_waits_goes_on_waiting_where_the_route_says_so() {
    let (stage, mut client, _backend) = full_and_gone(session::Overflow::Wait).await;
    stage.network.is_down(false);
    for number in 1..=9 {
        assert_eq!(text(&mut client).await, number.to_string());
    }
}

#[tokio::test]
async fn a_backend_waits_or_loses_its_oldest_messages_as_the_route_says() {
    for (overflow, expected) in [
        (session::Overflow::Wait, ["1", "2", "3", "4"]),
        (session::Overflow::DropOldest, ["", "", "3", "4"]),
    ] {
        // A gap takes the place of a message.
        let stage = staged(settings(Mode::Auto), narrow(3, overflow)).await;
        let (mut client, mut backend) = stage.begin().await;
        client.send("0").await.unwrap();
        assert_eq!(backend.recv().await, "0");
        stage.lose_the_client().await;
        for number in 1..=4 {
            backend.text(&number.to_string()).await;
        }
        // All of them have come, or wait.
        soon(async {
            while stage.between.gateway.overview().from_backends.messages < 4 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        stage.network.is_down(false);
        let mut missing = 0;
        for expected in expected {
            if expected.is_empty() {
                missing += 1;
                continue;
            }
            if missing > 0 {
                let Event::Gap { count, .. } = told(&mut client).await else {
                    panic!("no gap");
                };
                // The newest ones are kept, whatever the client was told before.
                assert_eq!(count, missing);
                missing = 0;
            }
            assert_eq!(text(&mut client).await, expected);
        }
    }
}

#[tokio::test]
async fn a_session_expires_and_its_backend_is_told() {
    let session = SessionSettings {
        ttl: Duration::from_secs(7),
        ..SessionSettings::default()
    };
    let stage = staged(settings(Mode::Auto), session).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    stage.lose_the_client().await;
    crate::tests::support::pass(Duration::from_secs(8)).await;
    let (code, reason) = backend.closed().await;
    assert_eq!((code, &*reason), (1001, "the client's connection was lost"));
}

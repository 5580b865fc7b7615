//! A server that stands between its clients and something else: it is asked before WELCOME, is polled, and says on whose account
//! it ends a session.

use std::future::{poll_fn, ready};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use revoir::session::{
    self, Accepted, BackendChanged, Bye, Close, Event, GoAway, Loss, Opening, Origin, Principal,
    Session, SessionEnding,
};
use revoir::{Acceptor, Incoming, Link, Message, Reason, SendCode};
use tokio::sync::mpsc;

use super::line::{self, Fault, Kind};
use super::{HOUR, network, server, text, within};

const SOON: Duration = Duration::from_secs(7);

/// What the next client is answered, and the sessions that begin.
type Answer = Result<Option<String>, Close>;

/// A client of a server that answers `answer`, and what it was asked.
async fn asked(answer: Answer) -> (Session, Opening, mpsc::UnboundedReceiver<Session>) {
    let (sessions, begun) = mpsc::unbounded_channel();
    let (openings, mut opened) = mpsc::unbounded_channel();
    let answer = Arc::new(Mutex::new(answer));
    let link = Link::to("ws://a.example/").with_connector(move |_| {
        let (near, far, _) = line::pair(None);
        let (sessions, openings) = (sessions.clone(), openings.clone());
        let answer = answer.lock().unwrap().clone();
        tokio::spawn(async move {
            let decide = async |incoming: Incoming| {
                server().run_as(incoming, Principal::NONE, move |opening: Opening| {
                    openings.send(opening).unwrap();
                    ready(answer.map(|protocol| {
                        let handler = move |session: Session| async move {
                            let _ = sessions.send(session);
                            sessions.closed().await;
                            Ok::<_, Arc<SessionEnding>>(())
                        };
                        Accepted::new(handler)
                            .with_protocol(protocol)
                            .with_headers(Some("set-cookie: a=1".to_owned()))
                    }))
                })
            };
            let _ = Acceptor::new().accept_incoming(far, decide).await;
        });
        async move { Ok(near) }
    });
    let client = session::Client::new()
        .with_subprotocol("chat.v2")
        .with_header("X-A", "1");
    let client = client.start(link).unwrap();
    (client, opened.recv().await.unwrap(), begun)
}

#[tokio::test(start_paused = true)]
async fn a_server_is_asked_with_what_hello_says_before_it_welcomes() {
    let (mut client, opening, mut begun) = asked(Ok(Some("chat.v2".to_owned()))).await;
    assert_eq!(opening.verdict.id(), "new");
    assert_eq!(opening.protocols.as_deref(), Some("chat.v2"));
    assert_eq!(opening.headers.as_deref(), Some("X-A: 1"));
    let Some(Event::Attached(attached)) = client.event().await else {
        panic!("no welcome");
    };
    assert_eq!(attached.protocol.as_deref(), Some("chat.v2"));
    assert_eq!(attached.headers.as_deref(), Some("set-cookie: a=1"));
    assert!(begun.recv().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_welcome_never_begins() {
    let close = Close {
        code: SendCode::try_from(3003).unwrap(),
        reason: "HTTP 403 Forbidden".to_owned(),
    };
    let (mut client, _, mut begun) = asked(Err(close)).await;
    let over = client.recv().await.unwrap_err();
    // The policy does not come back after this code.
    let SessionEnding::GaveUp { ending, .. } = &*over else {
        panic!("{over}");
    };
    let received = ending.received.unwrap();
    assert_eq!(received.code().get(), 3003);
    assert_eq!(&**received.reason(), "HTTP 403 Forbidden");
    assert!(begun.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_polled_wakes_whoever_polls() {
    let (network, mut begun) = network(server().with_window(session::Window {
        messages: 1,
        bytes: 1000,
    }));
    let mut client = session::Client::new().start(network.link()).unwrap();
    client.send("1").await.unwrap();
    let mut at_server = begun.recv().await.unwrap();
    loop {
        match poll_fn(|cx| at_server.poll_event(cx)).await.unwrap() {
            Event::Message { message, .. } => break assert_eq!(message, text("1")),
            Event::Attached(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let waiting = poll_fn(|cx| at_server.poll_event(cx));
    tokio::select! {
        biased;
        event = waiting => panic!("{event:?}"),
        sent = client.send("2") => drop(sent.unwrap()),
    }
    assert!(matches!(
        poll_fn(|cx| at_server.poll_event(cx)).await,
        Some(Event::Message { .. })
    ));
    // Its window has one place.
    for number in 0..3 {
        let message = Message::from(number.to_string());
        poll_fn(|cx| at_server.poll_send(cx, &message))
            .await
            .unwrap();
        assert_eq!(client.recv().await.unwrap(), message);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_ends_a_session_says_on_whose_account() {
    let (network, mut begun) = network(server());
    let mut client = session::Client::new().start(network.link()).unwrap();
    let mut at_server = begun.recv().await.unwrap();
    let watcher = at_server.watcher();
    assert!(watcher.status().is_attached);
    let change = BackendChanged {
        written: 3,
        received: 2,
        maybe_lost: 1,
    };
    at_server.send("before").await.unwrap();
    at_server.backend_changed(change);
    at_server.send("behind").await.unwrap();
    at_server.close_as(Bye {
        origin: Origin::Backend,
        code: SendCode::try_from(4001).unwrap(),
        reason: "x".repeat(200),
    });
    let mut events = Vec::new();
    while let Some(event) = client.event().await {
        match event {
            Event::Attached(_) | Event::Detached { .. } => {}
            Event::Message { message, .. } => events.push(message.as_text().unwrap().to_owned()),
            Event::BackendChanged(told) => events.push(format!("{}", told == change)),
            Event::Ended(ending) => {
                let bye = ending.bye().unwrap();
                assert_eq!((bye.origin, bye.reason.len()), (Origin::Backend, 123));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(events, ["before", "true", "behind"]);
    within(HOUR, poll_fn(|cx| at_server.poll_left(cx))).await;
    assert!(watcher.status().is_over);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_lost_says_when_to_come_back_and_why_it_is_fresh() {
    let (network, mut begun) = network(server());
    let mut client = session::Client::new().start(network.link()).unwrap();
    let at_server = begun.recv().await.unwrap();
    let code = SendCode::SERVICE_RESTART;
    let goaway = GoAway {
        origin: Origin::Gateway,
        code,
        resumable: false,
        after: SOON,
        spread: Duration::ZERO,
        reason: String::new(),
    };
    assert!(matches!(client.event().await, Some(Event::Attached(_))));
    let began = tokio::time::Instant::now();
    at_server.lose(Loss::Backend, Some(goaway), code, Reason::truncated("gone"));
    assert!(matches!(client.event().await, Some(Event::GoAway(told)) if told.after == SOON));
    let Some(Event::Detached { ending, .. }) = client.event().await else {
        panic!("not closed");
    };
    assert_eq!(ending.received.unwrap().code().get(), 1012);
    let Some(Event::Attached(attached)) = client.event().await else {
        panic!("did not come back");
    };
    assert_eq!(attached.verdict.id(), "fresh:backend");
    assert!(began.elapsed() >= SOON);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_left_is_left_at_once_if_its_client_is_away() {
    let (network, mut begun) = network(server());
    let client = session::Client::new().start(network.link()).unwrap();
    let mut at_server = begun.recv().await.unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(at_server.poll_left(&mut cx).is_pending());
    network.cut(Fault::now(Kind::Fin));
    drop(client);
    tokio::time::sleep(Duration::from_millis(1)).await;
    at_server.lose(Loss::Backend, None, SendCode::INTERNAL_ERROR, Reason::EMPTY);
    assert_eq!(at_server.poll_left(&mut cx), Poll::Ready(()));
}

#[tokio::test(start_paused = true)]
async fn a_meter_counts_what_is_kept() {
    let kept = Arc::new(AtomicI64::new(0));
    let meter = Arc::clone(&kept);
    let server = server().with_meter(move |change| {
        meter.fetch_add(change, Ordering::Relaxed);
    });
    let (network, mut begun) = network(server);
    let mut client = session::Client::new().start(network.link()).unwrap();
    let mut at_server = begun.recv().await.unwrap();
    at_server.send("x".repeat(1000)).await.unwrap();
    assert!(kept.load(Ordering::Relaxed) >= 1000);
    client.recv().await.unwrap();
    at_server.flush().await.unwrap();
    let counts = network.server.lock().unwrap().counts();
    assert_eq!(kept.load(Ordering::Relaxed), counts.kept_bytes as i64);
    assert!(kept.load(Ordering::Relaxed) < 1000);
}

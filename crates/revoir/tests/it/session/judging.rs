//! Which session a connection gets, and which it does not.

use std::time::Duration;

use revoir::session::{self, Event, Fate, Loss, SessionEnding, Verdict};
use revoir::{CloseCode, Message};
use revoir_session::Ended;

use super::line::{Fault, Kind};
use super::raw::Raw;
use super::{HOUR, network, server, text, told};

#[tokio::test(start_paused = true)]
async fn a_takeover_ends_the_connection_before_with_4090() {
    let (network, mut begun) = network(server());
    let mut raw = Raw::new();
    let mut old = raw.connect(&network, "").await;
    let mut at_server = begun.recv().await.unwrap();
    at_server.send("one").await.unwrap();
    raw.read(&mut old).await.unwrap();
    let mut new = raw.connect(&network, "").await;
    assert_eq!(raw.verdict(), "resumed");
    // What it still says, if it can, is late.
    let _ = old.send("late").await;
    let ending = loop {
        if let Err(ending) = old.recv().await {
            break ending;
        }
    };
    assert_eq!(ending.code(), CloseCode::from(4090));
    new.send("in time").await.unwrap();
    assert_eq!(at_server.recv().await.unwrap(), text("in time"));
    assert!(begun.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_of_another_history_ends_the_connection_that_there_is() {
    let (network, mut begun) = network(server());
    let mut raw = Raw::new();
    let mut old = raw.connect(&network, "").await;
    let _at_server = begun.recv().await.unwrap();
    // A client of the same session that says it has had more than there ever was.
    let token = raw.session.export(Duration::ZERO).token.unwrap();
    let hello = revoir_session::Hello {
        resume: Some(revoir_session::Resume {
            token,
            received: 7,
            acked: 0,
            sent: 0,
            attempt: 2,
            volatile: false,
        }),
        window: revoir_session::Window::DEFAULT,
        ttl: None,
        protocols: None,
        headers: None,
    };
    let mut new = Raw::open(&network, "").await;
    new.send(Message::Binary(hello.encode())).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(1), old.recv()).await;
    assert_eq!(told.unwrap().unwrap_err().code(), CloseCode::from(4090));
    begun.recv().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_session_of_another_principal_is_not_told_of() {
    let (network, mut begun) = network(server());
    let mut raw = Raw::new();
    let _alice = raw.connect(&network, "?alice").await;
    assert_eq!(raw.verdict(), "new");
    let _bob = raw.connect(&network, "?bob").await;
    assert_eq!(raw.verdict(), "fresh:unknown");
    let (mut first, _second) = (begun.recv().await.unwrap(), begun.recv().await.unwrap());
    assert!(matches!(first.event().await, Some(Event::Attached(_))));
    assert!(first.is_attached(), "hers goes on");
}

#[tokio::test(start_paused = true)]
async fn ten_forged_tokens_in_a_minute_are_enough() {
    let (network, mut begun) = network(server());
    let mut stranger = Raw::new();
    let (other, _begun) = super::network(server());
    let _elsewhere = stranger.connect(&other, "").await;
    let snapshot = stranger.session.export(Duration::ZERO);
    for attempt in 0..11 {
        let config = revoir_session::Config::default();
        let copy = revoir_session::Session::import(Duration::ZERO, config, snapshot.clone());
        let mut raw = Raw {
            session: copy.unwrap(),
        };
        let mut socket = Raw::open(&network, "").await;
        raw.session.connect(Duration::ZERO, None, None).unwrap();
        raw.write(&mut socket).await;
        match raw.read(&mut socket).await {
            Ok(()) => assert_eq!(raw.verdict(), "fresh:unknown"),
            Err(ending) => {
                assert_eq!(attempt, 10);
                assert_eq!(ending.code(), CloseCode::POLICY_VIOLATION);
            }
        }
    }
    for _ in 0..10 {
        assert!(begun.recv().await.is_some());
    }
    assert!(begun.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn nobody_comes_back_in_time() {
    let (network, mut begun) = network(server().with_ttl(Duration::from_secs(30)));
    let mut raw = Raw::new();
    let socket = raw.connect(&network, "").await;
    let mut at_server = begun.recv().await.unwrap();
    drop(socket);
    while !matches!(at_server.event().await, Some(Event::Detached { .. })) {}
    let since = tokio::time::Instant::now();
    at_server.send("never").await.unwrap();
    let Event::Returned { message, fate, .. } = told(&mut at_server).await else {
        panic!("it comes back");
    };
    assert_eq!((message, fate), (text("never"), Fate::NotTaken));
    let ending = at_server.recv().await.unwrap_err();
    let SessionEnding::Ended(Ended::Lost(Loss::Expired)) = &*ending else {
        panic!("{ending}");
    };
    assert_eq!(since.elapsed().as_secs(), 30);
    let counts = network.server.lock().unwrap().counts();
    assert_eq!((counts.attached, counts.detached), (0, 0));
    raw.events();
    // It is remembered, so that its client is told how much was lost.
    let _socket = raw.connect(&network, "").await;
    let welcomed = raw.events().into_iter().find_map(|event| match event {
        revoir_session::Event::Welcome(welcome) => Some(welcome),
        _ => None,
    });
    let welcome = welcomed.unwrap();
    assert_eq!((welcome.verdict, welcome.lost), (Verdict::Expired, Some(1)));
}

#[tokio::test(start_paused = true)]
async fn after_the_loss_of_a_server_what_is_in_doubt_comes_back_with_its_key() {
    let keys = session::Keys::new([7; 32]);
    let (network, mut begun) = network(server().with_keys(keys.clone()));
    let mut client = session::Client::new().start(network.link()).unwrap();
    client.send("taken").await.unwrap();
    let mut at_server = begun.recv().await.unwrap();
    assert_eq!(at_server.recv().await.unwrap(), text("taken"));
    client.flush().await.unwrap();
    let key = client.send("in doubt").await.unwrap();
    tokio::task::yield_now().await;
    // The process is lost, and another one begins.
    *network.server.lock().unwrap() = server().with_keys(keys);
    network.cut(Fault::now(Kind::Silence));
    let next = client.send("written or not").await.unwrap();
    let mut back = Vec::new();
    let verdict = loop {
        match client.event().await.unwrap() {
            Event::Attached(attached) if attached.generation == 1 && !back.is_empty() => {
                break attached.verdict;
            }
            Event::Attached(attached) if attached.verdict.is_fresh() => {
                back.push(attached.verdict.id().to_owned());
            }
            Event::Returned { key, fate, .. } => back.push(format!("{} {}", key.number, fate.id())),
            _ => {}
        }
        if back.len() == 3 {
            break Verdict::Epoch;
        }
    };
    assert_eq!(verdict, Verdict::Epoch);
    let of = |key: session::Key| format!("{} in-doubt", key.number);
    assert_eq!(back, ["fresh:epoch".to_owned(), of(key), of(next)]);
    client.send("to the new one").await.unwrap();
    let mut at_server = begun.recv().await.unwrap();
    assert_eq!(at_server.recv().await.unwrap(), text("to the new one"));
}

#[tokio::test(start_paused = true)]
async fn there_are_no_more_sessions_than_may_be() {
    let (network, mut begun) = network(server().with_max_sessions(2));
    let (mut one, mut two) = (Raw::new(), Raw::new());
    let _first = one.connect(&network, "").await;
    let mut second = two.connect(&network, "").await;
    let mut third = Raw::open(&network, "").await;
    let mut raw = Raw::new();
    raw.session.connect(Duration::ZERO, None, None).unwrap();
    raw.write(&mut third).await;
    let ending = third.recv().await.unwrap_err();
    assert_eq!(ending.code(), CloseCode::TRY_AGAIN_LATER);
    assert!(ending.reason().ends_with("[after=5000ms spread=15000ms]"));
    // One that is over makes room.
    two.session
        .bye(session::Bye {
            origin: session::Origin::Application,
            code: revoir::SendCode::NORMAL_CLOSURE,
            reason: String::new(),
        })
        .unwrap();
    two.write(&mut second).await;
    second.recv().await.unwrap();
    drop(second);
    let mut third = Raw::new();
    let _sessions = [begun.recv().await, begun.recv().await];
    tokio::time::sleep(Duration::from_secs(1)).await;
    let _socket = third.connect(&network, "").await;
    assert_eq!(third.verdict(), "new");
}

#[tokio::test(start_paused = true)]
async fn the_bytes_that_are_kept_for_clients_that_are_away_are_bounded() {
    let (network, mut begun) = network(server().with_max_kept_bytes(100_000).with_ttl(HOUR));
    let mut sessions = Vec::new();
    for _ in 0..10 {
        let mut raw = Raw::new();
        drop(raw.connect(&network, "").await);
        let mut session = begun.recv().await.unwrap();
        while !matches!(session.event().await, Some(Event::Detached { .. })) {}
        let message = Message::Binary(vec![1; 20_000].into());
        // The longest away go first.
        tokio::time::sleep(Duration::from_secs(1)).await;
        session.send(message).await.unwrap();
        sessions.push(session);
        let counts = network.server.lock().unwrap().counts();
        assert!(counts.kept_bytes <= 100_000, "{counts:?}");
    }
    assert_eq!(network.server.lock().unwrap().counts().detached, 4);
    let ending = sessions[0].recv().await.unwrap_err();
    assert!(ending.to_string().contains("fresh:overflow"), "{ending}");
}

#[tokio::test(start_paused = true)]
async fn what_handlers_have_not_taken_counts_too() {
    let (network, mut begun) = network(server().with_max_kept_bytes(50_000));
    let mut raw = Raw::new();
    let mut socket = raw.connect(&network, "").await;
    let mut at_server = begun.recv().await.unwrap();
    let mut sent = 0;
    let ending = loop {
        let message = Message::Binary([&[0][..], &[1; 9_999]].concat().into());
        if socket.send(message).await.is_err() {
            break socket.recv().await.unwrap_err();
        }
        sent += 1;
        tokio::task::yield_now().await;
        let counts = network.server.lock().unwrap().counts();
        assert!(counts.kept_bytes <= 60_000, "{counts:?}");
        assert!(sent < 100);
    };
    assert_eq!(ending.code(), CloseCode::GOING_AWAY);
    while let Some(event) = at_server.event().await {
        if let Event::Ended(ending) = event {
            assert!(ending.to_string().contains("fresh:overflow"), "{ending}");
        }
    }
    let counts = network.server.lock().unwrap().counts();
    assert_eq!(counts.kept_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn header_fields_inside_of_the_session_reach_the_application() {
    let server = server().with_subprotocol("chat.v2");
    let (network, mut begun) = network(server);
    let client = session::Client::new()
        .with_subprotocol("chat.v1")
        .with_subprotocol("chat.v2")
        .with_header("x-room", "a\r\nb")
        .with_header("x-seat", "7");
    let mut client = client.start(network.link()).unwrap();
    let mut at_server = begun.recv().await.unwrap();
    for (session, headers) in [
        (&mut client, None),
        (&mut at_server, Some("x-room: a  b\nx-seat: 7")),
    ] {
        let Some(Event::Attached(attached)) = session.event().await else {
            panic!("it is attached first");
        };
        assert_eq!(attached.protocol.as_deref(), Some("chat.v2"));
        assert_eq!(attached.headers.as_deref(), headers);
    }
}

//! How sessions end: by either application, by failures, by drains.

use std::sync::Arc;
use std::time::Duration;

use revoir::drain::Drain;
use revoir::session::{self, Event, SessionEnding, Violation};
use revoir::{Acceptor, CloseCode, Message, Reason, SendCode};
use revoir_session::Ended;

use super::line::{Fault, Kind};
use super::raw::Raw;
use super::{HOUR, line, network, server, text, within};

#[tokio::test(start_paused = true)]
async fn the_server_closes_behind_what_it_sent_and_the_client_stays_away() {
    let (network, mut begun) = network(server());
    let mut client = session::Client::new().start(network.link()).unwrap();
    let mut at_server = begun.recv().await.unwrap();
    network.cut(Fault::now(Kind::Fin));
    at_server.send("last").await.unwrap();
    let code = SendCode::try_from(4001).unwrap();
    let closing = at_server.close(code, Reason::new("done").unwrap());
    assert_eq!(client.recv().await.unwrap(), text("last"));
    let ending = client.recv().await.unwrap_err();
    assert_eq!(ending.bye().unwrap().code, code);
    assert_eq!(closing.await.bye().unwrap().reason, "done");
    drop(client);
    tokio::time::sleep(HOUR).await;
    assert!(begun.try_recv().is_err());
    let counts = network.server.lock().unwrap().counts();
    assert_eq!((counts.attached, counts.detached), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn handles_that_are_dropped_say_goodbye() {
    let (network, mut begun) = network(server());
    let mut client = session::Client::new().start(network.link()).unwrap();
    client.send("kept until it is there").await.unwrap();
    let mut at_server = begun.recv().await.unwrap();
    drop(client);
    let message = at_server.recv().await.unwrap();
    assert_eq!(message, text("kept until it is there"));
    let ending = at_server.recv().await.unwrap_err();
    assert_eq!(ending.bye().unwrap().code, SendCode::NORMAL_CLOSURE);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_on_a_dead_connection_says_goodbye_on_the_next_one() {
    let (network, mut begun) = network(server());
    let mut client = session::Client::new().start(network.link()).unwrap();
    let mut at_server = begun.recv().await.unwrap();
    network.cut(Fault::now(Kind::Silence));
    client.send("?").await.unwrap();
    let closing = client.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    assert_eq!(at_server.recv().await.unwrap(), text("?"));
    let ending = at_server.recv().await.unwrap_err();
    assert_eq!(ending.bye().unwrap().code, SendCode::NORMAL_CLOSURE);
    let ending = within(Duration::from_secs(20), closing).await;
    assert!(ending.bye().is_some(), "{ending}");
}

/// A session whose server is gone for good after the first connection.
async fn left_behind() -> session::Session {
    let (network, mut begun) = network(server());
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let of_link = Arc::clone(&network);
    let link = revoir::Link::to("ws://a.example/").with_connector(move |_| {
        let is_first = is_first.swap(false, std::sync::atomic::Ordering::Relaxed);
        let line = is_first.then(|| of_link.dial());
        async move { line.ok_or_else(|| std::io::ErrorKind::ConnectionRefused.into()) }
    });
    let client = session::Client::new().start(link).unwrap();
    drop(begun.recv().await.unwrap());
    network.cut(Fault::now(Kind::Silence));
    client
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_server_is_gone_gives_up_once_its_session_has_expired_there() {
    let mut client = left_behind().await;
    client.send("?").await.unwrap();
    let since = tokio::time::Instant::now();
    let closing = client.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    let ending = within(HOUR, closing).await;
    assert!(matches!(*ending, SessionEnding::Abandoned), "{ending}");
    let took = since.elapsed().as_secs();
    assert!((120..140).contains(&took), "{took}");
    loop {
        match client.event().await.unwrap() {
            Event::Returned { message, .. } => break assert_eq!(message, text("?")),
            Event::Attached(_) | Event::Detached { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_never_welcomed_and_has_nothing_to_say_closes_at_once() {
    let link = revoir::Link::to("ws://a.example/").with_connector(|_| async {
        Err::<line::Line, _>(std::io::ErrorKind::ConnectionRefused.into())
    });
    let client = session::Client::new().start(link).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let closing = client.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    let ending = within(Duration::from_secs(1), closing).await;
    assert!(matches!(*ending, SessionEnding::Abandoned), "{ending}");
}

/// What a client sees of a server with this handler.
async fn ending_with<F>(handler: fn(session::Session) -> F) -> Arc<SessionEnding>
where
    F: Future<Output = Result<(), std::io::Error>> + Send + 'static,
{
    let sessions = server();
    let link = revoir::Link::to("ws://a.example/").with_connector(move |_| {
        let (near, far, _cable) = line::pair(None);
        let sessions = sessions.clone();
        tokio::spawn(async move {
            let decide = async |incoming| sessions.run(incoming, handler);
            let _ = Acceptor::new().accept_incoming(far, decide).await;
        });
        async move { Ok(near) }
    });
    let mut client = session::Client::new().start(link).unwrap();
    client.recv().await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_fails_panics_or_returns_ends_its_session() {
    let code = |ending: Arc<SessionEnding>| ending.bye().unwrap().code.get();
    assert_eq!(code(ending_with(|_| async { Ok(()) }).await), 1001);
    let failing = |_| async { Err(std::io::ErrorKind::NotFound.into()) };
    assert_eq!(code(ending_with(failing).await), 1011);
    let panicking = |_| async { panic!("on purpose") };
    assert_eq!(code(ending_with(panicking).await), 1011);
    let at_once: fn(_) -> std::future::Ready<_> = |_| panic!("before there is a future");
    assert_eq!(code(ending_with(at_once).await), 1011);
}

#[tokio::test(start_paused = true)]
async fn a_drain_says_before_its_close_frame_that_the_session_goes() {
    let (network, mut begun) = network(server());
    let mut raw = Raw::new();
    let mut socket = raw.connect(&network, "").await;
    let _at_server = begun.recv().await.unwrap();
    raw.events();
    let drained = tokio::spawn(network.acceptor.tracker().drain(Drain::restart()));
    raw.read(&mut socket).await.unwrap();
    let [revoir_session::Event::GoAway(goaway)] = &raw.events()[..] else {
        panic!("GOAWAY comes first");
    };
    assert_eq!((goaway.code.get(), goaway.resumable), (1012, false));
    assert!(goaway.after >= Duration::from_secs(4), "{goaway:?}");
    let ending = raw.read(&mut socket).await.unwrap_err();
    assert_eq!(ending.code(), CloseCode::SERVICE_RESTART);
    assert!(ending.reason().contains("[after="), "{ending}");
    assert_eq!(drained.await.unwrap().answered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_breaks_a_rule_is_told_which() {
    let (network, mut begun) = network(server());
    let mut raw = Raw::new();
    let mut socket = raw.connect(&network, "").await;
    let mut at_server = begun.recv().await.unwrap();
    socket.send(Message::Binary(vec![12].into())).await.unwrap();
    let ending = socket.recv().await.unwrap_err();
    assert_eq!(ending.code(), CloseCode::from(4094));
    assert_eq!(ending.reason(), "session protocol error: unknown-type");
    let ending = at_server.recv().await.unwrap_err();
    let SessionEnding::Ended(Ended::Violation(Violation::UnknownType)) = &*ending else {
        panic!("{ending}");
    };
}

#[tokio::test(start_paused = true)]
async fn hello_comes_first_and_in_time() {
    let (network, _begun) = network(server());
    let mut socket = Raw::open(&network, "").await;
    let ending = socket.recv().await.unwrap_err();
    assert_eq!((ending.code().get(), ending.open_for.as_secs()), (3008, 10));
    let mut socket = Raw::open(&network, "").await;
    socket.send("hello").await.unwrap();
    let ending = socket.recv().await.unwrap_err();
    assert_eq!(ending.reason(), "session protocol error: out-of-order");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_sessions_is_no_server_of_a_session() {
    let link = revoir::Link::to("ws://a.example/").with_connector(|_| {
        let (near, far, _cable) = line::pair(None);
        tokio::spawn(async move {
            if let Ok(mut socket) = revoir::accept(far).await {
                let _ = socket.recv().await;
            }
        });
        async move { Ok(near) }
    });
    let mut client = session::Client::new().start(link).unwrap();
    let ending = client.recv().await.unwrap_err();
    assert!(matches!(*ending, SessionEnding::NotSpoken), "{ending}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_speak_sessions_is_refused() {
    let (network, _begun) = network(server());
    let client = revoir::Client::new();
    let refused = client.connect_over("ws://a.example/", network.dial()).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("400"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn when_the_link_gives_up_so_does_the_session() {
    let link = revoir::Link::to("ws://a.example/")
        .with_policy(revoir::Policy::new().with_max_attempts(0))
        .with_connector(|_| async {
            Err::<line::Line, _>(std::io::ErrorKind::ConnectionRefused.into())
        });
    let mut client = session::Client::new().start(link).unwrap();
    client.send("kept").await.unwrap();
    assert!(matches!(client.event().await, Some(Event::Returned { .. })));
    let ending = client.recv().await.unwrap_err();
    assert!(matches!(*ending, SessionEnding::GaveUp { .. }), "{ending}");
}

#[tokio::test(start_paused = true)]
async fn when_the_last_server_is_gone_handlers_learn_of_it() {
    let (network, mut begun) = network(server());
    let mut raw = Raw::new();
    drop(raw.connect(&network, "").await);
    let mut at_server = begun.recv().await.unwrap();
    while !matches!(at_server.event().await, Some(Event::Detached { .. })) {}
    *network.server.lock().unwrap() = server();
    at_server.recv().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_has_not_taken_its_sender_gets_back() {
    let (network, mut begun) = network(server());
    let mut client = session::Client::new().start(network.link()).unwrap();
    for number in 1..=10 {
        client.send(format!("{number}")).await.unwrap();
    }
    let mut at_server = begun.recv().await.unwrap();
    assert_eq!(at_server.recv().await.unwrap(), text("1"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let closing = at_server.close(SendCode::INTERNAL_ERROR, Reason::EMPTY);
    let mut back = Vec::new();
    loop {
        match client.event().await.unwrap() {
            Event::Returned { key, fate, .. } => back.push((key.number, fate.id())),
            Event::Ended(_) => break,
            _ => {}
        }
    }
    let expected: Vec<_> = (2..=10).map(|number| (number, "not-taken")).collect();
    assert_eq!(back, expected);
    closing.await;
    at_server.recv().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_returns_early_leaves_its_messages_to_their_sender() {
    let (network, mut begun) = network(server());
    let mut client = session::Client::new().start(network.link()).unwrap();
    for number in 1..=3000 {
        if client.try_send(&text(&number.to_string())).is_err() {
            break;
        }
    }
    let mut at_server = begun.recv().await.unwrap();
    at_server.recv().await.unwrap();
    drop(at_server);
    drop(begun);
    let mut back = 0;
    loop {
        match client.event().await.unwrap() {
            Event::Returned { fate, .. } if fate.id() == "not-taken" => back += 1,
            Event::Ended(ending) => {
                assert_eq!(ending.bye().unwrap().code, SendCode::GOING_AWAY);
                break;
            }
            Event::Attached(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(back, 1023);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_ignores_goodbye_is_left() {
    let (network, mut begun) = network(server().with_ttl(Duration::from_secs(60)));
    let mut raw = Raw::new();
    let mut socket = raw.connect(&network, "").await;
    let at_server = begun.recv().await.unwrap();
    let closing = at_server.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    let pinging = async {
        loop {
            let ping = Message::Binary(vec![4].into());
            if socket.send(ping).await.is_err() {
                // BYE, which it does not answer, PONGs, and then the end.
                while socket.recv().await.is_ok() {}
                return;
            }
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
    };
    let both = async { tokio::join!(closing, pinging) };
    let (ending, _) = within(Duration::from_secs(120), both).await;
    assert!(ending.to_string().contains("fresh:expired"), "{ending}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_too_old_does_not_end_its_session() {
    let acceptor = Acceptor::new().with_max_age(Duration::from_secs(100));
    let sessions = server();
    let link = revoir::Link::to("ws://a.example/").with_connector(move |_| {
        let (near, far, _cable) = line::pair(None);
        let (acceptor, sessions) = (acceptor.clone(), sessions.clone());
        tokio::spawn(async move {
            let decide = async |incoming| {
                sessions.run(incoming, |mut session: session::Session| async move {
                    session.recv().await.map(drop)
                })
            };
            let _ = acceptor.accept_incoming(far, decide).await;
        });
        async move { Ok(near) }
    });
    let mut client = session::Client::new().start(link).unwrap();
    let mut told = Vec::new();
    while told.len() < 4 {
        told.push(match client.event().await.unwrap() {
            Event::Attached(attached) => attached.verdict.id(),
            Event::GoAway(goaway) if goaway.resumable => "goaway",
            Event::Detached { .. } => "detached",
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(told, ["new", "goaway", "detached", "resumed"]);
}

/// A network whose connections are ended by sessions alone.
fn quiet_network(server: session::Server) -> (Arc<super::Network>, super::Begun) {
    let (mut network, begun) = network(server);
    let config = revoir::Config::server().no_keepalive().write_timeout(None);
    let is_ours = Arc::get_mut(&mut network).unwrap();
    is_ours.acceptor = Acceptor::new().with_config(config);
    (network, begun)
}

/// A client that has taken nothing since WELCOME, so that its server cannot write any more.
async fn stuck(
    network: &Arc<super::Network>,
    begun: &mut super::Begun,
) -> (revoir::WebSocket, session::Session) {
    let mut raw = Raw::new();
    let socket = raw.connect(network, "").await;
    let mut at_server = begun.recv().await.unwrap();
    // The pipe has room for 64 KiB.
    for _ in 0..3 {
        let message = Message::Binary(vec![1; 80_000].into());
        at_server.send(message).await.unwrap();
    }
    (socket, at_server)
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_takes_nothing_is_closed_past_what_waits() {
    let (network, mut begun) = quiet_network(server());
    let (_socket, mut at_server) = stuck(&network, &mut begun).await;
    let since = tokio::time::Instant::now();
    let ending = loop {
        if let Event::Detached { ending, .. } = within(HOUR, at_server.event()).await.unwrap() {
            break ending;
        }
    };
    assert_eq!(ending.cause, revoir::Cause::ClosedLocally);
    // Silent for 35 s; then its Close frame has a second.
    assert_eq!(since.elapsed().as_secs(), 36);
}

#[tokio::test(start_paused = true)]
async fn what_is_due_does_not_keep_a_processor_busy_while_the_peer_takes_nothing() {
    let (network, mut begun) = quiet_network(server().with_heartbeat(Duration::ZERO));
    let (mut socket, mut at_server) = stuck(&network, &mut begun).await;
    socket.send("taken").await.unwrap();
    assert_eq!(at_server.recv().await.unwrap(), text("taken"));
    // The ACK is due in a second. Time only goes on here while nobody is busy.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(at_server.is_attached());
    let mut acks = 0;
    while let Ok(received) = tokio::time::timeout(Duration::from_secs(1), socket.recv()).await {
        acks += usize::from(received.unwrap().as_bytes() == [3, 1]);
    }
    assert_eq!(acks, 1);
}

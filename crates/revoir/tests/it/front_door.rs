//! What a user of the handles can ask for and do: addresses, certificates, answers, `try_send`,
//! `abort`, and what an observer is told.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};

use revoir::drain::Drain;
use revoir::ending::Finish;
use revoir::http::{HeaderValue, StatusCode};
use revoir::tls::{ClientTls, ServerTls};
use revoir::websocket::TrySendError;
use revoir::{
    Acceptor, Cause, Client, CloseCode, Config, ConnectionInfo, Ending, Incoming, Message,
    Observer, Reason, Role, SendCode, Server, WebSocket,
};
use tokio::sync::mpsc;

use crate::support::memory;
use crate::support::peer::Seen;
use crate::support::wire::pem;

type Failure = Box<dyn Error + Send + Sync>;

/// A server that hands its connections over, and its URL.
async fn serving(server: Server) -> (String, mpsc::UnboundedReceiver<WebSocket>) {
    let (send, taken) = mpsc::unbounded_channel();
    let url = format!("ws://localhost:{}/", server.local_addr().unwrap().port());
    tokio::spawn(server.serve(move |socket| {
        let send = send.clone();
        async move {
            send.send(socket).unwrap();
            Ok::<(), Arc<Ending>>(())
        }
    }));
    (url, taken)
}

#[tokio::test]
async fn both_sides_know_their_addresses_also_afterwards() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let (url, mut taken) = serving(server).await;
    let client = revoir::connect(url).await.unwrap();
    let server = taken.recv().await.unwrap();
    assert!(client.local_addr().is_some());
    assert_eq!(client.local_addr(), server.peer_addr());
    assert_eq!(server.local_addr(), client.peer_addr());
    let peer = server.peer_addr();
    let closer = server.closer();
    client.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    closer.closed().await;
    assert_eq!(closer.peer_addr(), peer);
    assert_eq!(server.local_addr(), None);
}

#[tokio::test]
async fn a_stream_that_is_not_tcp_has_no_addresses() {
    let (near, far) = memory::pair(4096);
    let acceptor = Acceptor::new();
    let client = Client::new();
    let connecting = client.connect_over("ws://localhost/", near);
    let (client, server) = tokio::join!(connecting, acceptor.accept(far));
    let (client, server) = (client.unwrap(), server.unwrap());
    assert_eq!((client.peer_addr(), client.local_addr()), (None, None));
    assert_eq!((server.peer_addr(), server.server_name()), (None, None));
    assert!(server.peer_certificates().is_none());
}

#[tokio::test]
async fn tls_tells_the_name_that_was_asked_for_and_the_certificates() {
    let (certificate, key) = pem();
    let tls = ServerTls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let server = Server::bind("127.0.0.1:0").await.unwrap().with_tls(tls);
    let (url, mut taken) = serving(server).await;
    let tls = ClientTls::with_roots(certificate.as_bytes()).unwrap();
    let client = Client::new().with_tls(tls);
    let client = client.connect(url.replace("ws:", "wss:")).await.unwrap();
    let server = taken.recv().await.unwrap();
    assert_eq!(server.server_name().as_deref(), Some("localhost"));
    assert_eq!(client.server_name(), None);
    assert_eq!(client.peer_certificates().unwrap().len(), 1);
    assert!(server.peer_certificates().is_none(), "nobody asked for one");
    assert_eq!(server.local_addr(), client.peer_addr());
}

#[tokio::test]
async fn the_answer_of_the_server_comes_with_the_connection() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", server.local_addr().unwrap());
    tokio::spawn(server.serve_incoming(|mut incoming: Incoming| async move {
        let headers = incoming.response_headers_mut();
        headers.append("set-cookie", HeaderValue::from_static("a=b"));
        headers.append("set-cookie", HeaderValue::from_static("c=d"));
        incoming.run(|mut socket| async move { socket.recv().await.map(drop) })
    }));
    let (_socket, response) = Client::new().connect_with_response(url).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=b", "c=d"]);
}

#[tokio::test]
async fn abort_resets_tcp() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let (url, mut taken) = serving(server).await;
    let mut client = revoir::connect(url).await.unwrap();
    let server = taken.recv().await.unwrap();
    let ending = server.abort().await;
    assert_eq!(
        (ending.cause, ending.finish, ending.is_clean()),
        (Cause::ClosedLocally, Finish::Reset, false)
    );
    assert!(ending.sent.is_none());
    let site = ending.closed_at.clone().unwrap();
    assert!(site.to_string().contains("front_door.rs"), "{site}");
    let ending = client.recv().await.unwrap_err();
    assert_eq!(ending.cause, Cause::Reset);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_started_goes_on_by_itself() {
    let (near, far) = memory::pair(4096);
    let client = Client::new();
    let acceptor = Acceptor::new();
    let connecting = client.connect_over("ws://localhost/", near);
    let (client, server) = tokio::join!(connecting, acceptor.accept(far));
    let (client, mut server) = (client.unwrap(), server.unwrap());
    client.start_close(SendCode::GOING_AWAY, Reason::new("bye").unwrap());
    let ending = server.recv().await.unwrap_err();
    assert_eq!(
        (ending.code(), ending.reason()),
        (CloseCode::GOING_AWAY, "bye")
    );
    let ending = client.closed().await;
    let site = ending.closed_at.clone().unwrap();
    assert!(site.to_string().contains("front_door.rs"), "{site}");
}

#[tokio::test(start_paused = true)]
async fn try_send_gives_back_what_finds_no_room() {
    let (near, far) = memory::pair(16);
    let client = Client::new().with_config(Config::client().max_queue(100));
    let acceptor = Acceptor::new();
    let connecting = client.connect_over("ws://localhost/", near);
    let (client, server) = tokio::join!(connecting, acceptor.accept(far));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.try_send("one").unwrap();
    assert_eq!(server.recv().await.unwrap().as_text(), Some("one"));

    assert_eq!(client.queued_bytes(), 0);
    client.try_send(vec![7; 200]).unwrap();
    assert!(client.queued_bytes() > 100);
    let error = client.try_send("two").unwrap_err();
    assert!(error.is_full(), "{error}");
    assert_eq!(error.into_message(), Message::from("two"));
    assert_eq!(server.recv().await.unwrap().as_bytes(), [7; 200]);
    client.flush().await.unwrap();
    client.try_send("two").unwrap();
    assert_eq!(server.recv().await.unwrap(), "two".into());

    client.start_close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    let error = client.try_send("late").unwrap_err();
    assert!(
        matches!(error, TrySendError::Closed { ending: None, .. }),
        "{error}"
    );
    server.recv().await.unwrap_err();
    client.closed().await;
    let error = client.try_send("late").unwrap_err();
    assert!(error.to_string().starts_with("1000 "), "{error}");
}

/// An application's error with another one below.
#[derive(Debug)]
struct While(Arc<Ending>);

impl fmt::Display for While {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("while it was read")
    }
}

impl Error for While {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn its_own_ending_is_no_failure_of_a_handler_and_another_connections_is_one() {
    for (own, wrapped) in [(true, false), (true, true), (false, false), (false, true)] {
        let (near, far) = memory::pair(4096);
        let seen = Arc::new(Seen::default());
        let acceptor = Acceptor::new().with_observer(Arc::clone(&seen) as _);
        let other = Arc::new(Ending::never_opened(
            Cause::Refused,
            revoir::ending::Detail::None,
        ));
        let decide = |incoming: Incoming| async move {
            incoming.run(move |mut socket| async move {
                let ending = match own {
                    true => socket.recv().await.unwrap_err(),
                    false => other,
                };
                Err::<(), Failure>(match wrapped {
                    true => While(ending).into(),
                    false => ending.into(),
                })
            })
        };
        let client = Client::new();
        let connecting = client.connect_over("ws://localhost/", near);
        let accepting = acceptor.accept_incoming(far, decide);
        let (client, accepted) = tokio::join!(connecting, accepting);
        accepted.unwrap();
        let mut client = client.unwrap();
        if own {
            client.start_close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
        }
        let ending = client.recv().await.unwrap_err();
        let (code, cause) = match own {
            true => (CloseCode::NORMAL_CLOSURE, Cause::ClosedByPeer),
            false => (CloseCode::INTERNAL_ERROR, Cause::HandlerFailed),
        };
        assert_eq!(ending.code(), code, "own {own}, wrapped {wrapped}");
        assert_eq!(seen.ending().await.cause, cause, "{own} {wrapped}");
    }
}

/// Needs no `Debug`.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

#[derive(Clone)]
struct User(&'static str);

impl Log {
    fn write(&self, conn: &ConnectionInfo<'_>, what: &str) {
        let line = format!(
            "{} {what}: {} {:?} {:?} {:?} {:?}",
            conn.id(),
            conn.peer_addr()
                .map_or("-", |peer| match peer.ip().is_loopback() {
                    true => "loopback",
                    false => "elsewhere",
                }),
            conn.role(),
            conn.path(),
            conn.subprotocol(),
            conn.get::<User>().map(|user| user.0),
        );
        self.0.lock().unwrap().push(line);
    }
}

impl Observer for Log {
    fn opened(&self, conn: &ConnectionInfo<'_>) {
        self.write(conn, "opened");
    }

    fn ended(&self, conn: &ConnectionInfo<'_>, ending: &Ending) {
        self.write(conn, ending.cause.id());
    }
}

#[tokio::test]
async fn an_observer_is_told_which_connection_it_is() {
    let log = Arc::new(Log::default());
    let acceptor = Acceptor::new()
        .with_subprotocols(["v1"])
        .with_observer(Arc::clone(&log) as _);
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.with_acceptor(acceptor);
    let tracker = server.tracker().clone();
    let url = format!("ws://{}/room/7", server.local_addr().unwrap());
    let serving = tokio::spawn(server.serve_incoming(|mut incoming: Incoming| async move {
        incoming.insert(User("ann"));
        match incoming.query() {
            Some("secret=1") => {
                incoming.run(|mut socket| async move { socket.recv().await.map(drop) })
            }
            _ => incoming.refuse(StatusCode::FORBIDDEN, "no"),
        }
    }));
    let client = Client::new()
        .with_subprotocol("v1")
        .with_extension(User("bob"))
        .with_observer(Arc::clone(&log) as _);
    let socket = client.connect(format!("{url}?secret=1")).await.unwrap();
    assert_eq!(socket.role(), Role::Client);
    socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    client.connect(&url).await.unwrap_err();
    tracker.drain(Drain::going_away()).await;
    serving.await.unwrap();
    let lines = log.0.lock().unwrap();
    let mut told: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    // Both sides write into the same log, as they run.
    told.sort_by_key(|(_, what)| *what);
    let what: Vec<&str> = told.iter().map(|(_, what)| *what).collect();
    assert_eq!(
        what,
        [
            r#"closed-by-peer: loopback Server Some("/room/7") Some("v1") Some("ann")"#,
            r#"closed-locally: loopback Client Some("/room/7") Some("v1") Some("bob")"#,
            r#"handshake-rejected: - Client Some("/room/7") None Some("bob")"#,
            r#"handshake-rejected: loopback Server Some("/room/7") None Some("ann")"#,
            r#"opened: loopback Client Some("/room/7") Some("v1") Some("bob")"#,
            r#"opened: loopback Server Some("/room/7") Some("v1") Some("ann")"#,
        ]
    );
    assert_eq!(
        told[0].0, told[5].0,
        "the same number at both ends of its life"
    );
    assert_eq!(told[1].0, told[4].0);
    assert_ne!(told[0].0, told[1].0);
}

#[tokio::test]
async fn a_message_is_made_of_whatever_is_at_hand() {
    let (near, far) = memory::pair(4096);
    let client = Client::new();
    let acceptor = Acceptor::new();
    let connecting = client.connect_over("ws://localhost/", near);
    let (client, server) = tokio::join!(connecting, acceptor.accept(far));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.send("text").await.unwrap();
    client.send(String::from("text")).await.unwrap();
    client.send(vec![1, 2]).await.unwrap();
    for _ in 0..2 {
        let message = server.recv().await.unwrap();
        assert_eq!(message.as_text().map(str::len), Some(4));
    }
    assert_eq!(server.recv().await.unwrap().as_text(), None);
}

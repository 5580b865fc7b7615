//! `Server::serve`: handlers, limits, certificates, and one ending for every connection.

use std::future::pending;
use std::sync::Arc;

use revoir::ending::{Detail, Finish, Initiator};
use revoir::http::header::RETRY_AFTER;
use revoir::http::{HeaderValue, Response, StatusCode};
use revoir::tls::ServerTls;
use revoir::{
    Acceptor, Cause, Client, CloseCode, Ending, Incoming, Message, Reason, SendCode, Server,
    WebSocket,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;

use crate::support::peer::Seen;
use crate::support::wire::{new_pem, trusting};
use crate::support::{Frame, Peer, Side, Sort, assert_ending, close_frame, expected, pem};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Serves with `handler` on a port of its own.
async fn serve<H, F, E>(handler: H) -> (String, Arc<Seen>)
where
    H: Fn(WebSocket) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Failure> + 'static,
{
    let seen = Arc::new(Seen::default());
    let observer = Arc::clone(&seen);
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.with_acceptor(Acceptor::new().with_observer(observer));
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(handler));
    (format!("ws://{address}/"), seen)
}

async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

/// A raw client of `url`.
async fn raw(url: &str) -> Peer {
    let address = url.trim_start_matches("ws://").trim_end_matches('/');
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut peer = Peer::new(crate::support::wire::Stream::Tcp(stream), Side::Server);
    peer.request().await;
    peer
}

#[tokio::test]
async fn a_handler_that_uses_up_its_tasks_budget_does_not_silence_the_keepalive() {
    let (url, _seen) = serve(|socket: WebSocket| async move {
        while tokio::task::coop::has_budget_remaining() {
            tokio::task::coop::consume_budget().await;
        }
        // The driver's first turn follows, and its timer has to be set.
        pending::<()>().await;
        drop(socket);
        Ok::<(), Failure>(())
    })
    .await;
    let mut peer = raw(&url).await;
    tokio::time::pause();
    let ping = tokio::time::timeout(std::time::Duration::from_secs(60), peer.next()).await;
    assert_eq!(ping.unwrap().unwrap().sort, Sort::Ping);
}

#[tokio::test]
async fn a_server_whose_future_is_dropped_keeps_its_connections() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let tracker = server.tracker().clone();
    let serving = tokio::spawn(server.serve(echo));
    let url = format!("ws://{address}/");
    let mut socket = revoir::connect(&url).await.unwrap();
    serving.abort();
    serving.await.unwrap_err();
    let refused = revoir::connect(&url).await.unwrap_err();
    assert_eq!(refused.ending().unwrap().cause, Cause::Refused);
    socket.send_text("still here").await.unwrap();
    assert_eq!(socket.recv().await.unwrap().as_bytes(), b"still here");
    assert_eq!(tracker.open(), 1);
    let closed = socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    assert!(closed.is_clean());
}

#[tokio::test]
async fn a_handler_that_passes_the_ending_on_has_not_failed() {
    let (url, seen) = serve(echo).await;
    let mut socket = revoir::connect(&url).await.unwrap();
    for length in [0, 1, 125, 126, 65_535, 65_536, 1024 * 1024] {
        socket.send_binary(vec![9; length]).await.unwrap();
        assert_eq!(
            socket.recv().await.unwrap(),
            Message::Binary(vec![9; length].into())
        );
    }
    let ending = socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    assert!(ending.is_clean());
    let server = seen.ending().await;
    assert_eq!(
        (server.cause, server.finish),
        (Cause::ClosedByPeer, Finish::Answered)
    );
    assert_eq!((seen.opened(), seen.count()), (1, 1));
}

#[tokio::test]
async fn a_handler_that_fails_has_its_connection_closed_with_1011() {
    let failing = |mut socket: WebSocket| async move {
        match socket.recv().await?.as_bytes() {
            b"error" => Err(Failure::from("the database is gone")),
            _ => panic!("no such thing"),
        }
    };
    for (text, detail) in [
        ("error", "the database is gone"),
        ("panic", "panicked: no such thing"),
    ] {
        let (url, seen) = serve(failing).await;
        let mut peer = raw(&url).await;
        peer.send(&Frame::text(text)).await;
        assert_eq!(peer.next().await, Some(Frame::close(1011, "")));
        peer.send(&Frame::close(1011, "")).await;
        assert_eq!(peer.rest().await.0, []);
        let mut ending = expected(
            Cause::HandlerFailed,
            Finish::Answered,
            Some(Initiator::Local),
        );
        ending.sent = Some(close_frame(1011, ""));
        ending.received = Some(close_frame(1011, ""));
        ending.detail = Detail::Text(detail.into());
        assert_ending(&seen.ending().await, ending);
    }
}

#[tokio::test]
async fn a_handler_that_panics_before_its_future_is_there_has_failed() {
    let (url, seen) = serve(|socket: WebSocket| {
        assert_eq!(socket.subprotocol(), Some("none was agreed on"));
        async { Ok::<(), Failure>(()) }
    })
    .await;
    let mut socket = revoir::connect(&url).await.unwrap();
    assert_eq!(
        socket.recv().await.unwrap_err().code(),
        CloseCode::INTERNAL_ERROR
    );
    let ending = seen.ending().await;
    assert_eq!(ending.cause, Cause::HandlerFailed);
    assert!(
        ending.detail.to_string().starts_with("panicked: assertion"),
        "{ending}"
    );
}

#[tokio::test]
async fn a_handler_that_returns_without_closing_drops_its_connection() {
    let (url, seen) = serve(|_socket| async { Ok::<(), Failure>(()) }).await;
    let mut socket = revoir::connect(&url).await.unwrap();
    assert_eq!(
        socket.recv().await.unwrap_err().code(),
        CloseCode::GOING_AWAY
    );
    assert_eq!(seen.ending().await.cause, Cause::Dropped);
}

#[tokio::test]
async fn a_handler_that_never_polls_still_answers_pings_and_the_close() {
    let (url, seen) = serve(|socket: WebSocket| async move {
        pending::<()>().await;
        drop(socket);
        Ok::<(), Failure>(())
    })
    .await;
    let mut peer = raw(&url).await;
    peer.send(&Frame::new(Sort::Ping, "a")).await;
    let pong = Frame::new(Sort::Pong, "a");
    assert_eq!(peer.next().await, Some(pong));
    peer.send(&Frame::close(1000, "")).await;
    assert_eq!(peer.rest().await.0, [Frame::close(1000, "")]);
    assert_eq!(seen.ending().await.cause, Cause::ClosedByPeer);
}

#[tokio::test]
async fn connections_over_the_limit_get_503_until_one_ends() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let seen = Arc::new(Seen::default());
    let acceptor = Acceptor::new()
        .with_observer(Arc::clone(&seen) as _)
        .with_max_connections(1);
    let server = server.with_acceptor(acceptor);
    let url = format!("ws://{}/", server.local_addr().unwrap());
    let gone = Arc::new(Semaphore::new(0));
    let signal = Arc::clone(&gone);
    tokio::spawn(server.serve(move |mut socket: WebSocket| {
        let signal = Arc::clone(&signal);
        async move {
            let ending = socket.recv().await.unwrap_err();
            signal.add_permits(1);
            Err::<(), _>(ending)
        }
    }));
    let first = revoir::connect(&url).await.unwrap();
    let error = revoir::connect(&url).await.unwrap_err();
    let response = error.ending().unwrap().response.clone().unwrap();
    assert_eq!(
        (response.status, &*response.body),
        (503, &b"too many connections\n"[..])
    );
    let seconds: u32 = response.retry_after().unwrap().parse().unwrap();
    assert!((1..=5).contains(&seconds), "{seconds}");
    assert_eq!(seen.ending().await.cause, Cause::HandshakeRejected);

    first.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    gone.acquire().await.unwrap().forget();
    // The task that held the place may still be on its way out.
    let mut second = revoir::connect(&url).await;
    while second.is_err() {
        tokio::task::yield_now().await;
        second = revoir::connect(&url).await;
    }
}

#[tokio::test]
async fn a_certificate_is_replaced_while_the_server_runs() {
    let (other, other_key) = new_pem();
    let tls = ServerTls::from_pem(other.as_bytes(), other_key.as_bytes()).unwrap();
    let server = Server::bind("127.0.0.1:0")
        .await
        .unwrap()
        .with_tls(tls.clone());
    let url = format!("wss://localhost:{}/", server.local_addr().unwrap().port());
    tokio::spawn(server.serve(echo));
    let client = Client::new().with_tls(trusting());
    assert!(client.connect(&url).await.is_err());

    assert!(tls.replace_pem(b"nothing", b"nothing").is_err());
    let (certificate, key) = pem();
    tls.replace_pem(certificate.as_bytes(), key.as_bytes())
        .unwrap();
    let mut socket = client.connect(&url).await.unwrap();
    socket.send_text("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap().as_bytes(), b"hello");
}

#[tokio::test]
async fn an_application_decides_on_a_request() {
    let (near, far) = crate::support::memory::pair(4096);
    let client = Client::new().with_subprotocol("v1").with_subprotocol("v2");
    let connecting = client.connect_over("ws://a.example/room?id=7", far);
    let acceptor = Acceptor::new().with_subprotocols(["v2", "v1"]);
    let deciding = async {
        let (send, opened) = tokio::sync::oneshot::channel();
        let decide = |incoming: Incoming| async move {
            assert_eq!(incoming.path(), "/room");
            assert_eq!(incoming.uri(), "/room?id=7");
            assert_eq!(incoming.query(), Some("id=7"));
            incoming.run(|socket| async move {
                assert!(send.send(socket).is_ok());
                Ok::<(), Arc<Ending>>(())
            })
        };
        acceptor.accept_incoming(near, decide).await.unwrap();
        opened.await.unwrap()
    };
    let (connected, accepted) = tokio::join!(connecting, deciding);
    assert_eq!(connected.unwrap().subprotocol(), Some("v2"));
    assert_eq!(accepted.subprotocol(), Some("v2"));

    let (near, far) = crate::support::memory::pair(4096);
    let connecting = client.connect_over("ws://a.example/", far);
    let deciding = async {
        let decide = |incoming: Incoming| async {
            let mut response = incoming.refuse(StatusCode::TOO_MANY_REQUESTS, "slow down");
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("3"));
            response
        };
        acceptor.accept_incoming(near, decide).await.unwrap_err()
    };
    let (refused, ending) = tokio::join!(connecting, deciding);
    let response = refused
        .unwrap_err()
        .ending()
        .unwrap()
        .response
        .clone()
        .unwrap();
    assert_eq!((response.status, response.retry_after()), (429, Some("3")));
    assert_eq!(ending.cause, Cause::HandshakeRejected);
}

#[tokio::test]
async fn connections_over_the_limit_of_their_address_get_429() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.with_acceptor(Acceptor::new().with_max_connections_per_ip(1));
    let url = format!("ws://{}/", server.local_addr().unwrap());
    tokio::spawn(server.serve(echo));
    let _first = revoir::connect(&url).await.unwrap();
    let error = revoir::connect(&url).await.unwrap_err();
    let response = error.ending().unwrap().response.clone().unwrap();
    assert_eq!(
        (response.status, &*response.body),
        (429, &b"too many connections from this address\n"[..])
    );
    assert!(response.retry_after().is_some());
}

/// Serves with `decide` on a port of its own.
async fn serve_incoming<D, F>(acceptor: Acceptor, decide: D) -> (String, Arc<Seen>)
where
    D: Fn(Incoming) -> F + Send + Sync + 'static,
    F: Future<Output = Response<String>> + Send + 'static,
{
    let seen = Arc::new(Seen::default());
    let acceptor = acceptor.with_observer(Arc::clone(&seen) as _);
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.with_acceptor(acceptor);
    let url = format!("ws://{}", server.local_addr().unwrap());
    tokio::spawn(server.serve_incoming(decide));
    (url, seen)
}

#[tokio::test]
async fn a_server_decides_by_path_header_and_address() {
    let acceptor = Acceptor::new()
        .with_subprotocols(["v1"])
        .with_extensions(revoir::handshake::Extensions::client_default());
    let (url, seen) = serve_incoming(acceptor, |mut incoming| async move {
        let peer = incoming.peer_addr().unwrap();
        if incoming.headers().get("authorization") != Some(&HeaderValue::from_static("Bearer 1")) {
            return incoming.refuse(StatusCode::UNAUTHORIZED, "who are you?");
        }
        let greeting = format!(
            "{} from {}, {:?}, {}",
            incoming.path(),
            peer.ip(),
            incoming.subprotocol(),
            incoming.extensions()
        );
        let headers = incoming.response_headers_mut();
        headers.insert("set-cookie", HeaderValue::from_static("a=b"));
        incoming.run(|mut socket: WebSocket| async move {
            socket.send_text(greeting).await?;
            Err::<(), _>(socket.recv().await.unwrap_err())
        })
    })
    .await;
    let anonymous = revoir::connect(&url).await.unwrap_err();
    let response = anonymous.ending().unwrap().response.clone().unwrap();
    assert_eq!(
        (response.status, &*response.body),
        (401, &b"who are you?"[..])
    );
    assert_eq!(seen.ending().await.cause, Cause::HandshakeRejected);

    let client = Client::new()
        .with_subprotocol("v1")
        .with_header("Authorization", "Bearer 1");
    let mut socket = client.connect(&format!("{url}/room?id=7")).await.unwrap();
    assert_eq!(
        socket.recv().await.unwrap().as_bytes(),
        br#"/room from 127.0.0.1, Some("v1"), permessage-deflate"#
    );
    assert_eq!(socket.extensions().to_string(), "permessage-deflate");
}

#[tokio::test]
async fn a_request_without_a_decision_is_answered_with_500() {
    // A 101 is no decision without a handler to run.
    let deciders: [fn(Incoming) -> Response<String>; 3] = [
        |_incoming| panic!("no decision"),
        |_incoming| opening(),
        |incoming| {
            drop(incoming.refuse(StatusCode::NOT_FOUND, "no"));
            opening()
        },
    ];
    for decide in deciders {
        let (url, seen) =
            serve_incoming(
                Acceptor::new(),
                move |incoming| async move { decide(incoming) },
            )
            .await;
        let refused = revoir::connect(&url).await.unwrap_err();
        let response = refused.ending().unwrap().response.clone().unwrap();
        assert_eq!(response.status, 500);
        assert_eq!(seen.ending().await.cause, Cause::HandshakeRejected);
    }
}

fn opening() -> Response<String> {
    let response = Response::builder().status(101).body(String::new());
    response.unwrap()
}

#[tokio::test]
async fn any_other_response_refuses_and_ends_the_connection_once() {
    let deciders: [fn(Incoming) -> Response<String>; 3] = [
        // Without a word to the request.
        |_incoming| {
            let builder = Response::builder().status(418).header("x-tea", "green");
            builder
                .header("content-length", "3")
                .body("tea".to_owned())
                .unwrap()
        },
        // In place of the one that was made.
        |incoming| {
            drop(incoming.refuse(StatusCode::NOT_FOUND, "no"));
            Response::builder()
                .status(418)
                .header("x-tea", "green")
                .body("tea".to_owned())
                .unwrap()
        },
        // In place of the connection.
        |incoming| {
            drop(incoming.run(echo));
            Response::builder()
                .status(418)
                .header("x-tea", "green")
                .body("tea".to_owned())
                .unwrap()
        },
    ];
    for decide in deciders {
        let (url, seen) =
            serve_incoming(
                Acceptor::new(),
                move |incoming| async move { decide(incoming) },
            )
            .await;
        let refused = revoir::connect(&url).await.unwrap_err();
        let response = refused.ending().unwrap().response.clone().unwrap();
        assert_eq!((response.status, &*response.body), (418, &b"tea"[..]));
        assert_eq!(response.headers.get("x-tea"), Some(&b"green"[..]));
        assert_eq!(seen.ending().await.cause, Cause::HandshakeRejected);
        assert_eq!((seen.opened(), seen.count()), (0, 1));
    }
}

#[tokio::test]
async fn fields_added_to_the_answer_that_opens_are_sent() {
    let (url, _seen) = serve_incoming(Acceptor::new(), |incoming| async move {
        let mut response = incoming.run(echo);
        let headers = response.headers_mut();
        headers.insert("x-late", HeaderValue::from_static("yes"));
        response
    })
    .await;
    let address = url.trim_start_matches("ws://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    let answer = String::from_utf8(answer).unwrap().to_lowercase();
    assert!(answer.contains("\r\nx-late: yes\r\n"), "{answer}");
    assert!(
        answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"),
        "{answer}"
    );
}

#[test]
fn a_request_may_be_lent_and_sent_between_tasks() {
    fn is<T: Send + Sync>() {}
    is::<Incoming>();
}

#[tokio::test]
async fn a_field_of_the_handshake_in_the_answer_is_a_500() {
    let (url, seen) = serve_incoming(Acceptor::new(), |mut incoming| async move {
        let headers = incoming.response_headers_mut();
        headers.insert("sec-websocket-accept", HeaderValue::from_static("mine"));
        incoming.run(echo)
    })
    .await;
    let refused = revoir::connect(&url).await.unwrap_err();
    let response = refused.ending().unwrap().response.clone().unwrap();
    assert_eq!(response.status, 500);
    assert_eq!(seen.ending().await.cause, Cause::HandshakeRejected);
}

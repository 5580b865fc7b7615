//! For every cause of a connection that never opened: who produces it, and the whole record.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use revoir::client::{ConnectError, InvalidUrl};
use revoir::ending::{Detail, Finish, TlsFault};
use revoir::handshake::HandshakeError;
use revoir::server::Origins;
use revoir::tls::{ClientTls, ServerTls};
use revoir::{Acceptor, Cause, Client, CloseCode, Ending, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::answer::answered;
use crate::support::peer::Seen;
use crate::support::ports::nobody;
use crate::support::wire::{Stream, new_pem, tcp_pair, trusting};
use crate::support::{expected, memory, pem};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\
     Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
     Sec-WebSocket-Version: 13\r\n";

async fn refused(client: &Client, url: &str) -> Arc<Ending> {
    match client.connect(url).await {
        Err(ConnectError::Ended(ending)) => ending,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_never(actual: &Ending, cause: Cause, detail: &str) {
    let mut ending = expected(cause, Finish::None, None);
    ending.detail = Detail::Text(detail.to_owned().into());
    assert_eq!(*actual, ending);
    assert!(!actual.is_clean() && !actual.cause.was_open());
}

/// [`assert_never`], for a detail that the system words.
#[track_caller]
fn assert_starts(actual: &Ending, cause: Cause, start: &str) {
    let detail = actual.detail.to_string();
    assert!(
        detail.starts_with(start) && detail.len() > start.len(),
        "{detail}"
    );
    assert_never(actual, cause, &detail);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_dns() {
    let ending = refused(&Client::new(), "ws://nowhere.invalid/").await;
    assert_starts(&ending, Cause::Dns, "nowhere.invalid: ");
}

#[tokio::test]
async fn an_address_without_a_route_is_unreachable() {
    // TCP never goes to the broadcast address, with a network or without one.
    let ending = refused(&Client::new(), "ws://255.255.255.255/").await;
    assert_starts(&ending, Cause::Unreachable, "255.255.255.255:80: ");
}

#[tokio::test]
async fn a_port_without_a_listener_is_refused() {
    let address = nobody();
    let ending = refused(&Client::new(), &format!("ws://{address}/")).await;
    assert_never(&ending, Cause::Refused, &address.to_string());
}

#[tokio::test]
async fn every_address_that_was_tried_is_named() {
    let addresses = [nobody(), nobody()];
    let client = Client::new().with_resolver(move |host, _| async move {
        assert_eq!(host, "a.example");
        Ok(addresses.to_vec())
    });
    let ending = refused(&client, "ws://a.example/").await;
    let [first, second] = addresses;
    assert_never(
        &ending,
        Cause::Refused,
        &format!("{first}: refused, {second}: refused"),
    );
    let nowhere = Client::new().with_resolver(|_, _| async { Ok(Vec::new()) });
    let ending = refused(&nowhere, "ws://a.example/").await;
    assert_never(&ending, Cause::Dns, "a.example: no addresses");
}

#[tokio::test]
async fn an_address_that_refuses_does_not_hide_one_that_answers() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let there = server.local_addr().unwrap();
    let serving = tokio::spawn(server.serve(|mut socket| async move {
        let _ending = socket.recv().await;
        Ok::<(), std::convert::Infallible>(())
    }));
    let nobody = nobody();
    let client = Client::new().with_resolver(move |_, _| async move { Ok(vec![nobody, there]) });
    let socket = client.connect("ws://a.example/").await.unwrap();
    drop(socket);
    serving.abort();
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_a_connect_timeout() {
    // A full backlog drops what comes: the same as a host that is down.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any_port: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any_port.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let _first = std::net::TcpStream::connect(address).unwrap();
    let client = Client::new().with_connect_timeout(Duration::from_millis(50));
    let ending = refused(&client, &format!("ws://{address}/")).await;
    assert_never(&ending, Cause::ConnectTimeout, &address.to_string());
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_tls_failed_at_both_sides() {
    let seen = Arc::new(Seen::default());
    let url = serve_tls(&seen).await;
    let client = Client::new().with_tls(ClientTls::with_roots(new_pem().0.as_bytes()).unwrap());
    let ending = refused(&client, &url).await;
    let Detail::Tls { fault, text } = &ending.detail else {
        panic!("{ending:?}");
    };
    assert_eq!(*fault, TlsFault::UnknownIssuer);
    assert!(text.starts_with("invalid peer certificate"), "{text}");
    let mut whole = expected(Cause::TlsFailed, Finish::None, None);
    whole.detail = ending.detail.clone();
    assert_eq!(*ending, whole);
    let server = seen.ending().await;
    assert_starts(&server, Cause::TlsFailed, "received fatal alert: ");
    for ending in [&*ending, &server] {
        assert_eq!(ending.code(), CloseCode::TLS_HANDSHAKE);
    }
}

#[tokio::test]
async fn plain_http_where_tls_is_expected_is_tls_failed() {
    let url = serve_tls(&Arc::new(Seen::default()))
        .await
        .replace("wss", "ws");
    let ending = refused(&Client::new(), &url).await;
    // The server ends TLS with an alert, which is no HTTP.
    assert_eq!(ending.cause, Cause::HandshakeInvalid, "{ending}");

    let (near, far) = tcp_pair().await;
    let accepting = tokio::spawn(revoir::accept(far));
    let result = Client::new().connect_over("wss://localhost/", near).await;
    assert_eq!(
        result.unwrap_err().ending().unwrap().cause,
        Cause::TlsFailed
    );
    let ending = accepting.await.unwrap().unwrap_err();
    assert!(matches!(&ending.detail, Detail::Handshake(error)
        if matches!(**error, HandshakeError::NotHttp { byte: 0x16 })));
}

#[tokio::test]
async fn a_port_without_tls_is_told_from_a_bad_certificate() {
    for (answer, expected) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", TlsFault::NotTls),
        ("", TlsFault::HungUp),
    ] {
        let (near, mut far) = memory::pair(64 * 1024);
        let client = Client::new();
        let connecting = client.connect_over("wss://localhost/", near);
        let answering = async {
            let mut hello = [0; 64];
            far.read_exact(&mut hello).await.unwrap();
            far.write_all(answer.as_bytes()).await.unwrap();
            drop(far);
        };
        let (result, ()) = tokio::join!(connecting, answering);
        let error = result.unwrap_err();
        let ending = error.ending().unwrap();
        assert_eq!(ending.cause, Cause::TlsFailed);
        assert!(
            matches!(&ending.detail, Detail::Tls { fault, .. } if *fault == expected),
            "{ending:?}"
        );
        assert!(error.to_string().contains("ws in place of wss"), "{error}");
    }
}

/// A certificate as `openssl req -x509` makes it: signed by itself, and marked as an authority's.
fn authority(name: &str) -> (String, String) {
    let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[tokio::test]
async fn an_authority_that_is_trusted_may_be_the_server_itself() {
    let (certificate, key) = authority("localhost");
    let tls = ServerTls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let server = Server::bind("127.0.0.1:0").await.unwrap().with_tls(tls);
    let port = server.local_addr().unwrap().port();
    tokio::spawn(server.serve(|mut socket| async move { socket.recv().await.map(drop) }));
    let url = format!("wss://localhost:{port}/");

    let trusting = ClientTls::with_roots(certificate.as_bytes()).unwrap();
    let client = Client::new().with_tls(trusting);
    let socket = client.connect(&url).await.unwrap();
    drop(socket);
    // Still only under its own name,
    let ending = refused(&client, &url.replace("localhost", "127.0.0.1")).await;
    let is = |ending: &Ending, expected| matches!(ending.detail, Detail::Tls { fault, .. } if fault == expected);
    assert!(is(&ending, TlsFault::WrongName), "{ending:?}");
    // and not for somebody who trusts another one.
    let other = ClientTls::with_roots(authority("localhost").0.as_bytes()).unwrap();
    let client = Client::new().with_tls(other);
    let error = client.connect(&url).await.unwrap_err();
    assert!(
        is(error.ending().unwrap(), TlsFault::AuthorityAsServer),
        "{error:?}"
    );
    assert!(!error.to_string().contains("CaUsedAsEndEntity"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_refusal_is_not_waited_for() {
    for (framing, sent) in [("", "tok"), ("Content-Length: 100\r\n", "tok"), ("", "")] {
        let since = tokio::time::Instant::now();
        let answer = format!("HTTP/1.1 401 Unauthorized\r\n{framing}\r\n{sent}");
        let ending = answered(answer.as_bytes(), |_| {}).await;
        assert_eq!(ending.cause, Cause::HandshakeRejected, "{ending}");
        let response = ending.response.as_deref().unwrap();
        assert_eq!((response.status, &*response.body), (401, sent.as_bytes()));
        assert!(response.body_cut);
        assert!(since.elapsed() <= Duration::from_millis(1_002));
    }
}

/// A TLS server on a port of its own.
async fn serve_tls(seen: &Arc<Seen>) -> String {
    let (certificate, key) = pem();
    let tls = ServerTls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let observer = Arc::clone(seen);
    let server = Server::bind("127.0.0.1:0").await.unwrap().with_tls(tls);
    let server = server.with_acceptor(Acceptor::new().with_observer(observer));
    let port = server.local_addr().unwrap().port();
    tokio::spawn(server.serve(|mut socket| async move { socket.recv().await.map(drop) }));
    format!("wss://localhost:{port}/")
}

#[tokio::test]
async fn a_refusal_keeps_status_headers_and_the_first_kib_of_the_body() {
    let body = "x".repeat(5000);
    let head = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 5000\r\n\r\n";
    let ending = answered(format!("{head}{body}").as_bytes(), |_| {}).await;
    let response = ending.response.as_deref().unwrap();
    assert_eq!((response.status, response.retry_after()), (503, Some("7")));
    assert_eq!(response.headers.len(), 2);
    assert_eq!(response.body, body.as_bytes()[..1024]);
    assert!(response.body_cut);
    let mut whole = expected(Cause::HandshakeRejected, Finish::None, None);
    whole.response = ending.response.clone();
    assert_eq!(ending, whole);
}

#[tokio::test]
async fn an_answer_that_breaks_a_rule_is_invalid() {
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\n\r\n";
    let ending = answered(answer, |_| {}).await;
    let mut whole = expected(Cause::HandshakeInvalid, Finish::None, None);
    whole.detail = Detail::Handshake(Box::new(HandshakeError::AcceptMissing));
    assert_eq!(ending, whole);
}

#[tokio::test]
async fn a_server_that_goes_away_inside_the_handshake_is_eof_or_reset() {
    let ending = answered(b"HTTP/1.1 ", |far| far.end().fail_reading(None)).await;
    let mut whole = expected(Cause::HandshakeEof, Finish::None, None);
    let error = HandshakeError::Eof { received: 9 };
    whole.detail = Detail::Handshake(Box::new(error));
    assert_eq!(ending, whole);

    let reset = |far: &Stream| far.end().fail(ErrorKind::ConnectionReset);
    assert_never(
        &answered(b"", reset).await,
        Cause::HandshakeReset,
        "connection reset",
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_a_handshake_timeout() {
    let ending = answered(b"HTTP/1.1 ", |_| {}).await;
    assert_never(&ending, Cause::HandshakeTimeout, "not done within 15s");
}

/// What a server answers to `request`, and how it calls the end.
async fn asked(acceptor: &Acceptor, request: &str, then: fn(&Stream)) -> (String, Ending) {
    let (near, far) = memory::pair(64 * 1024);
    let asking = async {
        let mut far = Stream::Memory(far);
        far.write_all(request.as_bytes()).await.unwrap();
        then(&far);
        let mut answer = String::new();
        match far.read_to_string(&mut answer).await {
            Ok(_) | Err(_) => answer,
        }
    };
    let (result, answer) = tokio::join!(acceptor.accept(near), asking);
    (answer, Ending::clone(&result.unwrap_err()))
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_is_answered_with_it() {
    let request = REQUEST.replace("Version: 13", "Version: 8") + "\r\n";
    let (answer, ending) = asked(&Acceptor::new(), &request, |_| {}).await;
    assert!(
        answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"),
        "{answer}"
    );
    assert!(
        answer.ends_with("expected 13 (RFC 6455 section 4.2.1 item 6)\n"),
        "{answer}"
    );
    let got = Some("8".to_owned());
    let mut whole = expected(Cause::HandshakeInvalid, Finish::None, None);
    whole.detail = Detail::Handshake(Box::new(HandshakeError::VersionNotSupported { got }));
    assert_eq!(ending, whole);
}

#[tokio::test]
async fn a_head_over_16_kib_is_refused() {
    let request = format!("{REQUEST}X: {}\r\n\r\n", "x".repeat(16 * 1024));
    let (answer, ending) = asked(&Acceptor::new(), &request, |_| {}).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(ending.cause, Cause::HandshakeInvalid);
}

#[tokio::test]
async fn a_page_of_another_host_is_refused_unless_it_is_allowed() {
    let request = format!("{REQUEST}Origin: https://evil.example\r\n\r\n");
    let (answer, ending) = asked(&Acceptor::new(), &request, |_| {}).await;
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    let got = "https://evil.example".to_owned();
    let mut whole = expected(Cause::HandshakeRejected, Finish::None, None);
    whole.detail = Detail::Handshake(Box::new(HandshakeError::OriginNotAllowed { got }));
    assert_eq!(ending, whole);

    for acceptor in [
        Acceptor::new().with_origins(Origins::Any),
        Acceptor::new().with_origins(Origins::only(["https://page.example"])),
    ] {
        let (near, far) = memory::pair(64 * 1024);
        let client = Client::new().with_origin("https://page.example");
        let connecting = client.connect_over("ws://a.example/", far);
        let (accepted, connected) = tokio::join!(acceptor.accept(near), connecting);
        assert!(accepted.is_ok() && connected.is_ok());
    }
}

#[tokio::test]
async fn a_client_that_goes_away_inside_the_handshake_is_eof_or_reset() {
    let eof = |far: &Stream| far.end().fail_reading(None);
    let (answer, ending) = asked(&Acceptor::new(), "GET ", eof).await;
    assert_eq!(answer, "");
    let mut whole = expected(Cause::HandshakeEof, Finish::None, None);
    let error = HandshakeError::Eof { received: 4 };
    whole.detail = Detail::Handshake(Box::new(error));
    assert_eq!(ending, whole);

    let reset = |far: &Stream| far.end().fail(ErrorKind::ConnectionReset);
    let (_, ending) = asked(&Acceptor::new(), "GET ", reset).await;
    assert_never(&ending, Cause::HandshakeReset, "connection reset");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_slow_gets_408() {
    let (answer, ending) = asked(&Acceptor::new(), REQUEST, |_| {}).await;
    assert!(
        answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
        "{answer}"
    );
    assert_never(&ending, Cause::HandshakeTimeout, "not done within 10s");
}

#[tokio::test]
async fn a_mistake_in_the_url_or_the_request_is_no_ending() {
    let client = Client::new();
    let error = client.connect("http://localhost/").await.unwrap_err();
    let got = "http".to_owned();
    assert_eq!(error, ConnectError::Url(InvalidUrl::Scheme { got }));
    assert_eq!(error.ending(), None);
    let client = client.with_header("Sec-WebSocket-Key", "mine");
    let error = client.connect("ws://localhost/").await.unwrap_err();
    assert!(matches!(error, ConnectError::Request(_)));
}

#[tokio::test]
async fn tls_works_with_own_roots_and_without_any() {
    let seen = Arc::new(Seen::default());
    let url = serve_tls(&seen).await;
    for tls in [trusting(), ClientTls::insecure()] {
        let socket = Client::new().with_tls(tls).connect(&url).await.unwrap();
        let ending = socket
            .close(revoir::SendCode::NORMAL_CLOSURE, revoir::Reason::EMPTY)
            .await;
        assert!(ending.is_clean(), "{ending}");
    }
}

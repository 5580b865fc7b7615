//! Connections through a proxy.

use std::io;
use std::time::SystemTime;

use revoir::client::ConnectError;
use revoir::reconnect::{Class, History, Rule, Stop};
use revoir::tls::ClientTls;
use revoir::{Cause, Client, Ending, Policy, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::support::ports::nobody;
use crate::support::wire::{new_pem, server_config, trusting};

/// What is said where nobody but the proxy can have been wrong.
const BLAME: &str = "it is the proxy, not the server";

/// The head of a request, byte by byte, so that nothing behind it is taken.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A proxy for one connection, which answers `answer` and, if that opens the tunnel, passes
/// everything on to `server`. Gives the request.
async fn proxy(answer: &'static str, server: Option<TcpStream>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let head = read_head(&mut client).await;
        client.write_all(answer.as_bytes()).await.unwrap();
        if let Some(mut server) = server {
            let _: io::Result<_> = copy_bidirectional(&mut client, &mut server).await;
        }
        head
    });
    (address, serving)
}

async fn refused(client: &Client, url: &str) -> (String, Ending) {
    match client.connect(url).await {
        Err(error @ ConnectError::Ended(_)) => {
            let ending = Ending::clone(error.ending().unwrap());
            // With all that anybody could print.
            (format!("{error} {error:?} {client:?}"), ending)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_connection_goes_through_the_proxy_with_its_credentials() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let behind = TcpStream::connect(server.local_addr().unwrap())
        .await
        .unwrap();
    let serving = tokio::spawn(server.serve(|mut socket| async move {
        let message = socket.recv().await?;
        socket.send(message).await?;
        Err(socket.recv().await.unwrap_err())
    }));
    let answer = "HTTP/1.1 200 Connection established\r\nVia: a\r\n\r\n";
    let (address, proxying) = proxy(answer, Some(behind)).await;
    let client = Client::new().with_proxy(&format!("http://user:secret@{address}"));
    assert!(!format!("{client:?}").contains("secret"));
    let mut socket = client
        .connect("ws://nowhere.invalid:8080/chat")
        .await
        .unwrap();
    socket.send_text("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap().as_bytes(), b"hello");
    drop(socket);
    let head = proxying.await.unwrap();
    assert_eq!(
        head,
        "CONNECT nowhere.invalid:8080 HTTP/1.1\r\nHost: nowhere.invalid:8080\r\n\
         Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
    );
    serving.abort();
}

#[tokio::test]
async fn the_stream_that_a_proxy_opens_can_be_had_without_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (far, accepted) = tokio::join!(
        TcpStream::connect(listener.local_addr().unwrap()),
        listener.accept()
    );
    let (mut server, _) = accepted.unwrap();
    let (address, serving) = proxy("HTTP/1.1 200 OK\r\n\r\n", Some(far.unwrap())).await;
    let client = Client::new().with_proxy(&address);
    client.check(&url).unwrap();
    let mut stream = client.connect_stream(&url).await.unwrap();
    stream.write_all(b"not HTTP").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut read = String::new();
    server.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "not HTTP");
    server.write_all(b"nor this").await.unwrap();
    drop(server);
    read.clear();
    stream.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "nor this");
    let head = serving.await.unwrap();
    assert!(head.starts_with("CONNECT 127.0.0.1:"), "{head}");

    // Mistakes are found before anything is sent.
    let client = Client::new().with_proxy("ftp://p.example");
    let error = client.check(&url).unwrap_err();
    assert!(matches!(error, ConnectError::Proxy(_)), "{error:?}");
    assert!(client.connect_stream(&url).await.is_err());
    assert!(matches!(
        Client::new().check("http://a.example/"),
        Err(ConnectError::Url(_))
    ));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_its_status_kept() {
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\n\
                  Proxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
    let (address, proxying) = proxy(answer, None).await;
    let client = Client::new().with_proxy(&format!("http://user:secret@{address}"));
    let (text, ending) = refused(&client, "ws://a.example/").await;
    assert_eq!(ending.cause, Cause::HandshakeRejected);
    assert_eq!(ending.response.as_ref().unwrap().status, 407);
    assert!(
        text.contains(&format!("proxy {address}: it refused CONNECT")),
        "{text}"
    );
    assert!(
        !text.contains("secret") && !text.contains("dXNlcjpzZWNyZXQ="),
        "{text}"
    );
    proxying.await.unwrap();
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let address = nobody();
    let client = Client::new().with_proxy(&address.to_string());
    let (text, ending) = refused(&client, "ws://a.example/").await;
    assert_eq!(ending.cause, Cause::Refused);
    assert!(text.contains(&format!("(proxy {address})")), "{text}");
}

#[tokio::test]
async fn a_proxy_that_makes_no_sense_or_hangs_up_is_told_apart() {
    for (answer, cause, tip) in [
        (
            "SSH-2.0-OpenSSH_9.9\r\n\r\n",
            Cause::HandshakeInvalid,
            BLAME,
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nearly",
            Cause::HandshakeInvalid,
            BLAME,
        ),
        // It may as well be the server that the proxy does not reach.
        ("HTTP/1.1 200", Cause::HandshakeEof, "no tunnel was opened"),
    ] {
        let (address, proxying) = proxy(answer, None).await;
        let client = Client::new().with_proxy(&address);
        let (text, ending) = refused(&client, "ws://a.example/").await;
        assert_eq!(ending.cause, cause, "{text}");
        assert!(text.contains(tip), "{text}");
        assert!(text.contains(&format!("proxy {address}: ")), "{text}");
        proxying.await.unwrap();
    }
}

#[tokio::test]
async fn a_silent_proxy_is_a_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::new()
        .with_proxy(&address.to_string())
        .with_connect_timeout(std::time::Duration::from_millis(50));
    let (text, ending) = refused(&client, "ws://a.example/").await;
    assert_eq!(ending.cause, Cause::ConnectTimeout);
    assert!(text.contains("did not answer in time"), "{text}");
}

#[tokio::test]
async fn a_proxy_that_is_none_is_the_callers_mistake() {
    let client = Client::new().with_proxy("socks4://user:secret@127.0.0.1:1080");
    let error = client.connect("ws://a.example/").await.unwrap_err();
    assert!(matches!(error, ConnectError::Proxy(_)));
    let text = error.to_string();
    assert!(
        text.contains("expected http") && !text.contains("secret"),
        "{text}"
    );
}

/// What a proxy says is not the server's word: no credentials of the server's are refreshed for it.
#[tokio::test]
async fn a_refusal_by_a_proxy_is_not_the_servers() {
    let policy = Policy::new()
        .with_refresh(true)
        .with_rule(Rule::statuses(400..=599).named("of the server"));
    for (status, rule, stop, advice) in [
        (403, "proxy-refused", true, "the proxy does not allow it"),
        (401, "proxy-refused", true, "the proxy does not allow it"),
        (407, "proxy-refused", true, "the proxy wants credentials"),
        (502, "proxy-5xx", false, "the proxy cannot reach the server"),
    ] {
        let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
        let (address, proxying) = proxy(answer.leak(), None).await;
        let client = Client::new().with_proxy(&address);
        let error = client.connect("ws://a.example/").await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("HTTP {status}")), "{text}");
        assert!(text.contains(&address) && text.contains(advice), "{text}");
        let ending = error.ending().unwrap();
        let decision = policy.decide(ending, &History::new(), SystemTime::UNIX_EPOCH, 0);
        assert_eq!(&*decision.rule, rule);
        assert_eq!(decision.class == Class::Stop(Stop::Final), stop);
        assert!(!decision.refresh);
        proxying.await.unwrap();
    }
}

/// An echo server, and a connection to it from a proxy.
async fn echo() -> (TcpStream, JoinHandle<()>) {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let behind = TcpStream::connect(server.local_addr().unwrap()).await;
    let serving = tokio::spawn(async move {
        let echoing = server.serve(|mut socket| async move {
            let message = socket.recv().await?;
            socket.send(message).await?;
            Err(socket.recv().await.unwrap_err())
        });
        echoing.await;
    });
    (behind.unwrap(), serving)
}

async fn echoes(client: &Client) {
    let mut socket = client.connect("ws://nowhere.invalid:8080/").await.unwrap();
    socket.send_text("hello").await.unwrap();
    assert_eq!(socket.recv().await.unwrap().as_bytes(), b"hello");
}

#[tokio::test]
async fn a_connection_goes_through_a_socks_proxy_which_resolves_the_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (mut server, serving) = echo().await;
    let proxying = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut methods = [0; 4];
        client.read_exact(&mut methods).await.unwrap();
        assert_eq!(methods, [5, 2, 0, 2]);
        client.write_all(&[5, 2]).await.unwrap();
        let mut credentials = [0; 13];
        client.read_exact(&mut credentials).await.unwrap();
        assert_eq!(&credentials, b"\x01\x04user\x06secret");
        client.write_all(&[1, 0]).await.unwrap();
        let mut request = [0; 22];
        client.read_exact(&mut request).await.unwrap();
        assert_eq!(&request, b"\x05\x01\x00\x03\x0fnowhere.invalid\x1f\x90");
        client
            .write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
            .await
            .unwrap();
        let _: io::Result<_> = copy_bidirectional(&mut client, &mut server).await;
    });
    let client = Client::new().with_proxy(&format!("socks5h://user:secret@{address}"));
    assert!(!format!("{client:?}").contains("secret"));
    echoes(&client).await;
    proxying.await.unwrap();
    serving.abort();
}

#[tokio::test]
async fn a_connection_goes_through_a_proxy_behind_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mut server, serving) = echo().await;
    let proxying = tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let acceptor = TlsAcceptor::from(server_config());
        let mut client = acceptor.accept(client).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"CONNECT nowhere.invalid:8080 HTTP/1.1\r\n"));
        client
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await
            .unwrap();
        let _: io::Result<_> = copy_bidirectional(&mut client, &mut server).await;
    });
    let client = Client::new()
        .with_proxy(&format!("https://localhost:{port}"))
        .with_tls(trusting());
    echoes(&client).await;
    proxying.await.unwrap();
    serving.abort();
}

#[tokio::test]
async fn a_proxy_whose_certificate_nobody_trusts_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let proxying = tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(server_config())
            .accept(client)
            .await
            .is_err()
    });
    let client = Client::new()
        .with_proxy(&format!("https://localhost:{port}"))
        .with_tls(ClientTls::with_roots(new_pem().0.as_bytes()).unwrap());
    let (text, ending) = refused(&client, "ws://a.example/").await;
    assert_eq!(ending.cause, Cause::TlsFailed, "{text}");
    assert!(
        text.contains(&format!("proxy localhost:{port}: ")),
        "{text}"
    );
    assert!(text.contains(BLAME), "{text}");
    assert!(proxying.await.unwrap());
}

/// Wrong credentials stay wrong; a server that is away comes back.
#[tokio::test]
async fn a_refusal_by_a_socks_proxy_is_not_the_servers() {
    for (answer, cause, rule, stop) in [
        (
            &b"\x05\xff"[..],
            Cause::HandshakeRejected,
            "proxy-refused",
            true,
        ),
        (
            b"\x05\0\x05\x02\0\x01",
            Cause::HandshakeRejected,
            "proxy-refused",
            true,
        ),
        (b"\x05\0\x05\x05\0\x01", Cause::Refused, "refused", false),
        (
            b"\x05\0\x05\x04\0\x01",
            Cause::Unreachable,
            "unreachable",
            false,
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxying = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            client.write_all(answer).await.unwrap();
            client.read_to_end(&mut Vec::new()).await.unwrap();
        });
        let client = Client::new().with_proxy(&format!("socks5://{address}"));
        let (text, ending) = refused(&client, "ws://a.example/").await;
        assert_eq!(ending.cause, cause, "{text}");
        assert!(text.contains(&format!("proxy {address}: ")), "{text}");
        let policy = Policy::new().with_refresh(true);
        let decision = policy.decide(&ending, &History::new(), SystemTime::UNIX_EPOCH, 0);
        assert_eq!(
            (&*decision.rule, decision.is_retry()),
            (rule, !stop),
            "{text}"
        );
        proxying.await.unwrap();
    }
}

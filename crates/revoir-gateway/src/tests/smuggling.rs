use revoir_proto::frame::Opcode;
use tokio::io::AsyncWriteExt;

use crate::rules::Mode;
use crate::tests::support::{asked, connected, dial, field, pair, settings};

/// A request that two servers could understand in two ways gets 400, and the connection ends.
#[tokio::test]
async fn a_body_of_unclear_length_never_reaches_the_backend() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    for lines in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length : 5\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "X: 1\r\n Transfer-Encoding: chunked\r\n",
    ] {
        let mut client = dial(between.address).await;
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        client.write(request.as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{lines}{head}");
        client.rest().await;
    }
    // The first that the backend sees is a request that means one thing.
    let (mut client, mut backend) = connected(&listener, &between).await;
    client.text("ok").await;
    assert_eq!(backend.recv().await, "ok");
}

/// RFC 9112 section 3.2.
#[tokio::test]
async fn a_request_has_one_host() {
    let (_listener, between) = pair(settings(Mode::Hold)).await;
    for lines in ["", "Host: a\r\nHost: b\r\n", "Host: a\r\nHost: a\r\n"] {
        let mut client = dial(between.address).await;
        let request = format!("GET / HTTP/1.1\r\n{lines}\r\n");
        client.write(request.as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{lines}{head}");
    }
}

#[tokio::test]
async fn chunked_goes_before_content_length_and_only_that_is_passed_on() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client
        .write(
            b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n\
              0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .await;
    let (mut backend, head) = asked(&listener).await;
    assert!(head.starts_with("POST /1 "), "{head}");
    let lengths = ["Content-Length", "Transfer-Encoding"].map(|name| field(&head, name));
    assert_eq!(lengths, [None, Some("chunked".to_owned())], "{head}");
    while !backend.input.ends_with(b"0\r\n\r\n") {
        assert!(backend.more().await);
    }
    assert_eq!(backend.input, b"0\r\n\r\n");
    backend.input.clear();
    backend
        .write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    // What came behind it is a request of its own, with the fields of one, if it is one at all.
    if client.more().await {
        panic!("an answer to what the backend was not asked");
    }
}

#[tokio::test]
async fn a_backend_that_switches_protocols_unasked_is_a_bad_gateway() {
    for lines in [
        "",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Upgrade: tls/1.0\r\nConnection: Upgrade\r\n",
    ] {
        let (listener, between) = pair(settings(Mode::Hold)).await;
        let mut client = dial(between.address).await;
        client
            .write(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes())
            .await;
        let (mut backend, head) = asked(&listener).await;
        for gone in ["Upgrade", "Connection", "HTTP2-Settings"] {
            assert_eq!(field(&head, gone), None, "{head}");
        }
        backend
            .write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n\
                  raw bytes",
            )
            .await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
        let length = field(&head, "Content-Length").unwrap().parse().unwrap();
        while client.input.len() < length {
            assert!(client.more().await);
        }
        let body = String::from_utf8_lossy(&client.input).into_owned();
        assert!(!body.contains("raw"), "{body}");
    }
}

#[tokio::test]
async fn frames_before_a_refusal_are_no_frames_and_end_the_connection() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = super::support::ask(between.address, "").await;
    client.send(Opcode::Text, b"GET /admin HTTP/1.1").await;
    let (mut backend, _) = asked(&listener).await;
    backend
        .write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 403 "));
    // What follows is read as a request, and is none.
    let rest = String::from_utf8_lossy(&client.rest().await).into_owned();
    assert!(
        rest.is_empty() || rest.starts_with("HTTP/1.1 400 "),
        "{rest}"
    );
    assert!(backend.rest().await.is_empty());
}

#[tokio::test]
async fn a_target_without_a_path_is_a_bad_request() {
    let (_listener, between) = pair(settings(Mode::Hold)).await;
    for target in ["a.example", "=1", "*"] {
        let mut client = dial(between.address).await;
        let request = format!("GET {target} HTTP/1.1\r\nHost: b.example\r\n\r\n");
        client.write(request.as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{target}: {head}");
    }
}

/// What the client does wrong is not the backend's fault.
#[tokio::test]
async fn a_malformed_or_cut_body_is_400() {
    // Some come as far as to a connection to it, which nobody takes.
    let (_listener, between) = pair(settings(Mode::Hold)).await;
    for (lines, body) in [
        (
            "Transfer-Encoding: chunked",
            "5;a=\nb\r\nhello\r\n0\r\n\r\n",
        ),
        ("Transfer-Encoding: chunked", "5\r\nhelloXX"),
        ("Transfer-Encoding: chunked", "0x5\r\nhello\r\n0\r\n\r\n"),
        (
            "Transfer-Encoding: chunked",
            "10000000000000005\r\nhello\r\n0\r\n\r\n",
        ),
        ("Transfer-Encoding: chunked", "5\r\nhe"),
        ("Content-Length: 5", "he"),
    ] {
        let mut client = dial(between.address).await;
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{body}");
        client.write(request.as_bytes()).await;
        client.stream.shutdown().await.unwrap();
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{lines} {body}: {head}");
    }
    assert_eq!(*between.counts.answered.lock().unwrap(), [400; 6]);
}

/// Nobody would tell the backend of it.
#[tokio::test]
async fn a_transfer_coding_beside_chunked_is_501() {
    let (_listener, between) = pair(settings(Mode::Hold)).await;
    for lines in [
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, chunked",
    ] {
        let mut client = dial(between.address).await;
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n0\r\n\r\n");
        client.write(request.as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 501 "), "{lines}: {head}");
    }
}

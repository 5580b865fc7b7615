use super::support::{asked, dial, field, pair, settings};
use crate::gateway::Mode;

#[tokio::test]
async fn a_request_passes_with_its_body_and_the_client_s_address() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client
        .write(
            b"POST /form?x=1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\
              Connection: keep-alive, X-Drop\r\nX-Drop: 1\r\nUpgrade: h2c\r\n\
              Forwarded: for=6.6.6.6\r\nRevoir-Conn: 1\r\n\r\nhello",
        )
        .await;
    let (mut backend, head) = asked(&listener).await;
    assert!(head.starts_with("POST /form?x=1 HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "Host").as_deref(), Some("a.example"));
    assert_eq!(
        field(&head, "X-Forwarded-For").as_deref(),
        Some("127.0.0.1")
    );
    for gone in ["X-Drop", "Upgrade", "Revoir-Conn"] {
        assert_eq!(field(&head, gone), None, "{head}");
    }
    while backend.input.len() < 5 {
        backend.more().await;
    }
    assert_eq!(backend.input, b"hello");
    backend
        .write(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nKeep-Alive: timeout=1\r\n\r\nok")
        .await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
    assert_eq!(field(&head, "Keep-Alive"), None);
    while client.input.len() < 2 {
        client.more().await;
    }
    assert_eq!(client.input, b"ok");
}

#[tokio::test]
async fn a_chunked_body_streams_both_ways() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client
        .write(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        .await;
    let (mut backend, head) = asked(&listener).await;
    assert_eq!(
        field(&head, "Transfer-Encoding").as_deref(),
        Some("chunked")
    );
    // The first part is there before the body is complete.
    while !backend.input.ends_with(b"abc\r\n") {
        assert!(backend.more().await);
    }
    backend
        .write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n")
        .await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    while !client.input.ends_with(b"de\r\n") {
        assert!(client.more().await);
    }
    client.write(b"0\r\n\r\n").await;
    while !backend.input.ends_with(b"0\r\n\r\n") {
        assert!(backend.more().await);
    }
    backend.write(b"0\r\n\r\n").await;
    while !client.input.ends_with(b"0\r\n\r\n") {
        assert!(client.more().await);
    }
}

#[tokio::test]
async fn one_connection_carries_several_requests() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = dial(between.address).await;
    client.write(b"HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (mut backend, head) = asked(&listener).await;
    assert!(head.starts_with("HEAD /1 "), "{head}");
    backend
        .write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        .await;
    let head = client.head().await;
    assert_eq!(field(&head, "Content-Length").as_deref(), Some("1000"));
    client.write(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = backend.head().await;
    assert!(head.starts_with("GET /2 "), "{head}");
    backend.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 204 "));
}

#[tokio::test]
async fn without_a_backend_a_request_gets_503() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    drop(listener);
    let mut client = dial(between.address).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(field(&head, "Retry-After").is_some());
}

use revoir_proto::frame::Opcode;

use crate::front::Settings;
use crate::rules::Mode;
use crate::tests::support::{
    KEY, accepted, ask, asked, connected, dial, field, frame, pair, pass, request, settings, taken,
};
use revoir_proto::Role;
use revoir_proto::handshake::accept;

const MODES: [Mode; 2] = [Mode::Hold, Mode::Tunnel];

#[tokio::test]
async fn the_backend_answers_and_the_client_gets_its_choice() {
    for mode in MODES {
        let (listener, between) = pair(settings(mode)).await;
        let lines = "Cookie: session=1\r\nAuthorization: Bearer x\r\nOrigin: https://a.example\r\n\
                     Sec-WebSocket-Protocol: chat, superchat\r\nX-Forwarded-For: 6.6.6.6\r\n\
                     Revoir-Resume: conn=1\r\n";
        let mut client = ask(between.address, lines).await;
        let (mut backend, head) = asked(&listener).await;
        assert!(head.starts_with("GET /chat?a=b HTTP/1.1\r\n"), "{head}");
        for (name, value) in [
            ("Host", "chat.example"),
            ("Cookie", "session=1"),
            ("Authorization", "Bearer x"),
            ("Origin", "https://a.example"),
            ("Sec-WebSocket-Protocol", "chat, superchat"),
            ("Sec-WebSocket-Key", KEY),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Host", "chat.example"),
        ] {
            assert_eq!(
                field(&head, name).as_deref(),
                Some(value),
                "{name} in {head}"
            );
        }
        assert_eq!(field(&head, "Revoir-Resume"), None);
        assert!(field(&head, "Revoir-Conn").is_some());
        let answer = "Sec-WebSocket-Protocol: superchat\r\nSet-Cookie: a=b\r\n";
        accepted(&mut backend, &head, answer).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert_eq!(field(&head, "Sec-WebSocket-Accept"), Some(accept(KEY)));
        assert_eq!(
            field(&head, "Sec-WebSocket-Protocol").as_deref(),
            Some("superchat")
        );
        assert_eq!(field(&head, "Set-Cookie").as_deref(), Some("a=b"));
        client.text("hello").await;
        assert_eq!(backend.recv().await, "hello");
        backend.text("there").await;
        assert_eq!(client.recv().await, "there");
    }
}

#[tokio::test]
async fn compressed_messages_stand_alone_in_hold_and_pass_as_agreed_in_a_tunnel() {
    let offer = "Sec-WebSocket-Extensions: x-other, permessage-deflate; client_max_window_bits\r\n";
    for (mode, offered, answer, expected) in [
        (
            Mode::Hold,
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        ),
        (
            Mode::Tunnel,
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=10",
            "permessage-deflate; client_max_window_bits=10",
        ),
    ] {
        let (listener, between) = pair(settings(mode)).await;
        let mut client = ask(between.address, offer).await;
        let (mut backend, head) = asked(&listener).await;
        let got = field(&head, "Sec-WebSocket-Extensions");
        assert_eq!(got.as_deref(), Some(offered));
        let line = format!("Sec-WebSocket-Extensions: {answer}\r\n");
        accepted(&mut backend, &head, &line).await;
        let got = field(&client.head().await, "Sec-WebSocket-Extensions");
        assert_eq!(got.as_deref(), Some(expected));
        // RSV1 means something now, and passes.
        let mut compressed = frame(Role::Client, Opcode::Text, b"\xcaH\xcd\xc9\xc9\x07\0");
        compressed[0] |= 0x40;
        client.write(&compressed).await;
        backend.more().await;
        assert_eq!(backend.input, compressed);
    }
}

#[tokio::test]
async fn a_refusal_passes_with_its_fields_and_body_and_nothing_is_tunnelled() {
    for mode in MODES {
        let (listener, between) = pair(settings(mode)).await;
        let mut client = ask(between.address, "").await;
        client
            .write(b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        let (mut backend, _) = asked(&listener).await;
        let body = "x".repeat(5000);
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 5000\r\nX-HoldCause: because\r\n\
             Upgrade: h2c\r\nConnection: X-Secret\r\nX-Secret: 1\r\n\r\n{body}"
        );
        backend.write(answer.as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
        assert_eq!(field(&head, "X-HoldCause").as_deref(), Some("because"));
        assert_eq!(
            (field(&head, "X-Secret"), field(&head, "Upgrade")),
            (None, None)
        );
        while client.input.len() < 5000 {
            assert!(client.more().await);
        }
        assert_eq!(client.input[..5000], *body.as_bytes());
        // What came behind the refused request is a request of its own, over a connection of its
        // own, and with the fields of one.
        let (_, head) = asked(&listener).await;
        assert!(head.starts_with("GET /admin HTTP/1.1\r\n"), "{head}");
        assert!(field(&head, "X-Forwarded-For").is_some());
    }
}

#[tokio::test]
async fn bytes_sent_before_the_answer_come_first() {
    for mode in MODES {
        let (listener, between) = pair(settings(mode)).await;
        let mut client = dial(between.address).await;
        let mut early = request("").into_bytes();
        early.extend_from_slice(&frame(Role::Client, Opcode::Text, b"1"));
        early.extend_from_slice(&frame(Role::Client, Opcode::Text, b"2"));
        client.write(&early).await;
        let (mut backend, head) = asked(&listener).await;
        // The backend, too, says something along with its answer.
        let key = field(&head, "Sec-WebSocket-Key").unwrap();
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept(&key)
        )
        .into_bytes();
        answer.extend_from_slice(&frame(Role::Server, Opcode::Text, b"hi"));
        backend.write(&answer).await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        assert_eq!(client.recv().await, "hi");
        client.text("3").await;
        for expected in ["1", "2", "3"] {
            assert_eq!(backend.recv().await, expected);
        }
    }
}

#[tokio::test]
async fn a_handshake_that_breaks_a_rule_never_reaches_the_backend() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    for (lines, status) in [
        (request("").replace("GET", "POST"), "405"),
        (request("").replace(": 13", ": 8"), "426"),
        (request("").replace("HTTP/1.1", "HTTP/1.0"), "400"),
        (request("").replace(KEY, "short"), "400"),
        (request("Content-Length: 5\r\n") + "12345", "400"),
        (
            request("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
            "400",
        ),
        (
            request("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
            "400",
        ),
    ] {
        let mut client = dial(between.address).await;
        client.write(lines.as_bytes()).await;
        let head = client.head().await;
        assert_eq!(head.split(' ').nth(1), Some(status), "{lines}\n{head}");
    }
    // The first that the backend sees is the one that keeps to the rules.
    let (mut client, mut backend) = connected(&listener, &between).await;
    client.text("ok").await;
    assert_eq!(backend.recv().await, "ok");
}

#[tokio::test]
async fn a_fault_of_the_backend_is_an_answer_and_502_to_504_are_none() {
    for (status, accepts) in [
        (500, true),
        (501, true),
        (502, false),
        (503, false),
        (504, false),
    ] {
        let (listener, between) = pair(settings(Mode::Hold)).await;
        let mut client = ask(between.address, "").await;
        let (mut backend, _) = asked(&listener).await;
        let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
        backend.write(answer.as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        let upstream = &between.gateway.overview().upstreams[0];
        assert_eq!(upstream.accepts, accepts, "{status}");
    }
}

#[tokio::test]
async fn without_a_backend_a_client_waits_up_to_the_limit_and_gets_503() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    drop(listener);
    let mut client = ask(between.address, "").await;
    between.away().await;
    pass(Settings::default().wait_limit).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert_eq!(field(&head, "Retry-After").as_deref(), Some("5"));
}

#[tokio::test]
async fn a_client_that_waits_for_a_backend_gets_it() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut client = ask(between.address, "").await;
    // The gateway finds out first.
    between.away().await;
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let (mut backend, _) = taken(&listener).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.text("at last").await;
    assert_eq!(backend.recv().await, "at last");
}

#[tokio::test]
async fn a_backend_that_says_nothing_is_504_and_one_that_talks_nonsense_502() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut client = ask(between.address, "").await;
    let (_backend, _) = asked(&listener).await;
    pass(Settings::default().handshake_limit).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 504 "), "{head}");

    for answer in [
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOx=\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
    ] {
        let (listener, between) = pair(settings(Mode::Hold)).await;
        let mut client = ask(between.address, "").await;
        let (mut backend, _) = asked(&listener).await;
        backend.write(answer.as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 502 "), "{answer}\n{head}");
    }
}

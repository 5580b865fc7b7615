//! Opening handshakes: what HELLO says reaches the backend, and what it answers the client.

use revoir::session::{self, Event};
use revoir_proto::frame::Opcode;

use crate::rules::Mode;
use crate::session::SessionSettings;
use crate::tests::sessions::{stage, staged, text};
use crate::tests::support::{accepted, ask, asked, field, settings, soon, taken};
use crate::watch::Limit;

/// HELLO of a client without a token, with a window of 1,024 messages and 256 KiB.
const HELLO: [u8; 11] = [1, 6, 2, 0x44, 0, 7, 4, 0x80, 4, 0, 0];

const OFFER: &str = "Sec-WebSocket-Protocol: revoir.v1\r\n";

#[tokio::test]
async fn hello_reaches_the_backend_and_its_answer_welcome() {
    let stage = stage(Mode::Auto).await;
    let client = session::Client::new()
        .with_subprotocol("chat.v2")
        .with_subprotocol("chat.v1")
        .with_header("Authorization", "Bearer 1")
        .with_header("X-Forwarded-For", "192.0.2.1");
    let mut client = client.start(stage.link()).unwrap();
    let (mut backend, head) = asked(&stage.backend).await;
    assert!(head.starts_with("GET /chat?a=b HTTP/1.1\r\n"), "{head}");
    let offered = field(&head, "Sec-WebSocket-Protocol");
    assert_eq!(offered.as_deref(), Some("chat.v2, chat.v1"));
    assert_eq!(field(&head, "Authorization").as_deref(), Some("Bearer 1"));
    assert_eq!(
        field(&head, "X-Forwarded-For").as_deref(),
        Some("127.0.0.1")
    );
    assert_eq!(field(&head, "Sec-WebSocket-Extensions"), None);
    assert!(field(&head, "Revoir-Conn").is_some());
    let lines = "Sec-WebSocket-Protocol: chat.v1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n";
    accepted(&mut backend, &head, lines).await;
    let Some(Event::Attached(attached)) = soon(client.event()).await else {
        panic!("no welcome");
    };
    assert_eq!(attached.verdict.id(), "new");
    assert_eq!(attached.protocol.as_deref(), Some("chat.v1"));
    let cookies = "set-cookie: a=1\nset-cookie: b=2";
    assert_eq!(attached.headers.as_deref(), Some(cookies));
}

#[tokio::test]
async fn a_refusal_of_the_backend_is_a_close_that_says_so() {
    let stage = stage(Mode::Auto).await;
    for (status, code, reason) in [
        ("403 Forbidden", 3003, "HTTP 403 Forbidden"),
        ("404 Gone", 4404, "HTTP 404 Not Found"),
        (
            "429 Slow\r\nRetry-After: 9",
            1013,
            "HTTP 429 Too Many Requests [after=9000ms spread=15000ms]",
        ),
    ] {
        let mut client = ask(stage.between.address, OFFER).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let chosen = field(&head, "Sec-WebSocket-Protocol");
        assert_eq!(chosen.as_deref(), Some("revoir.v1"));
        client.send(Opcode::Binary, &HELLO).await;
        let (mut backend, _) = asked(&stage.backend).await;
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        backend.write(answer.as_bytes()).await;
        assert_eq!(client.closed().await, (code, reason.to_owned()));
    }
    assert_eq!(stage.between.gateway.connections(), 0);
}

#[tokio::test]
async fn a_client_without_the_subprotocol_is_treated_as_before() {
    let stage = stage(Mode::Auto).await;
    let mut client = ask(stage.between.address, "").await;
    let (mut backend, _) = taken(&stage.backend).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.text("1").await;
    assert_eq!(backend.recv().await, "1");
    assert!(stage.between.gateway.handles()[0].session().is_none());
}

#[tokio::test]
async fn whoever_resumes_has_a_place_in_a_full_gateway() {
    let mut setup = settings(Mode::Auto);
    setup.settings.room.in_all = 1;
    let stage = staged(setup, SessionSettings::default()).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    let mut other = ask(stage.between.address, OFFER).await;
    assert!(other.head().await.starts_with("HTTP/1.1 503 "));
    stage.lose_the_client().await;
    // Whether another one is new, only its HELLO tells.
    let mut other = ask(stage.between.address, OFFER).await;
    assert!(other.head().await.starts_with("HTTP/1.1 101 "));
    other.send(Opcode::Binary, &HELLO).await;
    let (code, reason) = other.closed().await;
    assert_eq!(code, 1013);
    assert!(reason.starts_with("HTTP 503 "), "{reason}");
    assert_eq!(stage.between.counts.limited(Limit::Connections), 2);
    backend.text("2").await;
    stage.network.is_down(false);
    assert_eq!(text(&mut client).await, "2");
}

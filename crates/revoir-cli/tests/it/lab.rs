//! The lab behind the gateway of `serve`: every way to end, played by a client of our own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use revoir::client::ConnectError;
use revoir::ending::Slot;
use revoir::{Client, Ending, Reason, SendCode, WebSocket};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Reference;

/// The longest message that the server of the lab takes, in bytes.
const MESSAGE_LIMIT: usize = 4_096;
/// Connections of the lab from one address.
const CONNECTIONS_PER_ADDRESS: usize = 16;

fn token() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{:032x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn get(lab: SocketAddr, path: &str) -> (u16, Value) {
    ask(lab, "GET", path, "").await
}

/// Status and body of an answer. The fields are lines.
async fn ask(lab: SocketAddr, method: &str, path: &str, fields: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(lab).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {lab}\r\nContent-Length: 0\r\n{fields}Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer[9..12].parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// Ends a connection in this way. What the client and the server say of it.
async fn see(lab: SocketAddr, way: &str) -> (Ending, Value) {
    let token = token();
    let url = format!("ws://{lab}/lab/end/{way}?token={token}");
    let near = match Client::new().connect(&url).await {
        Ok(mut socket) => {
            let length = if way == "too-big" {
                MESSAGE_LIMIT + 1
            } else {
                2
            };
            socket.send_text("o".repeat(length)).await.unwrap();
            loop {
                if let Err(ending) = socket.recv().await {
                    break Ending::clone(&ending);
                }
            }
        }
        Err(ConnectError::Ended(ending)) => Ending::clone(&ending),
        Err(other) => panic!("{other}"),
    };
    let (status, mut found) = get(lab, &format!("/lab/endings/{token}")).await;
    assert_eq!(status, 200, "{found}");
    (near, found["ending"].take())
}

#[tokio::test]
async fn a_server_ends_in_the_way_that_it_was_asked_to() {
    let reference = Reference::start();
    let lab = reference.address();
    let mut wrong = Vec::new();
    for (way, near, far) in [
        (
            "close-1012",
            (1012, "closed-by-peer"),
            (1012, "closed-locally", "answered"),
        ),
        (
            "close-4321",
            (4321, "closed-by-peer"),
            (4321, "closed-locally", "answered"),
        ),
        (
            "slot-1013",
            (1013, "closed-by-peer"),
            (1013, "closed-locally", "answered"),
        ),
        (
            "fail",
            (1011, "closed-by-peer"),
            (1011, "handler-failed", "answered"),
        ),
        (
            "silent",
            (3008, "closed-by-peer"),
            (1006, "pong-timeout", "timeout"),
        ),
        (
            "too-big",
            (1009, "closed-by-peer"),
            (1006, "message-too-big", "eof"),
        ),
        (
            "empty",
            (1005, "closed-by-peer"),
            (1005, "closed-by-peer", "answered"),
        ),
        (
            "past-1006",
            (1006, "protocol-error"),
            (1002, "closed-by-peer", "answered"),
        ),
        (
            "past-1004",
            (1006, "protocol-error"),
            (1002, "closed-by-peer", "answered"),
        ),
        ("fin", (1006, "eof"), (1006, "eof", "eof")),
        ("reset", (1006, "reset"), (1006, "reset", "reset")),
        ("cut", (1006, "eof"), (1006, "eof", "eof")),
        (
            "bad-text",
            (1006, "invalid-data"),
            (1007, "closed-by-peer", "answered"),
        ),
        (
            "too-long",
            (1006, "protocol-error"),
            (1002, "closed-by-peer", "answered"),
        ),
        (
            "status-401",
            (1006, "handshake-rejected"),
            (1006, "handshake-rejected", "none"),
        ),
    ] {
        let (ending, found) = see(lab, way).await;
        let said = |key: &str| found[key].as_str().unwrap();
        let number = found["code"].as_u64().unwrap();
        let seen = (ending.code().get(), ending.cause.id());
        let heard = (number, said("cause"), said("finish"));
        if seen != near || heard != far {
            wrong.push(format!("{way}: {ending} and {}", found["text"]));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test]
async fn a_cut_comes_inside_a_frame() {
    let reference = Reference::start();
    let lab = reference.address();
    let (ending, _) = see(lab, "cut").await;
    assert!(ending.in_frame, "{ending}");
}

#[tokio::test]
async fn a_page_that_closes_itself_is_heard() {
    let reference = Reference::start();
    let lab = reference.address();
    let token = token();
    let url = format!("ws://{lab}/lab/end/page-close-3000?token={token}");
    let socket = revoir::connect(&url).await.unwrap();
    let code = SendCode::try_from(3000).unwrap();
    socket.close(code, Reason::EMPTY).await;
    let (_, found) = get(lab, &format!("/lab/endings/{token}")).await;
    assert_eq!(found["ending"]["cause"], "closed-by-peer");
    assert_eq!(found["ending"]["received"]["code"], 3000);
}

#[tokio::test]
async fn a_token_is_needed_and_good_for_one_connection() {
    let reference = Reference::start();
    let lab = reference.address();
    let (status, problem) = get(lab, "/lab/end/fin").await;
    assert_eq!(
        (status, &problem["error"]),
        (400, &"a token is missing".into())
    );
    let (status, _) = get(lab, "/lab/end/nothing").await;
    assert_eq!(status, 404);
    let (status, _) = get(lab, &format!("/lab/endings/{}", token())).await;
    assert_eq!(status, 404);
    let url = format!("ws://{lab}/lab/end/fin?token={}", token());
    let _first = revoir::connect(&url).await.unwrap();
    let refused = revoir::connect(&url).await.unwrap_err();
    let status = refused.ending().unwrap().response.as_ref().unwrap().status;
    assert_eq!(status, 503);
}

#[tokio::test]
async fn one_address_has_only_so_many_connections() {
    let reference = Reference::start();
    let lab = reference.address();
    let mut open = Vec::new();
    loop {
        let url = format!("ws://{lab}/lab/end/page-empty?token={}", token());
        match revoir::connect(&url).await {
            Ok(socket) => open.push(socket),
            Err(refused) => {
                let ending = refused.ending().unwrap();
                assert_eq!(ending.response.as_ref().unwrap().status, 429);
                break;
            }
        }
    }
    assert_eq!(open.len(), CONNECTIONS_PER_ADDRESS);
}

#[tokio::test]
async fn a_page_of_another_host_is_not_let_in() {
    let reference = Reference::start();
    let lab = reference.address();
    let url = format!("ws://{lab}/lab/end/fin?token={}", token());
    let client = Client::new().with_origin("https://elsewhere.example");
    let refused = client.connect(&url).await.unwrap_err();
    let status = refused.ending().unwrap().response.as_ref().unwrap().status;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn the_next_step_is_told() {
    let reference = Reference::start();
    let lab = reference.address();
    let path = "/lab/decision?code=1012&reason=x%20%5Bafter%3D2500ms%5D&opened=true";
    let (status, decided) = get(lab, path).await;
    assert_eq!(status, 200);
    let delay = decided["decision"]["delay_ms"].as_u64().unwrap();
    assert_eq!(Duration::from_millis(delay), Duration::from_millis(2_500));
    assert_eq!(decided["decision"]["class"], "advised");
    assert_eq!(decided["decision"]["rule"], "code-1012");
}

/// A page's live connection, and its token.
async fn live(lab: SocketAddr) -> (WebSocket, String) {
    let token = token();
    let url = format!("ws://{lab}/lab/live?token={token}");
    let mut socket = revoir::connect(&url).await.unwrap();
    assert_eq!(text(&mut socket).await, "backend 1");
    (socket, token)
}

async fn text(socket: &mut WebSocket) -> String {
    let message = socket.recv().await.unwrap();
    String::from_utf8(message.as_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_restart_of_the_backend_leaves_the_live_connection_alone() {
    let reference = Reference::start();
    let lab = reference.address();
    let (mut socket, token) = live(lab).await;
    socket.send_text("1").await.unwrap();
    assert_eq!(text(&mut socket).await, "1");
    let path = format!("/lab/do/restart?token={token}");
    assert_eq!(ask(lab, "POST", &path, "").await.0, 200);
    // Once at a time.
    assert_eq!(ask(lab, "POST", &path, "").await.0, 409);
    assert_eq!(text(&mut socket).await, "resumed 2");
    socket.send_text("2").await.unwrap();
    assert_eq!(text(&mut socket).await, "2");
}

#[tokio::test]
async fn a_close_tells_the_live_connection_when_to_come_back() {
    let reference = Reference::start();
    let lab = reference.address();
    let (mut socket, token) = live(lab).await;
    let path = format!("/lab/do/close?token={token}");
    assert_eq!(ask(lab, "POST", &path, "").await.0, 200);
    let ending = socket.recv().await.unwrap_err();
    assert_eq!(ending.code().get(), 1012);
    assert!(Slot::read(ending.code(), ending.reason()).is_some());
}

#[tokio::test]
async fn a_pulled_cable_is_silence_and_no_end() {
    let reference = Reference::start();
    let lab = reference.address();
    let (mut socket, token) = live(lab).await;
    socket.send_text("1").await.unwrap();
    assert_eq!(text(&mut socket).await, "1");
    let path = format!("/lab/do/silence?token={token}");
    assert_eq!(ask(lab, "POST", &path, "").await.0, 200);
    socket.send_text("2").await.unwrap();
    // It is still there: it takes part in a close, and never said "2".
    drop(socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
    let ending = socket.recv().await.unwrap_err();
    assert_eq!((ending.code().get(), ending.is_clean()), (1000, true));
    let unknown = format!("/lab/do/silence?token={}", self::token());
    assert_eq!(ask(lab, "POST", &unknown, "").await.0, 409);
}

#[tokio::test]
async fn a_cut_says_nothing() {
    let reference = Reference::start();
    let lab = reference.address();
    let (mut socket, token) = live(lab).await;
    let path = format!("/lab/do/cut?token={token}");
    assert_eq!(ask(lab, "POST", &path, "").await.0, 200);
    let ending = socket.recv().await.unwrap_err();
    assert_eq!(ending.code().get(), 1006);
    assert!(ending.received.is_none());
}

#[tokio::test]
async fn only_the_page_itself_presses_its_buttons() {
    let reference = Reference::start();
    let lab = reference.address();
    let (_socket, token) = live(lab).await;
    let path = format!("/lab/do/cut?token={token}");
    for other in [
        "Sec-Fetch-Site: cross-site\r\n",
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
    ] {
        assert_eq!(ask(lab, "POST", &path, other).await.0, 403, "{other}");
    }
    let unknown = format!("/lab/do/cut?token={}", self::token());
    assert_eq!(ask(lab, "POST", &unknown, "").await.0, 409);
    let nothing = format!("/lab/do/nothing?token={token}");
    assert_eq!(ask(lab, "POST", &nothing, "").await.0, 404);
}

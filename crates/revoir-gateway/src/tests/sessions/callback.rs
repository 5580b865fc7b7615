//! A backend that wants to know is told when a client is away, and when it is back.

use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;

use crate::rules::Mode;
use crate::session::{CallbackSettings, SessionSettings};
use crate::tests::ports::listen_async;
use crate::tests::sessions::{Stage, staged, text};
use crate::tests::support::{Raw, accepted, asked, field, pass, settings};
use crate::upstream::NameTimes;

const LIMIT: Duration = Duration::from_secs(7);

async fn with_callback() -> (Stage, TcpListener) {
    let told = listen_async();
    let session = SessionSettings {
        callback: Some(CallbackSettings {
            uri: format!("http://{}/told?key=1", told.local_addr().unwrap())
                .parse()
                .unwrap(),
            limit: LIMIT,
            trust: None,
            names: NameTimes::default(),
        }),
        ..SessionSettings::default()
    };
    (staged(settings(Mode::Auto), session).await, told)
}

/// What was posted, behind this head.
async fn body(raw: &mut Raw, head: &str) -> Value {
    assert!(head.starts_with("POST /told?key=1 HTTP/1.1\r\n"), "{head}");
    let json = field(head, "Content-Type");
    assert_eq!(json.as_deref(), Some("application/json"));
    let length: usize = field(head, "Content-Length").unwrap().parse().unwrap();
    while raw.input.len() < length {
        assert!(raw.more().await, "the body is cut");
    }
    let body: Vec<u8> = raw.input.drain(..length).collect();
    serde_json::from_slice(&body).unwrap()
}

async fn answer(raw: &mut Raw, status: &str) {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    raw.write(answer.as_bytes()).await;
}

#[tokio::test]
async fn a_backend_is_told_of_which_connection_the_client_is_away_and_back() {
    let (stage, told) = with_callback().await;
    let client = revoir::session::Client::new().start(stage.link());
    let mut client = client.unwrap();
    let (mut backend, head) = asked(&stage.backend).await;
    let name = field(&head, "Revoir-Conn").unwrap();
    accepted(&mut backend, &head, "").await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    stage.lose_the_client().await;
    let (mut raw, head) = asked(&told).await;
    let notice = body(&mut raw, &head).await;
    assert_eq!(notice["event"], "detached");
    assert_eq!(notice["connection"], *name);
    assert!(notice["time"].as_str().unwrap().ends_with('Z'), "{notice}");
    answer(&mut raw, "204 No Content").await;
    stage.network.is_down(false);
    // Over the same connection.
    let head = raw.head().await;
    let notice = body(&mut raw, &head).await;
    assert_eq!(notice["event"], "resumed");
    assert_eq!(notice["connection"], *name);
    answer(&mut raw, "204 No Content").await;
    backend.text("2").await;
    assert_eq!(text(&mut client).await, "2");
}

#[tokio::test]
async fn nobody_waits_for_a_callback_and_what_it_does_not_take_is_said_once() {
    let (stage, told) = with_callback().await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    stage.lose_the_client().await;
    let (mut raw, head) = asked(&told).await;
    assert_eq!(body(&mut raw, &head).await["event"], "detached");
    // It says nothing, and its client comes back all the same.
    stage.network.is_down(false);
    backend.text("2").await;
    assert_eq!(text(&mut client).await, "2");
    pass(LIMIT).await;
    assert!(!raw.more().await);
    pass(Duration::from_secs(1)).await;
    let (mut raw, head) = asked(&told).await;
    assert_eq!(body(&mut raw, &head).await["event"], "resumed");
    answer(&mut raw, "500 Internal Server Error").await;
    stage.lose_the_client().await;
    pass(Duration::from_secs(1)).await;
    // What it did not take may come once more before.
    let head = raw.head().await;
    if body(&mut raw, &head).await["event"] == "resumed" {
        answer(&mut raw, "204 No Content").await;
        let head = raw.head().await;
        assert_eq!(body(&mut raw, &head).await["event"], "detached");
    }
}

//! Routes with more than one upstream.

use std::time::Duration;

use revoir_codes::SendCode;
use revoir_proto::Role;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::front::{Destination, RouteSettings, Settings};
use crate::tests::support::{
    Between, Counts, Raw, accepted, ask, dial, field, routed, soon, taken, target,
};
use crate::upstream::{Check, PoolSettings, Thresholds};

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A gateway with one route, to both.
async fn before(first: &TcpListener, second: &TcpListener, check: Option<Check>) -> Between {
    let at = |listener: &TcpListener| target(listener.local_addr().unwrap());
    let pool = PoolSettings {
        more: vec![at(second)],
        check,
        ..PoolSettings::new(at(first))
    };
    let route = RouteSettings::new("/", Destination::Upstreams(pool));
    routed(vec![route], Settings::default()).await
}

/// A client, and its backend behind `listener`.
async fn connected(between: &Between, listener: &TcpListener) -> (Raw, Raw) {
    let mut client = ask(between.address, "").await;
    let (backend, _) = taken(listener).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    (client, backend)
}

#[tokio::test]
async fn a_client_goes_where_the_fewest_are() {
    let (first, second) = (listen().await, listen().await);
    let between = before(&first, &second, None).await;
    let one = connected(&between, &first).await;
    let _two = connected(&between, &second).await;
    let _three = connected(&between, &first).await;
    let _four = connected(&between, &second).await;
    // ClientLimits at the second.
    let (mut client, mut backend) = connected(&between, &first).await;
    let _six = connected(&between, &second).await;
    client.close(1000).await;
    assert_eq!(backend.closed().await.0, 1000);
    backend.close(1000).await;
    assert_eq!(client.closed().await.0, 1000);
    let ended = |counts: &Counts| counts.ended.lock().unwrap().len();
    between.counts.at_least(ended, 2).await;
    let _seven = connected(&between, &first).await;
    drop(one);
}

#[tokio::test]
async fn one_that_is_away_is_passed_over_by_clients_and_by_requests() {
    let (first, second) = (listen().await, listen().await);
    let between = before(&first, &second, None).await;
    drop(first);
    let mut client = dial(between.address).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (stream, _) = soon(second.accept()).await.unwrap();
    let mut backend = Raw::new(stream, Role::Server);
    backend.head().await;
    backend.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 204 "));
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(connected(&between, &second).await);
    }
}

#[tokio::test]
async fn a_held_client_returns_to_whoever_is_there() {
    let (first, second) = (listen().await, listen().await);
    let between = before(&first, &second, None).await;
    let (mut client, mut backend) = connected(&between, &first).await;
    client.text("one").await;
    assert_eq!(backend.recv().await, "one");
    backend.close(SendCode::SERVICE_RESTART.get()).await;
    // The first goes on listening, and is left alone: it said that it restarts.
    let (mut backend, head) = taken(&second).await;
    let resume = field(&head, "Revoir-Resume").expect("Revoir-Resume");
    assert!(resume.contains("written=1, received=0"), "{resume}");
    client.text("two").await;
    assert_eq!(backend.recv().await, "two");
}

/// Refuses everything, and tells what was asked for.
fn refusing(listener: TcpListener) -> mpsc::UnboundedReceiver<String> {
    let (told, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut asking = Raw::new(stream, Role::Server);
            let head = asking.head().await;
            let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
            asking.write(answer).await;
            let _ = told.send(head.lines().next().unwrap_or_default().to_owned());
        }
    });
    asked
}

#[tokio::test]
async fn one_whose_checks_fail_is_left_out() {
    let (sick, well) = (listen().await, listen().await);
    let check = Check {
        path: Some("/healthz".to_owned()),
        interval: Duration::from_millis(5),
        timeout: Duration::from_secs(10),
        thresholds: Thresholds {
            failures: 3,
            successes: 2,
        },
    };
    let between = before(&sick, &well, Some(check)).await;
    let mut asked = refusing(sick);
    // A check is answered after the one before it was taken note of.
    for _ in 0..4 {
        soon(asked.recv()).await.unwrap();
    }
    let address = between.address;
    let asking = tokio::spawn(async move { ask(address, "").await.head().await });
    loop {
        let (stream, _) = soon(well.accept()).await.unwrap();
        let mut backend = Raw::new(stream, Role::Server);
        let head = backend.head().await;
        if head.starts_with("GET /chat") {
            accepted(&mut backend, &head, "").await;
            break;
        }
        backend.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    }
    assert!(soon(asking).await.unwrap().starts_with("HTTP/1.1 101 "));
    while let Ok(line) = asked.try_recv() {
        assert_eq!(line, "GET /healthz HTTP/1.1");
    }
}

#[tokio::test]
async fn a_body_goes_to_the_next_upstream_while_nothing_was_sent() {
    let (first, second) = (listen().await, listen().await);
    let between = before(&first, &second, None).await;
    // Nobody listens there any more.
    drop(first);
    let mut client = dial(between.address).await;
    client
        .write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        .await;
    let (stream, _) = soon(second.accept()).await.unwrap();
    let mut backend = Raw::new(stream, Role::Server);
    backend.head().await;
    while backend.input.len() < 5 {
        assert!(backend.more().await);
    }
    assert_eq!(backend.input, b"hello");
    backend.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 204 "), "{head}");
}

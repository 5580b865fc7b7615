//! Which request goes where: to a backend, or to what is built in.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use revoir::drain::Drain;
use revoir::{Acceptor, Ending, Incoming, Message, WebSocket};
use revoir_codes::CloseCode;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::front::{Destination, LocalService, RouteSettings, Settings};
use crate::tests::ports::listen_async;
use crate::tests::support::{Between, ask, asked, dial, routed, soon, taken, target};
use crate::upstream::PoolSettings;

async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

/// A page at `/`, and an echo at `/echo`.
fn site() -> LocalService {
    let acceptor = Acceptor::new();
    let tracker = acceptor.tracker().clone();
    let upgraded = |incoming: Incoming| async move {
        let peer = incoming.peer_addr().expect("the gateway tells it");
        assert!(peer.ip().is_loopback());
        incoming.run(echo)
    };
    let router = Router::new()
        .route("/", get(|| async { "built in" }))
        .route("/echo", any(upgraded))
        .with_state(acceptor);
    LocalService::with_tracker(router, tracker)
}

fn to(path: &str, destination: impl Into<Destination>) -> RouteSettings {
    RouteSettings::new(path, destination.into())
}

impl From<LocalService> for Destination {
    fn from(site: LocalService) -> Self {
        Self::LocalService(site)
    }
}

impl From<&TcpListener> for Destination {
    fn from(backend: &TcpListener) -> Self {
        let target = target(backend.local_addr().unwrap());
        Self::Upstreams(PoolSettings::new(target))
    }
}

/// The status of the answer to a plain request.
async fn status(between: &Between, path: &str) -> String {
    let mut client = dial(between.address).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    client.write(request.as_bytes()).await;
    let head = client.head().await;
    head.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn what_is_built_in_answers_pages_and_takes_web_sockets_over() {
    let between = routed(vec![to("/", site())], Settings::default()).await;
    assert_eq!(status(&between, "/").await, "200");
    assert_eq!(status(&between, "/nothing").await, "404");
    let url = format!("ws://{}/echo", between.address);
    let mut client = soon(revoir::connect(&url)).await.unwrap();
    client.send_text("over the gateway").await.unwrap();
    let message = soon(client.recv()).await.unwrap();
    assert_eq!(message, Message::Text("over the gateway".into()));
}

#[tokio::test]
async fn a_drain_is_one_of_the_built_in_connections_too() {
    // Two routes lead to it, and a connection counts once all the same.
    let site = site();
    let routes = vec![to("/", site.clone()), to("/echo", site)];
    let between = routed(routes, Settings::default()).await;
    let url = format!("ws://{}/echo", between.address);
    let mut client = soon(revoir::connect(&url)).await.unwrap();
    let gateway = Arc::clone(&between.gateway);
    let draining = tokio::spawn(async move {
        let plan = Drain::restart().within(Duration::from_secs(30));
        gateway.drain(plan).await
    });
    let ending = soon(client.recv()).await.unwrap_err();
    assert_eq!(ending.code(), CloseCode::SERVICE_RESTART, "{ending}");
    let report = soon(draining).await.unwrap();
    assert_eq!((report.answered, report.connections()), (1, 1), "{report}");
}

#[tokio::test]
async fn a_route_leads_to_its_own_backend_and_without_one_there_is_404() {
    let (chat, feed) = (listen_async(), listen_async());
    let routes = vec![to("/chat", &chat), to("/feed", &feed), to("/lab/", site())];
    let between = routed(routes, Settings::default()).await;
    // `ask` asks for /chat.
    let mut client = ask(between.address, "").await;
    let (mut backend, _) = taken(&chat).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.text("hello").await;
    assert_eq!(backend.recv().await, "hello");
    assert_eq!(status(&between, "/chatter").await, "404");
    assert_eq!(status(&between, "/").await, "404");
}

#[tokio::test]
async fn what_was_asked_when_a_drain_begins_is_answered() {
    let (asked, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (asked, finish) = (Arc::clone(&asked), Arc::clone(&finish));
        || async move {
            asked.notify_one();
            finish.notified().await;
            "done"
        }
    };
    let site = LocalService::new(Router::new().route("/", get(slow)));
    let between = routed(vec![to("/", site)], Settings::default()).await;
    let mut idle = dial(between.address).await;
    let mut busy = dial(between.address).await;
    busy.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    soon(asked.notified()).await;
    let plan = Drain::restart().within(Duration::from_secs(30));
    let answered = async {
        // The drain has begun, because it was polled first.
        finish.notify_one();
        busy.head().await
    };
    let (report, head) = tokio::join!(between.gateway.drain(plan), answered);
    assert_eq!(report.connections(), 0, "{report}");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(idle.rest().await.is_empty());
}

#[tokio::test]
async fn no_way_to_write_a_path_goes_round_its_route() {
    let backend = listen_async();
    let routes = vec![to("/admin", &backend), to("/", site())];
    let between = routed(routes, Settings::default()).await;
    for path in [
        "//admin",
        "/./admin",
        "/%61dmin",
        "/x/../admin",
        "/admin%2f",
        "/admin/.",
    ] {
        let mut client = dial(between.address).await;
        let request = format!("GET {path}?q HTTP/1.1\r\nHost: a\r\n\r\n");
        client.write(request.as_bytes()).await;
        let (_backend, head) = asked(&backend).await;
        // It is forwarded as it came.
        assert!(
            head.starts_with(&format!("GET {path}?q HTTP/1.1\r\n")),
            "{head}"
        );
    }
    for path in ["/%2e%2e/admin", "/a%00", "/a%5cb", "/a/%2E/b"] {
        assert_eq!(status(&between, path).await, "400", "{path}");
    }
}

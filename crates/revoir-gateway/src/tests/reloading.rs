//! A gateway that is told something else while it runs.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use revoir_codes::{CloseCode, Slot};
use revoir_proto::Role;
use revoir_proto::frame::Opcode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::client_rate::ClientRate;
use crate::front::{Destination, LocalService, RouteSettings, Settings};
use crate::gateway::Reloaded;
use crate::rules::{Mode, Rules};
use crate::tests::ports::listen_async;
use crate::tests::support::{
    Between, Raw, ask, asked, dial, field, frame, pass, routed, soon, taken, target,
};
use crate::upstream::PoolSettings;

/// How long those may stay that cannot be held.
const STAY: Duration = Duration::from_secs(10);

fn route_to(path: &str, upstreams: &[&TcpListener], rules: Rules) -> RouteSettings {
    let at = |listener: &&TcpListener| target(listener.local_addr().unwrap());
    let pool = PoolSettings {
        more: upstreams[1..].iter().map(at).collect(),
        rules: Arc::new(rules),
        ..PoolSettings::new(at(&upstreams[0]))
    };
    RouteSettings::new(path, Destination::Upstreams(pool))
}

fn rules(mode: Mode) -> Rules {
    Rules {
        mode,
        ..Rules::default()
    }
}

fn reload(between: &Between, routes: Vec<RouteSettings>) -> Reloaded {
    between.gateway.reload(routes, Settings::default(), STAY)
}

/// A client, and its backend behind `listener`.
async fn connected(between: &Between, listener: &TcpListener) -> (Raw, Raw) {
    let mut client = ask(between.address, "").await;
    let (backend, _) = taken(listener).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    (client, backend)
}

/// Says something in both directions.
async fn exchange(client: &mut Raw, backend: &mut Raw) {
    client.text("there?").await;
    assert_eq!(backend.recv().await, "there?");
    backend.text("here").await;
    assert_eq!(client.recv().await, "here");
}

#[tokio::test]
async fn an_upstream_that_is_added_disconnects_nobody_and_gets_the_next() {
    let (first, second) = (listen_async(), listen_async());
    let hold = || rules(Mode::Hold);
    let between = routed(vec![route_to("/", &[&first], hold())], Settings::default()).await;
    let (mut client, mut backend) = connected(&between, &first).await;
    let reloaded = reload(&between, vec![route_to("/", &[&first, &second], hold())]);
    assert_eq!((reloaded.kept, reloaded.changed), (0, 1));
    assert_eq!((reloaded.moved, reloaded.drained), (0, 0));
    exchange(&mut client, &mut backend).await;
    // It has none yet.
    let _second = connected(&between, &second).await;
    exchange(&mut client, &mut backend).await;
    let same = reload(&between, vec![route_to("/", &[&first, &second], hold())]);
    assert_eq!((same.kept, same.changed), (1, 0));
}

#[tokio::test]
async fn a_held_client_of_a_removed_upstream_gets_another_one_and_notices_nothing() {
    let (first, second) = (listen_async(), listen_async());
    let hold = || rules(Mode::Hold);
    let between = routed(vec![route_to("/", &[&first], hold())], Settings::default()).await;
    let (mut client, mut backend) = connected(&between, &first).await;
    client.text("one").await;
    assert_eq!(backend.recv().await, "one");
    let reloaded = reload(&between, vec![route_to("/", &[&second], hold())]);
    assert_eq!(
        (reloaded.changed, reloaded.moved, reloaded.drained),
        (1, 1, 0)
    );
    let (code, reason) = backend.closed().await;
    assert_eq!((code, &*reason), (1001, "the upstream is removed"));
    // What it still says is passed on, and what the client says waits.
    client.text("two").await;
    backend.text("answer to one").await;
    assert_eq!(client.recv().await, "answer to one");
    backend.close(1000).await;
    let (mut backend, head) = taken(&second).await;
    let resume = field(&head, "Revoir-Resume").expect("Revoir-Resume");
    assert!(resume.contains("written=1, received=1"), "{resume}");
    assert_eq!(backend.recv().await, "two");
    exchange(&mut client, &mut backend).await;
}

#[tokio::test]
async fn a_removed_upstream_that_does_not_answer_is_left_after_a_while() {
    let (first, second) = (listen_async(), listen_async());
    let hold = || rules(Mode::Hold);
    let between = routed(vec![route_to("/", &[&first], hold())], Settings::default()).await;
    let (mut client, mut backend) = connected(&between, &first).await;
    reload(&between, vec![route_to("/", &[&second], hold())]);
    assert_eq!(backend.closed().await.0, 1001);
    pass(Rules::default().close_budget).await;
    let (mut backend, _) = taken(&second).await;
    exchange(&mut client, &mut backend).await;
    // Its time to leave is not that of a client which has moved.
    pass(STAY).await;
    exchange(&mut client, &mut backend).await;
}

#[tokio::test]
async fn a_tunnel_to_a_removed_upstream_may_stay_for_a_time_and_is_sent_back() {
    let (first, second) = (listen_async(), listen_async());
    let tunnel = || rules(Mode::Tunnel);
    let before = vec![route_to("/", &[&first, &second], tunnel())];
    let between = routed(before, Settings::default()).await;
    let (mut client, mut backend) = connected(&between, &first).await;
    let (mut other, mut kept) = connected(&between, &second).await;
    let reloaded = reload(&between, vec![route_to("/", &[&second], tunnel())]);
    assert_eq!((reloaded.moved, reloaded.drained), (1, 0));
    exchange(&mut client, &mut backend).await;
    pass(STAY).await;
    let (code, reason) = client.closed().await;
    assert_eq!(code, 1012, "{reason}");
    assert!(
        reason.starts_with("the upstream is removed [after="),
        "{reason}"
    );
    assert_eq!(backend.closed().await.0, 1012);
    exchange(&mut other, &mut kept).await;
}

#[tokio::test]
async fn a_message_that_is_half_forwarded_is_waited_for() {
    let (first, second) = (listen_async(), listen_async());
    let hold = || rules(Mode::Hold);
    let between = routed(vec![route_to("/", &[&first], hold())], Settings::default()).await;
    let (mut client, mut backend) = connected(&between, &first).await;
    // It is so long that it goes on as it comes.
    let long = vec![7; 2 << 20];
    let wire = frame(Role::Client, Opcode::Binary, &long);
    let (start, rest) = wire.split_at(wire.len() / 2);
    let (begun, has_begun) = oneshot::channel();
    let reading = tokio::spawn(async move {
        assert!(backend.more().await);
        begun.send(()).unwrap();
        let got = backend.frame().await;
        (backend, got)
    });
    client.write(start).await;
    soon(has_begun).await.unwrap();
    let reloaded = reload(&between, vec![route_to("/", &[&second], hold())]);
    assert_eq!(reloaded.moved, 1);
    client.write(rest).await;
    let (mut backend, got) = soon(reading).await.unwrap();
    assert!(got == Some((Opcode::Binary, long)));
    assert_eq!(backend.closed().await.0, 1001);
    backend.close(1001).await;
    let (mut backend, _) = taken(&second).await;
    exchange(&mut client, &mut backend).await;
}

#[tokio::test]
async fn rules_apply_to_what_is_open() {
    let first = listen_async();
    let between = routed(
        vec![route_to("/", &[&first], rules(Mode::Hold))],
        Settings::default(),
    )
    .await;
    let (mut small, mut backend) = connected(&between, &first).await;
    let (mut quick, _quick_backend) = connected(&between, &first).await;
    let (mut old, mut old_backend) = connected(&between, &first).await;
    exchange(&mut small, &mut backend).await;
    let smaller = Rules {
        client_message: 10,
        // Extensions are agreed on for the mode.
        mode: Mode::Tunnel,
        ..Rules::default()
    };
    let reloaded = reload(&between, vec![route_to("/", &[&first], smaller.clone())]);
    assert_eq!(
        (reloaded.changed, reloaded.moved, reloaded.drained),
        (1, 0, 0)
    );
    exchange(&mut small, &mut backend).await;
    small.text("more than ten bytes").await;
    assert_eq!(small.closed().await.0, 1009);
    let slower = Rules {
        client_rate: ClientRate {
            messages_per_second: std::num::NonZeroU32::new(1),
            burst: Duration::from_secs(1),
            ..ClientRate::default()
        },
        ..smaller.clone()
    };
    reload(&between, vec![route_to("/", &[&first], slower)]);
    for _ in 0..5 {
        quick.text("a").await;
    }
    assert_eq!(quick.closed().await.0, 1008);
    let short = Rules {
        max_age: Some(Duration::from_secs(60)),
        keepalive: None,
        ..smaller
    };
    reload(&between, vec![route_to("/", &[&first], short)]);
    exchange(&mut old, &mut old_backend).await;
    pass(Duration::from_secs(60)).await;
    let (code, reason) = old.closed().await;
    assert_eq!(code, 1001, "{reason}");
}

#[tokio::test]
async fn a_reload_drains_only_routes_that_are_no_more() {
    let (chat, rest) = (listen_async(), listen_async());
    let hold = || rules(Mode::Hold);
    let before = vec![
        route_to("/chat", &[&chat], hold()),
        route_to("/", &[&rest], hold()),
    ];
    let between = routed(before, Settings::default()).await;
    let (mut client, mut backend) = connected(&between, &chat).await;

    // The other route changes, and this one stays with its connections.
    let routes = vec![
        route_to("/chat", &[&chat], hold()),
        route_to("/", &[&rest], rules(Mode::Tunnel)),
    ];
    let reloaded = reload(&between, routes);
    assert_eq!((reloaded.kept, reloaded.drained), (1, 0));
    exchange(&mut client, &mut backend).await;

    // This one is no more.
    let reloaded = reload(&between, vec![route_to("/", &[&rest], hold())]);
    assert_eq!((reloaded.kept, reloaded.drained), (0, 1));
    // It may stay for a time, and whoever reloads again does not count it again.
    exchange(&mut client, &mut backend).await;
    let reloaded = reload(&between, vec![route_to("/", &[&rest], hold())]);
    assert_eq!((reloaded.kept, reloaded.drained), (1, 0));
    exchange(&mut client, &mut backend).await;
    pass(STAY).await;
    let (code, reason) = client.closed().await;
    assert_eq!(code, 1012, "{reason}");
    assert!(
        Slot::read(CloseCode::new(code), &reason).is_some(),
        "{reason}"
    );
    assert_eq!(backend.closed().await.0, 1012);
    // The listener has stayed.
    let (mut client, mut backend) = connected(&between, &rest).await;
    exchange(&mut client, &mut backend).await;
}

#[tokio::test]
async fn a_kept_connection_does_not_keep_the_routes_that_were() {
    let state = Arc::new(());
    let held = Arc::clone(&state);
    let router = Router::new().route(
        "/",
        get(move || {
            let _held = Arc::clone(&held);
            std::future::ready("hello")
        }),
    );
    let site = RouteSettings::new("/", Destination::LocalService(LocalService::new(router)));
    let between = routed(vec![site], Settings::default()).await;
    let mut client = dial(between.address).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    let listener = listen_async();
    reload(
        &between,
        vec![route_to("/", &[&listener], rules(Mode::Hold))],
    );
    soon(async {
        while Arc::strong_count(&state) > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // It goes on by the routes that are.
    client.input.clear();
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (mut backend, _) = asked(&listener).await;
    backend.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(client.head().await.contains("HTTP/1.1 204 "));
}

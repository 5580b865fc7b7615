//! A load balancer in front says for whom it connects, and the gateway says so to its backends.

use std::net::SocketAddr;
use std::time::Duration;

use revoir_proto::Role;
use tokio::net::TcpListener;

use crate::front::{Destination, ProxyProtocol, Settings};
use crate::proxy_protocol::{Header, Version, decode};
use crate::rules::Mode;
use crate::tests::ports::listen_async;
use crate::tests::support::{
    Between, Raw, Setup, accepted, asked, dial, field, pair, pass, request, route, routed,
    settings, soon,
};
use crate::upstream::{Check, Thresholds};
use crate::watch::Limit;

fn balanced(from: &str) -> Setup {
    let mut setup = settings(Mode::Hold);
    setup.settings = Settings {
        proxy_protocol: ProxyProtocol {
            from: vec![from.parse().unwrap()].into(),
            ..ProxyProtocol::default()
        },
        ..Settings::default()
    };
    setup
}

async fn announced(between: &Between, header: &[u8], rest: &str) -> Raw {
    let mut client = dial(between.address).await;
    client.write(&[header, rest.as_bytes()].concat()).await;
    client
}

const V1: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n";
const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\x30\x39\x01\xbb";

#[tokio::test]
async fn whom_a_balancer_names_is_the_client() {
    let (listener, between) = pair(balanced("127.0.0.0/8")).await;
    for (header, client) in [
        (V1, "192.0.2.1"),
        (V2, "192.0.2.1"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    ] {
        let forged = request("X-Forwarded-For: 6.6.6.6\r\n");
        let mut asking = announced(&between, header, &forged).await;
        let (mut backend, head) = asked(&listener).await;
        assert_eq!(field(&head, "X-Forwarded-For").unwrap(), client);
        accepted(&mut backend, &head, "").await;
        assert!(asking.head().await.starts_with("HTTP/1.1 101 "));
    }
}

#[tokio::test]
async fn a_header_in_pieces_ends_where_it_ends() {
    let (listener, between) = pair(balanced("127.0.0.1/32")).await;
    for header in [V1, V2] {
        let mut asking = dial(between.address).await;
        for byte in header {
            asking.write(&[*byte]).await;
        }
        asking.write(request("").as_bytes()).await;
        let (_, head) = asked(&listener).await;
        assert!(head.starts_with("GET /chat?a=b HTTP/1.1\r\n"), "{head}");
        assert_eq!(field(&head, "X-Forwarded-For").unwrap(), "192.0.2.1");
    }
}

#[tokio::test]
async fn nobody_else_may_name_a_client() {
    let (_listener, between) = pair(balanced("10.0.0.0/8")).await;
    let mut asking = announced(&between, V1, &request("")).await;
    let answer = asking.head().await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn a_balancer_without_a_header_is_ended_and_a_slow_one_too() {
    let (_listener, between) = pair(balanced("127.0.0.1/32")).await;
    let mut asking = announced(&between, b"", &request("")).await;
    assert!(asking.rest().await.is_empty());
    let mut slow = announced(&between, &V1[..9], "").await;
    while between.counts.limited(Limit::Time) == 0 {
        pass(Duration::from_secs(5)).await;
        tokio::task::yield_now().await;
    }
    assert!(slow.rest().await.is_empty());
}

/// A gateway that writes headers of `version`, and takes them from its clients.
async fn announcing(version: Version, check: Option<Check>) -> (TcpListener, Between) {
    let backend = listen_async();
    let setup = balanced("127.0.0.2/32");
    let mut route = route(backend.local_addr().unwrap(), &setup);
    if let Destination::Upstreams(pool) = &mut route.to {
        pool.connecting.announce = Some(version);
        pool.check = check;
    }
    (backend, routed(vec![route], setup.settings).await)
}

/// Takes the gateway's connection: its header, and its request.
async fn introduced(listener: &TcpListener) -> (Raw, Header, String) {
    let (stream, _) = soon(listener.accept()).await.unwrap();
    let mut backend = Raw::new(stream, Role::Server);
    let (header, length) = loop {
        if let Some(whole) = decode(&backend.input).unwrap() {
            break whole;
        }
        assert!(backend.more().await);
    };
    backend.input.drain(..length);
    let head = backend.head().await;
    (backend, header, head)
}

/// Whom a header names, and what that connected to.
fn ends(header: Header) -> (SocketAddr, SocketAddr) {
    match header {
        Header::For(addresses) => (addresses.source, addresses.destination),
        Header::Own => panic!("nobody is named"),
    }
}

#[tokio::test]
async fn a_backend_is_told_for_whom_a_connection_is() {
    for version in [Version::V1, Version::V2] {
        let (listener, between) = announcing(version, None).await;
        let mut client = dial(between.address).await;
        let own = client.stream.local_addr().unwrap();
        client.write(request("").as_bytes()).await;
        let (mut backend, header, head) = introduced(&listener).await;
        assert_eq!(ends(header), (own, between.address));
        accepted(&mut backend, &head, "").await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        // The next backend of a client that is held is told the same.
        drop(backend);
        let (mut backend, header, head) = introduced(&listener).await;
        assert!(field(&head, "Revoir-Resume").is_some());
        assert_eq!(ends(header), (own, between.address));
        accepted(&mut backend, &head, "").await;
        client.text("one").await;
        assert_eq!(backend.recv().await, "one");
    }
}

#[tokio::test]
async fn plain_requests_of_two_clients_do_not_share_a_connection() {
    let (listener, between) = announcing(Version::V2, None).await;
    for _ in 0..2 {
        let mut client = dial(between.address).await;
        let own = client.stream.local_addr().unwrap();
        client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let (mut backend, header, _) = introduced(&listener).await;
        assert_eq!(ends(header).0, own);
        backend.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        assert!(client.head().await.starts_with("HTTP/1.1 204 "));
        assert!(backend.rest().await.is_empty(), "it is for nobody else");
    }
}

#[tokio::test]
async fn a_check_is_for_nobody() {
    let check = Check {
        path: Some("/healthz".to_owned()),
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(10),
        thresholds: Thresholds {
            failures: 1,
            successes: 1,
        },
    };
    let (listener, _between) = announcing(Version::V2, Some(check)).await;
    let (_, header, head) = introduced(&listener).await;
    assert_eq!(header, Header::Own);
    assert!(head.starts_with("GET /healthz HTTP/1.1\r\n"), "{head}");
}

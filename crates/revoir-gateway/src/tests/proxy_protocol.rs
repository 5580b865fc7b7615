//! A load balancer in front says for whom it connects.

use std::time::Duration;

use crate::front::{ProxyProtocol, Settings};
use crate::rules::Mode;
use crate::tests::support::{
    Between, Raw, Setup, accepted, asked, dial, field, pair, pass, request, settings,
};
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

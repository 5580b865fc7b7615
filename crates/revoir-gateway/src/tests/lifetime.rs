//! Connections that are too old, too quiet, or too busy.

use std::num::NonZeroU32;
use std::time::Duration;

use revoir_proto::frame::Opcode;

use crate::client_rate::ClientRate;
use crate::rules::{Mode, Rules};
use crate::tests::support::{Setup, connected, pair, pass, settings};
use crate::watch::Limit;

fn setup(mode: Mode, change: impl FnOnce(&mut Rules)) -> Setup {
    let mut setup = settings(mode);
    change(&mut setup.rules);
    setup
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_old_connection_is_1001_with_a_slot() {
    for mode in [Mode::Hold, Mode::Tunnel] {
        let setup = setup(mode, |rules| {
            rules.max_age = Some(10 * MINUTE);
            rules.keepalive = None;
        });
        let (listener, between) = pair(setup).await;
        let (mut client, mut backend) = connected(&listener, &between).await;
        pass(8 * MINUTE).await;
        client.text("still here").await;
        assert_eq!(backend.recv().await, "still here");
        pass(2 * MINUTE).await;
        let (code, reason) = client.closed().await;
        assert_eq!(code, 1001, "{reason}");
        assert!(
            reason.starts_with("the connection has reached its greatest age [after="),
            "{reason}"
        );
        assert_eq!(backend.closed().await.0, 1001);
    }
}

#[tokio::test]
async fn a_connection_without_messages_is_1001_with_a_slot() {
    let setup = setup(Mode::Hold, |rules| {
        rules.idle_limit = Some(4 * MINUTE);
        rules.keepalive = None;
    });
    let (listener, between) = pair(setup).await;
    let (mut client, mut backend) = connected(&listener, &between).await;
    for _ in 0..6 {
        backend.text("news").await;
        assert_eq!(client.recv().await, "news");
        pass(MINUTE).await;
    }
    // Pings are no messages.
    for _ in 0..3 {
        client.send(Opcode::Ping, b"").await;
        assert_eq!(client.frame().await.unwrap().0, Opcode::Pong);
        pass(MINUTE).await;
    }
    pass(2 * MINUTE).await;
    let (code, reason) = client.closed().await;
    assert_eq!(code, 1001, "{reason}");
    assert!(
        reason.starts_with("no message came for too long [after="),
        "{reason}"
    );
}

#[tokio::test]
async fn a_client_over_its_rate_is_1008_with_the_rule() {
    for (messages, bytes, limit, rule) in [
        (10, 0, Limit::Messages, "more than 10 messages per second"),
        (0, 100, Limit::Bytes, "more than 100 bytes per second"),
    ] {
        let setup = setup(Mode::Hold, |rules| {
            rules.client_rate = ClientRate {
                messages_per_second: NonZeroU32::new(messages),
                bytes_per_second: NonZeroU32::new(bytes),
                burst: MINUTE,
            };
        });
        let (listener, between) = pair(setup).await;
        let (mut client, mut backend) = connected(&listener, &between).await;
        // A minute's worth may come at once.
        for _ in 0..500 {
            client.text("12345").await;
        }
        for _ in 0..500 {
            backend.recv().await;
        }
        assert_eq!(between.counts.limited(limit), 0);
        for _ in 0..500 {
            client.text("12345").await;
        }
        assert_eq!(client.closed().await, (1008, rule.to_owned()));
        assert_eq!(between.counts.limited(limit), 1);
    }
}

//! The end of a gateway.

use std::sync::Arc;
use std::time::Duration;

use revoir::CloseCode;
use revoir::drain::Drain;
use revoir::ending::Slot;

use crate::rules::{Mode, Rules};
use crate::tests::support::{Between, ask, asked, connected, field, pair, settings, soon};

const LONG: Duration = Duration::from_secs(30);

fn slot(reason: &str) -> Duration {
    let slot = Slot::read(CloseCode::SERVICE_RESTART, reason);
    slot.expect("a slot").after()
}

/// Begins to drain, and returns when that is seen.
async fn draining(
    between: &Between,
    plan: Drain,
) -> tokio::task::JoinHandle<revoir::drain::DrainReport> {
    let gateway = Arc::clone(&between.gateway);
    let drain = tokio::spawn(async move { gateway.drain(plan).await });
    soon(async {
        while !between.gateway.is_draining() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drain
}

#[tokio::test]
async fn everybody_gets_1012_with_a_slot_of_its_own() {
    const CLIENTS: usize = 20;
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut all = Vec::new();
    for _ in 0..CLIENTS {
        all.push(connected(&listener, &between).await);
    }
    // One of them is held.
    let (client, lost) = connected(&listener, &between).await;
    drop((lost, listener));
    between.counts.held(1).await;
    let plan = Drain::restart()
        .within(LONG)
        .closing_over(Duration::ZERO)
        .return_over(Duration::from_secs(21));
    let drain = draining(&between, plan).await;
    let mut slots = Vec::new();
    let mut clients = vec![client];
    for (mut client, mut backend) in all {
        let (code, reason) = client.closed().await;
        assert_eq!((code, &*reason), (1012, &*reason));
        slots.push(slot(&reason));
        client.close(1012).await;
        assert_eq!(backend.closed().await.0, 1012);
        backend.close(1012).await;
        clients.push(client);
    }
    let (code, reason) = clients[0].closed().await;
    assert_eq!(code, 1012);
    slots.push(slot(&reason));
    clients[0].close(1012).await;
    slots.sort_unstable();
    // Ready in 5 s, and then one in each second; what has passed until its Close is taken off.
    for (index, slot) in (0..).zip(slots) {
        let early = Duration::from_secs(5 + index);
        assert!(slot < early + Duration::from_secs(1), "{index}: {slot:?}");
    }
    let report = soon(drain).await.unwrap();
    assert_eq!(
        (report.answered, report.connections()),
        (21, 21),
        "{report}"
    );
    assert!(report.is_complete());
}

#[tokio::test]
async fn a_new_handshake_and_one_that_waits_are_503_while_draining() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let stays = connected(&listener, &between).await;
    let mut waits = ask(between.address, "").await;
    let _unanswered = asked(&listener).await;
    let drain = draining(&between, Drain::going_away().within(LONG)).await;
    let mut comes = ask(between.address, "").await;
    for client in [&mut waits, &mut comes] {
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
        assert!(field(&head, "Retry-After").is_some(), "{head}");
    }
    let (mut client, mut backend) = stays;
    assert_eq!(client.closed().await.0, 1001);
    client.close(1001).await;
    backend.closed().await;
    backend.close(1001).await;
    let report = soon(drain).await.unwrap();
    assert_eq!((report.answered, report.refused), (1, 2), "{report}");
}

#[tokio::test]
async fn whoever_does_not_answer_is_cut_at_the_deadline_and_was_told() {
    let setup = super::support::Setup {
        rules: Rules {
            close_budget: LONG,
            mode: Mode::Hold,
            ..Rules::default()
        },
        ..settings(Mode::Hold)
    };
    let (listener, between) = pair(setup).await;
    let (mut client, _backend) = connected(&listener, &between).await;
    let drain = draining(&between, Drain::restart().within(LONG)).await;
    assert_eq!(client.closed().await.0, 1012);
    // A second signal shortens the plan.
    between.gateway.hurry(Duration::from_millis(50));
    let report = soon(drain).await.unwrap();
    assert_eq!((report.cut, report.unsent), (1, 0), "{report}");
    assert_eq!(between.gateway.connections(), 0);
}

#[tokio::test]
async fn those_whose_turn_has_not_come_are_told_at_the_deadline() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(connected(&listener, &between).await);
    }
    let plan = Drain::restart().within(LONG).closing_over(LONG);
    let drain = draining(&between, plan).await;
    between.gateway.hurry(Duration::ZERO);
    for (client, _) in &mut clients {
        assert_eq!(client.closed().await.0, 1012);
    }
    let report = soon(drain).await.unwrap();
    assert_eq!((report.cut, report.unsent), (5, 0), "{report}");
}

//! The store neither answers nor refuses, and nobody waits for it for long.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::time::Duration;

use revoir::session::{self, Durable, Event, SessionEnding};
use revoir::{Reason, SendCode};
use tokio::time::{Instant, sleep};

use super::nodes::{Nodes, attached, ended, is_to_come_again, tick};
use crate::session::raw::Raw;
use crate::session::{text, told, within};

/// A store that says nothing for so long is away.
const PATIENCE: Duration = Duration::from_secs(1);

/// Beside that: ticks, and the way of messages.
const SOON: Duration = Duration::from_millis(1500);

#[tokio::test(start_paused = true)]
async fn messages_do_not_wait_for_a_store_that_says_nothing() {
    for durable in [Durable::Acks, Durable::BeforeSend] {
        let mut nodes = Nodes::in_memory(durable, 2);
        let mut client = session::Client::new().start(nodes.link()).unwrap();
        let mut at_server = nodes.begun(0).await;
        assert_eq!(attached(&mut client).await.0, "new");
        tick().await;
        nodes.silence(0, true);
        let since = Instant::now();
        client.send("one").await.unwrap();
        assert_eq!(at_server.recv().await.unwrap(), text("one"));
        // More than was ever reserved.
        let saying = async {
            for number in 0..300 {
                at_server.send(format!("{number}")).await.unwrap();
            }
        };
        let hearing = async {
            let (mut next, mut is_told) = (0, false);
            while next < 300 || !is_told {
                match told(&mut client).await {
                    Event::Message { message, .. } => {
                        assert_eq!(message, text(&next.to_string()));
                        next += 1;
                    }
                    Event::Volatile(true) => is_told = true,
                    other => panic!("{other:?}"),
                }
            }
        };
        tokio::join!(saying, hearing);
        client.flush().await.unwrap();
        at_server.flush().await.unwrap();
        assert!(since.elapsed() < 2 * SOON, "{:?}", since.elapsed());
        assert!(nodes.server(0).is_store_away());
        nodes.silence(0, false);
        while !matches!(told(&mut client).await, Event::Volatile(false)) {}
        assert!(!nodes.server(0).is_store_away());
        tick().await;
        nodes.lose(0);
        let mut at_second = nodes.begun(1).await;
        client.send("two").await.unwrap();
        assert_eq!(at_second.recv().await.unwrap(), text("two"));
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_begin_and_go_on_although_a_write_says_nothing() {
    let mut nodes = Nodes::in_memory(Durable::BeforeSend, 1);
    let mut first = session::Client::new().start(nodes.link()).unwrap();
    let mut at_first = nodes.begun(0).await;
    assert_eq!(attached(&mut first).await.0, "new");
    tick().await;
    let mut quiet = session::Client::new().start(nodes.link()).unwrap();
    let mut at_quiet = nodes.begun(0).await;
    assert_eq!(attached(&mut quiet).await.0, "new");
    tick().await;
    nodes.silence(0, true);
    // The write that waits is about this one.
    at_first.send("1").await.unwrap();
    tick().await;
    let since = Instant::now();
    let mut second = session::Client::new().start(nodes.link()).unwrap();
    let mut at_second = nodes.begun(0).await;
    assert_eq!(attached(&mut second).await.0, "new");
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    at_second.send("2").await.unwrap();
    assert_eq!(second.recv().await.unwrap(), text("2"));
    // And so does one that has something to write only now.
    at_quiet.send("3").await.unwrap();
    assert_eq!(quiet.recv().await.unwrap(), text("3"));
    assert_eq!(first.recv().await.unwrap(), text("1"));
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_resume_that_the_store_says_nothing_of_is_to_come_again() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut raw = Raw::new();
    drop(raw.connect(&nodes.nodes[0].network, "").await);
    let _at_first = nodes.begun(0).await;
    tick().await;
    nodes.silence(1, true);
    let since = Instant::now();
    is_to_come_again(raw.ask(&nodes.nodes[1].network, "").await).await;
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    nodes.silence(1, false);
    let _socket = raw.connect(&nodes.nodes[1].network, "").await;
    assert_eq!(raw.verdict(), "resumed");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_leaves_does_not_keep_whoever_ends_it() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut client = session::Client::new().start(nodes.link()).unwrap();
    let mut at_server = nodes.begun(0).await;
    assert_eq!(attached(&mut client).await.0, "new");
    tick().await;
    nodes.silence(0, true);
    nodes.send_to(1);
    at_server.send("last").await.unwrap();
    let since = Instant::now();
    assert!(at_server.leave(None, SendCode::SERVICE_RESTART, Reason::EMPTY));
    poll_fn(|cx| at_server.poll_left(cx)).await;
    assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
    drop(at_server);
    // It leaves all the same, once the store takes it.
    sleep(2 * PATIENCE).await;
    nodes.silence(0, false);
    let _at_second = nodes.begun(1).await;
    assert_eq!(
        within(SOON, async { client.recv().await.unwrap() }).await,
        text("last")
    );
    let counts = nodes.server(0).counts();
    assert_eq!((counts.attached, counts.detached), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_session_that_leaves_is_woken() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut raw = Raw::new();
    drop(raw.connect(&nodes.nodes[0].network, "").await);
    let mut at_server = nodes.begun(0).await;
    tick().await;
    nodes.silence(0, true);
    // A task of its own: nothing else wakes it.
    let left = tokio::spawn(async move { poll_fn(|cx| at_server.poll_left(cx)).await });
    tick().await;
    let since = Instant::now();
    let server = nodes.server(0);
    tokio::select! {
        left = left => left.unwrap(),
        _ = server.hand_over() => panic!("still waiting"),
    }
    assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn much_to_write_is_written_in_several_steps() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 1);
    let mut sessions = Vec::new();
    for _ in 0..16 {
        let mut raw = Raw::new();
        drop(raw.connect(&nodes.nodes[0].network, "").await);
        sessions.push(nodes.begun(0).await);
    }
    tick().await;
    nodes.nodes[0].reach.is_away.store(true, Ordering::Relaxed);
    for session in &mut sessions {
        session.send("x".repeat(60_000)).await.unwrap();
    }
    sleep(PATIENCE).await;
    assert!(nodes.server(0).is_store_away());
    // The test's store looks at how much comes at once.
    nodes.nodes[0].reach.is_away.store(false, Ordering::Relaxed);
    sleep(PATIENCE).await;
    assert!(!nodes.server(0).is_store_away());
    let flushed = nodes.server(0).counts();
    assert_eq!(flushed.detached, 16);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_that_somebody_else_has_the_session_is_heard() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut client = session::Client::new().start(nodes.link()).unwrap();
    let mut at_first = nodes.begun(0).await;
    assert_eq!(attached(&mut client).await.0, "new");
    tick().await;
    nodes.silence(0, true);
    at_first.send("never stored").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), text("never stored"));
    tick().await;
    nodes.send_to(1);
    nodes.cut(0);
    let _at_second = nodes.begun(1).await;
    assert_eq!(attached(&mut client).await.0, "resumed");
    nodes.silence(0, false);
    let ending = ended(&mut at_first).await;
    assert!(matches!(*ending, SessionEnding::Elsewhere), "{ending}");
}

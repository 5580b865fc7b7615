//! The store is away, and nobody is disconnected.

use std::time::Duration;

use revoir::session::{self, Durable, Event};

use super::nodes::{Nodes, attached, is_to_come_again, tick};
use crate::session::raw::Raw;
use crate::session::{text, told};

#[tokio::test(start_paused = true)]
async fn a_client_is_told_acknowledged_from_memory_and_told_again() {
    for durable in [Durable::Acks, Durable::BeforeSend] {
        let mut nodes = Nodes::in_memory(durable, 2);
        let mut client = session::Client::new().start(nodes.link()).unwrap();
        let mut at_server = nodes.begun(0).await;
        nodes.set_away(0, true);
        client.send("one").await.unwrap();
        assert_eq!(at_server.recv().await.unwrap(), text("one"));
        client.flush().await.unwrap();
        assert!(matches!(told(&mut client).await, Event::Volatile(true)));
        assert!(nodes.server(0).is_store_away());
        // More than was ever reserved.
        for number in 0..300 {
            at_server.send(format!("{number}")).await.unwrap();
            assert_eq!(client.recv().await.unwrap(), text(&number.to_string()));
        }
        at_server.flush().await.unwrap();
        assert!(client.is_attached());
        nodes.set_away(0, false);
        assert!(matches!(told(&mut client).await, Event::Volatile(false)));
        assert!(!nodes.server(0).is_store_away());
        client.flush().await.unwrap();
        tick().await;
        // It is written again: another server goes on with it.
        nodes.lose(0);
        let mut at_second = nodes.begun(1).await;
        client.send("two").await.unwrap();
        assert_eq!(at_second.recv().await.unwrap(), text("two"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_begins_without_a_store_and_is_written_once_it_is_there() {
    let mut nodes = Nodes::in_memory(Durable::BeforeSend, 2);
    nodes.set_away(0, true);
    let mut client = session::Client::new().start(nodes.link()).unwrap();
    let mut at_server = nodes.begun(0).await;
    client.send("one").await.unwrap();
    assert_eq!(at_server.recv().await.unwrap(), text("one"));
    at_server.send("two").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), text("two"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    nodes.set_away(0, false);
    tokio::time::sleep(Duration::from_secs(1)).await;
    nodes.lose(0);
    let _at_second = nodes.begun(1).await;
    while attached(&mut client).await.0 != "resumed" {}
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_volatile_when_its_owner_was_lost_is_never_resumed() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut client = session::Client::new().start(nodes.link()).unwrap();
    let mut at_server = nodes.begun(0).await;
    assert_eq!(attached(&mut client).await.0, "new");
    nodes.set_away(0, true);
    at_server.send("one").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), text("one"));
    assert!(matches!(told(&mut client).await, Event::Volatile(true)));
    nodes.lose(0);
    let _at_second = nodes.begun(1).await;
    assert_eq!(attached(&mut client).await.0, "fresh:epoch");
}

#[tokio::test(start_paused = true)]
async fn a_resume_that_cannot_reach_the_store_is_to_come_again() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut raw = Raw::new();
    drop(raw.connect(&nodes.nodes[0].network, "").await);
    let _at_first = nodes.begun(0).await;
    tick().await;
    nodes.set_away(1, true);
    is_to_come_again(raw.ask(&nodes.nodes[1].network, "").await).await;
    nodes.set_away(1, false);
    let _socket = raw.connect(&nodes.nodes[1].network, "").await;
    assert_eq!(raw.verdict(), "resumed");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_notices_nothing_else_notices_that_the_store_is_away() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 1);
    let _client = session::Client::new().start(nodes.link()).unwrap();
    let _at_server = nodes.begun(0).await;
    tick().await;
    nodes.set_away(0, true);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(nodes.server(0).is_store_away());
    nodes.set_away(0, false);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!nodes.server(0).is_store_away());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_no_session_yet_knows_whether_the_store_answers() {
    let nodes = Nodes::in_memory(Durable::Acks, 1);
    nodes.set_away(0, true);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(nodes.server(0).is_store_away());
}

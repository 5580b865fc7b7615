//! Another server asks for a session.

use std::sync::Arc;
use std::time::Duration;

use revoir::session::{
    self, Durable, Event, Loss, Memory, Session, SessionEnding, SessionId, Store,
};
use revoir::{Reason, SendCode};
use revoir_session::Snapshot;

use super::nodes::{Nodes, attached, ended, tick};
use crate::session::text;

#[tokio::test(start_paused = true)]
async fn whoever_is_asked_writes_the_session_and_lets_go() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut client = session::Client::new().start(nodes.link()).unwrap();
    let mut at_server = nodes.begun(0).await;
    assert_eq!(attached(&mut client).await, ("new", false));
    // To and fro, each time with something said on the way.
    for turn in 0..4 {
        let (here, there) = (turn % 2, (turn + 1) % 2);
        client.send("to the server").await.unwrap();
        assert_eq!(at_server.recv().await.unwrap(), text("to the server"));
        nodes.send_to(there);
        nodes.cut(here);
        // Said while the client is on its way: it is in the store by the time the other one goes on.
        at_server.send(format!("said {turn}")).await.unwrap();
        let mut next = nodes.begun(there).await;
        let ending = ended(&mut at_server).await;
        assert!(matches!(*ending, SessionEnding::Elsewhere), "{ending}");
        assert_eq!(attached(&mut next).await.0, "resumed");
        assert_eq!(client.recv().await.unwrap(), text(&format!("said {turn}")));
        at_server = next;
    }
}

/// What the owner is asked for is not written before, so that its successor has to look again.
#[tokio::test(start_paused = true)]
async fn what_the_owner_writes_while_its_successor_opens_is_known_there() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut client = session::Client::new().start(nodes.link()).unwrap();
    let mut at_first = nodes.begun(0).await;
    assert_eq!(attached(&mut client).await, ("new", false));
    tick().await;
    nodes.deafen(0);
    *nodes.nodes[1].network.opens_after.lock().unwrap() = Duration::from_secs(4);
    nodes.send_to(1);
    nodes.cut(0);
    // It was asked in vain, and the other one is about to go on.
    tokio::time::sleep(Duration::from_secs(3)).await;
    // More than is ever reserved.
    for number in 0..200 {
        at_first.send(format!("{number}")).await.unwrap();
    }
    tick().await;
    let mut at_second = nodes.begun(1).await;
    at_second.send("after").await.unwrap();
    let mut next = 0;
    loop {
        match client.event().await.unwrap() {
            Event::Message { message, .. } if message == text("after") => break,
            Event::Message { message, .. } => {
                assert_eq!(message, text(&next.to_string()));
                next += 1;
            }
            Event::Attached(_) | Event::Detached { .. } | Event::Gap { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(next, 200);
}

/// A client and a server, and what the store has of their session.
async fn stored() -> (Nodes, Session, Session, Arc<dyn Store>, SessionId) {
    let store: Arc<dyn Store> = Arc::new(Memory::new().unwrap());
    let mut nodes = Nodes::new(&store, Durable::Acks, 2);
    let mut client = session::Client::new().start(nodes.link()).unwrap();
    let at_server = nodes.begun(0).await;
    attached(&mut client).await;
    let id = at_server.watcher().status().session;
    tick().await;
    (nodes, client, at_server, store, id)
}

/// Asks whoever owns this session for it; what it is then.
async fn ask(store: &Arc<dyn Store>, id: SessionId) -> Snapshot {
    let owner = store.load(id).await.unwrap().unwrap().owner;
    store.ask(id, owner).await.unwrap();
    let stored = store.load(id).await.unwrap().unwrap();
    Snapshot::decode(&stored.record).unwrap()
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_a_session_that_is_over_finds_why() {
    let (_nodes, _client, at_server, store, id) = stored().await;
    at_server.lose(
        Loss::Overflow,
        None,
        SendCode::NORMAL_CLOSURE,
        Reason::EMPTY,
    );
    assert_eq!(ask(&store, id).await.loss, Some(Loss::Overflow));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_a_session_that_closes_finds_its_goodbye() {
    let (nodes, _client, mut at_server, store, id) = stored().await;
    // Its client is on the way to another server, which never answers.
    nodes.send_to(1);
    nodes.set_away(1, true);
    nodes.cut(0);
    drop(at_server.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
    let snapshot = ask(&store, id).await;
    assert_eq!((snapshot.loss, snapshot.items.len()), (None, 1));
    let ending = ended(&mut at_server).await;
    assert!(matches!(*ending, SessionEnding::Elsewhere), "{ending}");
}

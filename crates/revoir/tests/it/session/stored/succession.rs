//! A server is lost, or leaves its sessions, and another one goes on with them.

use std::sync::Arc;
use std::time::Duration;

use revoir::session::{self, Durable, Event, Fate, GapReason, Session, SessionEnding, Store};

use super::nodes::{Nodes, attached, ended, tick};
use crate::session::raw::Raw;
use crate::session::{HOUR, text, told, within};

async fn client_and_server(nodes: &mut Nodes) -> (Session, Session) {
    let mut client = session::Client::new().start(nodes.link()).unwrap();
    let at_server = nodes.begun(0).await;
    assert_eq!(attached(&mut client).await, ("new", false));
    (client, at_server)
}

/// The texts that come until nothing comes any more, and how many messages are missing.
async fn rest(session: &mut Session) -> (Vec<String>, u64) {
    let (mut texts, mut missing) = (Vec::new(), 0);
    while let Ok(event) = tokio::time::timeout(Duration::from_secs(10), session.event()).await {
        match event.unwrap() {
            Event::Message { message, .. } => texts.push(format!("{message:?}")),
            Event::Gap { count, reason, .. } => {
                assert_eq!(reason, GapReason::OwnerLost);
                missing += count;
            }
            Event::Attached(_) | Event::Detached { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    (texts, missing)
}

fn texts(texts: &[&str]) -> Vec<String> {
    let messages = texts.iter().map(|it| format!("{:?}", text(it)));
    messages.collect()
}

/// Both ends talk, the client is away, the server talks on, and is lost.
async fn another_goes_on(store: impl Store, durable: Durable) {
    let store: Arc<dyn Store> = Arc::new(store);
    let mut nodes = Nodes::new(&store, durable, 2);
    let (mut client, mut at_first) = client_and_server(&mut nodes).await;
    client.send("taken").await.unwrap();
    assert_eq!(at_first.recv().await.unwrap(), text("taken"));
    client.flush().await.unwrap();
    at_first.send("one").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), text("one"));
    at_first.flush().await.unwrap();
    nodes.nodes[0].network.faults.lock().unwrap().push(
        // What the server writes to the next connection does not arrive.
        crate::session::line::Fault::now(crate::session::line::Kind::DeafClient),
    );
    nodes.cut(0);
    at_first.send("two").await.unwrap();
    at_first.send("three").await.unwrap();
    tick().await;
    nodes.lose(0);
    client.send("next").await.unwrap();
    let mut at_second = nodes.begun(1).await;
    assert_eq!(attached(&mut at_second).await.0, "resumed");
    assert_eq!(at_second.recv().await.unwrap(), text("next"));
    at_second.send("four").await.unwrap();
    let (got, missing) = rest(&mut client).await;
    assert_eq!(got, texts(&["two", "three", "four"]));
    match durable {
        // Whatever the first one may have numbered and not told.
        Durable::Acks => assert!((1..=128).contains(&missing), "{missing}"),
        Durable::BeforeSend => assert_eq!(missing, 0),
    }
    drop(at_first);
}

#[tokio::test(start_paused = true)]
async fn another_server_goes_on_where_the_store_stopped() {
    for durable in [Durable::Acks, Durable::BeforeSend] {
        let store = session::Memory::new().unwrap();
        another_goes_on(store, durable).await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_server_goes_on_where_the_file_stopped() {
    let folder = tempfile::tempdir().unwrap();
    for durable in [Durable::Acks, Durable::BeforeSend] {
        let file = folder.path().join(format!("{durable:?}"));
        let store = session::Disk::open(file).unwrap();
        another_goes_on(store, durable).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_never_acknowledged_is_in_doubt_and_nothing_comes_twice() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let (mut client, mut at_first) = client_and_server(&mut nodes).await;
    client.send("taken").await.unwrap();
    at_first.recv().await.unwrap();
    client.flush().await.unwrap();
    let key = client.send("received, and not taken").await.unwrap();
    tick().await;
    nodes.lose(0);
    let mut at_second = nodes.begun(1).await;
    assert!(attached(&mut client).await.1, "counts are bounds");
    let Event::Returned {
        key: returned,
        fate,
        ..
    } = told(&mut client).await
    else {
        panic!("it comes back");
    };
    assert_eq!((returned, fate), (key, Fate::InDoubt));
    client.send("next").await.unwrap();
    let Event::Gap { count, reason, .. } = told(&mut at_second).await else {
        panic!("the server is told");
    };
    assert_eq!((count, reason), (1, GapReason::InDoubt));
    assert_eq!(at_second.recv().await.unwrap(), text("next"));
}

#[tokio::test(start_paused = true)]
async fn the_one_before_learns_that_the_session_goes_on_elsewhere() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let (mut client, mut at_first) = client_and_server(&mut nodes).await;
    // It is not lost, its client has only gone elsewhere, and the question does not arrive.
    nodes.set_away(0, true);
    nodes.send_to(1);
    nodes.cut(0);
    let mut at_second = nodes.begun(1).await;
    assert_eq!(attached(&mut client).await.0, "resumed");
    nodes.set_away(0, false);
    at_first.send("never").await.unwrap();
    let ending = within(HOUR, ended(&mut at_first)).await;
    assert!(matches!(*ending, SessionEnding::Elsewhere), "{ending}");
    let counts = nodes.server(0).counts();
    assert_eq!(
        (counts.attached, counts.detached, counts.kept_bytes),
        (0, 0, 0)
    );
    at_second.send("once").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), text("once"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_hands_its_sessions_over() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let (mut client, mut at_first) = client_and_server(&mut nodes).await;
    client.send("taken").await.unwrap();
    client.send("not taken").await.unwrap();
    assert_eq!(at_first.recv().await.unwrap(), text("taken"));
    at_first.send("on its way").await.unwrap();
    nodes.send_to(1);
    assert_eq!(nodes.server(0).hand_over().await, 0);
    let ending = ended(&mut at_first).await;
    assert!(matches!(*ending, SessionEnding::Elsewhere), "{ending}");
    let mut at_second = nodes.begun(1).await;
    let mut told = Vec::new();
    while told.len() < 3 {
        match client.event().await.unwrap() {
            Event::Message { message, .. } => told.push(format!("{message:?}")),
            Event::GoAway(goaway) => told.push(format!("goaway {}", goaway.resumable)),
            Event::Attached(attached) => told.push(attached.verdict.id().to_owned()),
            _ => {}
        }
    }
    told.sort();
    let mut expected = texts(&["on its way"]);
    expected.extend(["goaway true".to_owned(), "resumed".to_owned()]);
    expected.sort();
    assert_eq!(told, expected);
    at_second.send("after it").await.unwrap();
    loop {
        if client.recv().await.unwrap() == text("after it") {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_connections_at_once_one_has_the_session_and_one_handler_runs() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut raw = Raw::new();
    drop(raw.connect(&nodes.nodes[0].network, "").await);
    let at_first = nodes.begun(0).await;
    tick().await;
    nodes.set_away(0, true);
    drop(at_first);
    let mut sockets = Vec::new();
    for _ in 0..2 {
        sockets.push(raw.ask(&nodes.nodes[1].network, "").await);
    }
    let mut second = sockets.pop().unwrap();
    raw.read(&mut second).await.unwrap();
    assert_eq!(raw.verdict(), "resumed");
    let mut at_second = nodes.begun(1).await;
    let ending = loop {
        if let Err(ending) = sockets[0].recv().await {
            break ending;
        }
    };
    assert_eq!(ending.code(), revoir::CloseCode::from(4090));
    second.send("in time").await.unwrap();
    assert_eq!(at_second.recv().await.unwrap(), text("in time"));
    assert!(nodes.nodes[1].begun.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn nobody_came_in_time_at_any_server() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let mut raw = Raw::new();
    drop(raw.connect(&nodes.nodes[0].network, "").await);
    let mut at_first = nodes.begun(0).await;
    let ending = within(HOUR, ended(&mut at_first)).await;
    assert!(ending.to_string().contains("expired"), "{ending}");
    tick().await;
    let _socket = raw.connect(&nodes.nodes[1].network, "").await;
    assert_eq!(raw.verdict(), "fresh:expired");
}

#[tokio::test(start_paused = true)]
async fn a_store_is_let_go_of_with_the_last_server() {
    let store: Arc<dyn Store> = Arc::new(session::Memory::new().unwrap());
    let mut nodes = Nodes::new(&store, Durable::Acks, 1);
    let (client, at_server) = client_and_server(&mut nodes).await;
    tick().await;
    drop((client, at_server));
    drop(nodes);
    tick().await;
    tokio::time::sleep(HOUR).await;
    assert_eq!(Arc::strong_count(&store), 1);
}

#[tokio::test(start_paused = true)]
async fn goodbye_is_said_by_whoever_has_the_session_then() {
    let mut nodes = Nodes::in_memory(Durable::Acks, 2);
    let (mut client, mut at_first) = client_and_server(&mut nodes).await;
    client.send("taken").await.unwrap();
    at_first.recv().await.unwrap();
    nodes.send_to(1);
    nodes.cut(0);
    let code = revoir::SendCode::try_from(4001).unwrap();
    drop(at_first.close(code, revoir::Reason::EMPTY));
    tick().await;
    nodes.set_away(0, true);
    let ending = within(HOUR, ended(&mut client)).await;
    assert_eq!(ending.bye().unwrap().code, code);
}

//! Sessions that outlive their gateway, in a store that several gateways have.

use std::sync::Arc;

use revoir::drain::Drain;
use revoir::session::{Event, Keys, Memory, Session, Store};
use revoir_proto::Message;

use crate::front::RouteSettings;
use crate::rules::Mode;
use crate::session::SessionSettings;
use crate::tests::ports::listen_async;
use crate::tests::sessions::line::{How, Network};
use crate::tests::sessions::{Stage, text, told, verdict};
use crate::tests::support::{Between, Raw, accepted, asked, route, settings, soon, stored, taken};

/// A backend, and two gateways in front of it; clients come to the first one.
async fn two(mode: Mode) -> (Stage, Between) {
    let store: Arc<dyn Store> = Arc::new(Memory::new().unwrap());
    let backend = listen_async();
    let setup = settings(mode);
    let session = SessionSettings {
        keys: Some(Keys::new([7; 32])),
        ..SessionSettings::default()
    };
    let gateway = || {
        let route = RouteSettings {
            session: Some(session.clone()),
            ..route(backend.local_addr().unwrap(), &setup)
        };
        stored(vec![route], setup.settings.clone(), Arc::clone(&store))
    };
    let (first, second) = (gateway().await, gateway().await);
    let network = Arc::new(Network::to(first.address));
    let stage = Stage {
        backend,
        between: first,
        network,
    };
    (stage, second)
}

/// A client that has said and heard something, so that the store knows of it.
async fn settled(stage: &Stage) -> (Session, Raw) {
    let (mut client, mut backend) = stage.begin().await;
    assert_eq!(verdict(&mut client).await, "new");
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    // It is acknowledged once the store has it.
    soon(async {
        while client.kept().0 > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    (client, backend)
}

#[tokio::test]
async fn a_client_that_may_be_held_goes_on_at_another_gateway_with_another_backend() {
    let (stage, second) = two(Mode::Hold).await;
    let (mut client, mut backend) = settled(&stage).await;
    stage.network.is_down(true);
    stage.network.cut(How::Fin);
    stage.network.lead_to(second.address);
    stage.network.is_down(false);
    let (mut next, head) = asked(&stage.backend).await;
    accepted(&mut next, &head, "").await;
    assert_eq!(verdict(&mut client).await, "resumed");
    client.send("2").await.unwrap();
    assert_eq!(next.recv().await, "2");
    next.text("b").await;
    let mut missing = 0;
    let change = loop {
        match told(&mut client).await {
            Event::Gap { count, .. } => missing += count,
            Event::BackendChanged(change) => break change,
            other => panic!("{other:?}"),
        }
    };
    assert!(missing <= 128, "{missing}");
    assert_eq!((change.written, change.maybe_lost), (1, 1));
    assert_eq!(text(&mut client).await, "b");
    // The one before learns of it as soon as it has anything to write.
    backend.text("never").await;
    assert_eq!(backend.closed().await.0, 1001);
}

#[tokio::test]
async fn a_client_that_may_not_be_held_is_told_that_its_backend_is_gone() {
    let (stage, second) = two(Mode::Tunnel).await;
    let (mut client, _backend) = settled(&stage).await;
    stage.network.is_down(true);
    stage.network.cut(How::Fin);
    stage.network.lead_to(second.address);
    stage.network.is_down(false);
    let (mut next, _) = taken(&stage.backend).await;
    assert_eq!(verdict(&mut client).await, "fresh:backend");
    client.send("2").await.unwrap();
    assert_eq!(next.recv().await, "2");
}

#[tokio::test]
async fn a_drain_leaves_sessions_to_the_next_gateway() {
    let (stage, second) = two(Mode::Hold).await;
    let (mut client, mut backend) = settled(&stage).await;
    stage.network.lead_to(second.address);
    let gateway = Arc::clone(&stage.between.gateway);
    let draining = tokio::spawn(async move { gateway.drain(Drain::going_away()).await });
    assert_eq!(backend.closed().await.0, 1001);
    backend.close(1001).await;
    let Event::GoAway(goaway) = told(&mut client).await else {
        panic!("not told");
    };
    assert!(goaway.resumable);
    let (mut next, _) = taken(&stage.backend).await;
    assert_eq!(verdict(&mut client).await, "resumed");
    let report = soon(draining).await.unwrap();
    assert_eq!(report.cut, 0, "{report}");
    client.send("2").await.unwrap();
    assert_eq!(next.recv().await, "2");
}

#[tokio::test]
async fn what_a_backend_says_before_it_answers_a_drain_arrives() {
    let (stage, second) = two(Mode::Hold).await;
    let (mut client, mut backend) = settled(&stage).await;
    stage.network.lead_to(second.address);
    let gateway = Arc::clone(&stage.between.gateway);
    let draining = tokio::spawn(async move { gateway.drain(Drain::going_away()).await });
    assert_eq!(backend.closed().await.0, 1001);
    client.send("2").await.unwrap();
    backend.text("last").await;
    assert_eq!(text(&mut client).await, "last");
    backend.close(1001).await;
    let Event::GoAway(goaway) = told(&mut client).await else {
        panic!("not told");
    };
    assert!(goaway.resumable);
    let (mut next, _) = taken(&stage.backend).await;
    assert_eq!(verdict(&mut client).await, "resumed");
    soon(draining).await.unwrap();
    // What the client has said meanwhile went to no backend: it has it back, as in doubt.
    let returned = loop {
        match told(&mut client).await {
            Event::Returned { message, .. } => break message,
            Event::Gap { .. } | Event::BackendChanged(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(returned, Message::Text("2".into()));
    client.send("3").await.unwrap();
    assert_eq!(next.recv().await, "3");
}

#[tokio::test]
async fn what_a_client_says_to_a_backend_that_is_about_to_end_comes_back_to_it() {
    let (stage, second) = two(Mode::Tunnel).await;
    let (mut client, mut backend) = settled(&stage).await;
    stage.network.lead_to(second.address);
    let gateway = Arc::clone(&stage.between.gateway);
    let draining = tokio::spawn(async move { gateway.drain(Drain::going_away()).await });
    assert_eq!(backend.closed().await.0, 1001);
    client.send("2").await.unwrap();
    // It is with the gateway, and nobody takes it there.
    soon(async {
        while stage.between.gateway.handles()[0]
            .session()
            .is_some_and(|session| session.status().received < 2)
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    backend.text("last").await;
    backend.close(1001).await;
    assert_eq!(text(&mut client).await, "last");
    let Event::GoAway(goaway) = told(&mut client).await else {
        panic!("not told");
    };
    assert!(!goaway.resumable);
    let (mut next, _) = taken(&stage.backend).await;
    let (mut verdict, mut returned) = (None, None);
    soon(async {
        while verdict.is_none() || returned.is_none() {
            match client.event().await.unwrap() {
                Event::Attached(attached) => verdict = Some(attached.verdict.id()),
                Event::Returned { message, .. } => returned = Some(message),
                Event::Detached { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    assert_eq!(verdict, Some("fresh:backend"));
    assert_eq!(returned, Some(Message::Text("2".into())));
    soon(draining).await.unwrap();
    client.send("3").await.unwrap();
    assert_eq!(next.recv().await, "3");
}

#[tokio::test]
async fn a_drain_leaves_a_session_that_is_held_to_the_next_gateway() {
    let (stage, second) = two(Mode::Hold).await;
    let (mut client, backend) = settled(&stage).await;
    drop(backend);
    stage.between.counts.held(1).await;
    // It is dialled again, in vain.
    let _unanswered = asked(&stage.backend).await;
    stage.network.lead_to(second.address);
    let gateway = Arc::clone(&stage.between.gateway);
    let draining = tokio::spawn(async move { gateway.drain(Drain::going_away()).await });
    let Event::GoAway(goaway) = told(&mut client).await else {
        panic!("not told");
    };
    assert!(goaway.resumable);
    let (mut next, _) = taken(&stage.backend).await;
    assert_eq!(verdict(&mut client).await, "resumed");
    soon(draining).await.unwrap();
    client.send("2").await.unwrap();
    assert_eq!(next.recv().await, "2");
}

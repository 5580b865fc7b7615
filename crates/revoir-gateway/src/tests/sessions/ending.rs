//! How sessions end: by either side, with their backend, in a drain.

use revoir::SendCode;
use revoir::drain::Drain;
use revoir::session::{Event, Origin, SessionEnding};
use revoir_proto::Reason;

use crate::rules::Mode;
use crate::tests::sessions::line::How;
use crate::tests::sessions::{away, stage, text, told, verdict};
use crate::tests::support::{accepted, asked, soon, taken};

#[tokio::test]
async fn a_client_that_closes_closes_its_backend() {
    let stage = stage(Mode::Auto).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    let code = SendCode::try_from(4001).unwrap();
    let closing = client.close(code, Reason::truncated("enough"));
    assert_eq!(backend.closed().await, (4001, "enough".to_owned()));
    backend.close(4001).await;
    soon(closing).await;
    stage.between.left(0).await;
}

#[tokio::test]
async fn what_a_backend_says_last_waits_for_a_client_that_is_away() {
    let stage = stage(Mode::Auto).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    stage.lose_the_client().await;
    backend.text("last").await;
    backend.close(4002).await;
    assert_eq!(backend.closed().await.0, 4002);
    drop(backend);
    stage.between.left(0).await;
    stage.network.is_down(false);
    assert_eq!(text(&mut client).await, "last");
    let Event::Ended(ending) = told(&mut client).await else {
        panic!("not over");
    };
    let bye = ending.bye().unwrap();
    assert_eq!((bye.origin, bye.code.get()), (Origin::Backend, 4002));
}

#[tokio::test]
async fn a_held_client_is_told_that_its_backend_is_another_one() {
    let stage = stage(Mode::Hold).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    client.send("2").await.unwrap();
    assert_eq!(
        (backend.recv().await, backend.recv().await),
        ("1".to_owned(), "2".to_owned())
    );
    backend.text("a").await;
    assert_eq!(text(&mut client).await, "a");
    drop(backend);
    let (mut backend, head) = asked(&stage.backend).await;
    assert!(head.contains("revoir-resume"), "{head}");
    accepted(&mut backend, &head, "").await;
    backend.text("b").await;
    let Event::BackendChanged(change) = told(&mut client).await else {
        panic!("not told");
    };
    assert_eq!(
        (change.written, change.received, change.maybe_lost),
        (2, 1, 2)
    );
    assert_eq!(text(&mut client).await, "b");
    client.send("3").await.unwrap();
    assert_eq!(backend.recv().await, "3");
}

#[tokio::test]
async fn a_session_whose_backend_is_lost_is_fresh() {
    let stage = stage(Mode::Tunnel).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    assert_eq!(verdict(&mut client).await, "new");
    stage.lose_the_client().await;
    drop(backend);
    stage.between.left(0).await;
    stage.network.is_down(false);
    let (mut backend, _) = taken(&stage.backend).await;
    assert_eq!(verdict(&mut client).await, "fresh:backend");
    client.send("2").await.unwrap();
    assert_eq!(backend.recv().await, "2");
}

#[tokio::test]
async fn a_drain_says_when_to_come_back_and_waits_for_nobody_who_is_away() {
    let stage = stage(Mode::Auto).await;
    let (mut there, mut backend) = stage.begin().await;
    there.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    stage.network.is_down(true);
    let other = std::sync::Arc::new(crate::tests::sessions::Network::to(stage.between.address));
    let link = {
        let other = std::sync::Arc::clone(&other);
        revoir::Link::to("ws://chat.example/")
            .with_connector(move |_| crate::tests::sessions::connect(std::sync::Arc::clone(&other)))
    };
    let mut gone = revoir::session::Client::new().start(link).unwrap();
    let (mut second, _) = taken(&stage.backend).await;
    gone.send("2").await.unwrap();
    assert_eq!(second.recv().await, "2");
    other.is_down(true);
    other.cut(How::Fin);
    away(&stage.between, 1).await;
    let gateway = std::sync::Arc::clone(&stage.between.gateway);
    let draining = tokio::spawn(async move { gateway.drain(Drain::restart()).await });
    for backend in [&mut backend, &mut second] {
        assert_eq!(backend.closed().await.0, 1012);
        backend.close(1012).await;
    }
    let Event::GoAway(goaway) = told(&mut there).await else {
        panic!("not told");
    };
    assert_eq!(goaway.code, SendCode::SERVICE_RESTART);
    assert!(!goaway.resumable);
    assert!(goaway.after > std::time::Duration::ZERO);
    let report = soon(draining).await.unwrap();
    assert_eq!(report.cut, 0, "{report}");
}

#[tokio::test]
async fn an_operator_ends_a_session() {
    let stage = stage(Mode::Auto).await;
    let (mut client, mut backend) = stage.begin().await;
    client.send("1").await.unwrap();
    assert_eq!(backend.recv().await, "1");
    let handle = stage.between.gateway.handles().remove(0);
    let code = SendCode::POLICY_VIOLATION;
    handle.leave(crate::relay::Goodbye::plain(code, "not here"));
    let Event::Ended(ending) = told(&mut client).await else {
        panic!("not over");
    };
    let SessionEnding::Ended(_) = &*ending else {
        panic!("{ending}");
    };
    let bye = ending.bye().unwrap();
    assert_eq!(
        (bye.origin, bye.code, &*bye.reason),
        (Origin::Gateway, code, "not here")
    );
}

//! Closing a link, whatever it is doing.

use std::time::Duration;

use revoir::reconnect::{LinkEvent, LinkRequest, NotSent, WhileDown};
use revoir::{Cause, CloseCode, Reason, SendCode};
use tokio::time::Instant;

use super::{Dial, assert_waited, down, link, link_with, messages, text, up};

const NORMAL: SendCode = SendCode::NORMAL_CLOSURE;

#[tokio::test(start_paused = true)]
async fn what_was_accepted_leaves_before_the_close_frame() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    let mut server = harbour.accept().await;
    up(&mut link).await;
    for number in 0..100 {
        link.send(text(&number.to_string())).await.unwrap();
    }
    let closing = tokio::spawn(link.close(NORMAL, Reason::new("bye").unwrap()));
    for number in 0..100 {
        assert_eq!(server.recv().await.unwrap(), text(&number.to_string()));
    }
    let seen = server.recv().await.unwrap_err();
    assert_eq!(
        (seen.code(), seen.reason()),
        (CloseCode::NORMAL_CLOSURE, "bye")
    );
    let end = closing.await.unwrap();
    let ending = end.ending.unwrap();
    assert!(ending.is_clean() && ending.cause == Cause::ClosedLocally);
    let site = ending.closed_at.as_ref().unwrap();
    assert!(site.file.ends_with("closing.rs"), "{site}");
    assert_eq!(end.unsent, []);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_cannot_hold_the_close() {
    let (builder, mut harbour) = link_with("ws://a.example/", 300);
    let mut link = builder.start().unwrap();
    let server = harbour.accept().await;
    up(&mut link).await;
    let long = "x".repeat(100_000);
    link.send(text(&long)).await.unwrap();
    link.send(text("last")).await.unwrap();
    // The server's driver reads ahead, but not without end.
    drop(server.closer());
    let stuck = tokio::spawn(async move {
        let _held = server;
        std::future::pending::<()>().await;
    });
    let since = Instant::now();
    let end = link.close(NORMAL, Reason::EMPTY).await;
    assert!(since.elapsed() <= Duration::from_millis(5_002));
    assert_eq!(end.ending.unwrap().cause, Cause::ClosedLocally);
    stuck.abort();
}

#[tokio::test(start_paused = true)]
async fn a_close_during_a_delay_takes_no_time() {
    let (builder, mut harbour) = link();
    harbour.then([Dial::Refused]);
    let mut link = builder.start().unwrap();
    down(&mut link).await;
    let since = Instant::now();
    let end = link.close(NORMAL, Reason::EMPTY).await;
    assert_waited(since, Duration::ZERO);
    assert_eq!(end.ending.unwrap().cause, Cause::Refused);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(harbour.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn a_close_during_an_attempt_takes_no_time() {
    let (builder, harbour) = link();
    harbour.then([Dial::Hangs]);
    let link = builder.start().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let since = Instant::now();
    let end = link.close(NORMAL, Reason::EMPTY).await;
    assert_waited(since, Duration::ZERO);
    assert!(end.ending.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_close_during_a_handshake_takes_no_time() {
    let (builder, mut harbour) = link();
    let link = builder.start().unwrap();
    let (_, _silent) = harbour.arrival().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let since = Instant::now();
    let end = link.close(NORMAL, Reason::EMPTY).await;
    assert_waited(since, Duration::ZERO);
    assert!(end.ending.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_close_during_the_refresh_drops_the_hook() {
    let (builder, mut harbour) = link();
    let builder = builder.with_request(|attempt| async move {
        match attempt.refresh {
            true => std::future::pending().await,
            false => Some(LinkRequest::new(attempt.url)),
        }
    });
    let mut link = builder.start().unwrap();
    harbour
        .answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        .await;
    down(&mut link).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let end = link.close(NORMAL, Reason::EMPTY).await;
    assert_eq!(end.ending.unwrap().cause, Cause::HandshakeRejected);
}

#[tokio::test(start_paused = true)]
async fn kept_messages_come_back_with_the_close() {
    let (builder, harbour) = link();
    harbour.then([Dial::Refused]);
    let keep = WhileDown::Keep {
        messages: 10,
        bytes: 100,
    };
    let mut link = builder.with_while_down(keep).start().unwrap();
    down(&mut link).await;
    link.send(text("kept")).await.unwrap();
    let end = link.close(NORMAL, Reason::EMPTY).await;
    assert_eq!(messages(end.unsent), [text("kept")]);
}

#[tokio::test(start_paused = true)]
async fn a_sender_closes_too_and_the_last_event_tells() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    let mut server = harbour.accept().await;
    up(&mut link).await;
    let sender = link.sender();
    sender.close(NORMAL, Reason::EMPTY);
    // The first call counts.
    sender.close(SendCode::GOING_AWAY, Reason::EMPTY);
    let late = sender.send(text("late")).await.unwrap_err();
    assert_eq!(late, NotSent::Over(text("late")));
    let seen = server.recv().await.unwrap_err();
    assert_eq!(seen.code(), CloseCode::NORMAL_CLOSURE);
    match link.recv().await {
        Some(LinkEvent::Closed(end)) => assert!(end.ending.unwrap().is_clean()),
        other => panic!("{other:?}"),
    }
    assert!(link.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_waiting_sender_gets_its_message_back() {
    let (builder, harbour) = link();
    harbour.then([Dial::Hangs]);
    let link = builder.start().unwrap();
    let sender = link.sender();
    let waiting = tokio::spawn(async move { sender.send(text("waiting")).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    link.close(NORMAL, Reason::EMPTY).await;
    let returned = waiting.await.unwrap().unwrap_err();
    assert_eq!(returned, NotSent::Over(text("waiting")));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_link_closes_with_1000() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    let mut server = harbour.accept().await;
    up(&mut link).await;
    let sender = link.sender();
    drop(link);
    let seen = server.recv().await.unwrap_err();
    assert_eq!(seen.code(), CloseCode::NORMAL_CLOSURE);
    assert!(matches!(
        sender.send(text("late")).await,
        Err(NotSent::Over(_))
    ));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(harbour.is_quiet());
}

//! What becomes of messages: each is written, kept, or returned.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::FutureExt;
use revoir::reconnect::{LinkEvent, NotSent, WhileDown};
use revoir::{Client, Config, Message, WebSocket};
use tokio::io::AsyncReadExt;

use super::{Dial, down, link, link_with, text, up};

/// The texts of the next `count` messages.
async fn texts(server: &mut WebSocket, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        match server.recv().await.unwrap() {
            Message::Text(text) => texts.push(text.to_string()),
            Message::Binary(_) => panic!("binary"),
        }
    }
    texts
}

#[tokio::test(start_paused = true)]
async fn messages_go_both_ways() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    let mut server = harbour.accept().await;
    up(&mut link).await;
    for number in 0..500 {
        link.send(text(&number.to_string())).await.unwrap();
        let sent = texts(&mut server, 1).await.remove(0);
        server.send_text(sent).await.unwrap();
        match link.recv().await {
            Some(LinkEvent::Message(message)) => assert_eq!(message, text(&number.to_string())),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn sending_waits_for_a_connection() {
    let (builder, mut harbour) = link();
    harbour.then([Dial::Refused]);
    let mut link = builder.start().unwrap();
    down(&mut link).await;
    let sending = link.sender();
    let mut sending = std::pin::pin!(sending.send(text("first")));
    assert!(sending.as_mut().now_or_never().is_none());
    let mut server = harbour.accept().await;
    up(&mut link).await;
    sending.await.unwrap();
    assert_eq!(texts(&mut server, 1).await, ["first"]);
}

#[tokio::test(start_paused = true)]
async fn sending_fails_without_a_connection_if_told_to() {
    let (builder, harbour) = link();
    harbour.then([Dial::Refused]);
    let mut link = builder.with_while_down(WhileDown::Fail).start().unwrap();
    down(&mut link).await;
    let refused = link.send(text("first")).await.unwrap_err();
    assert_eq!(refused, NotSent::Down(text("first")));
    assert_eq!(refused.into_message(), text("first"));
}

#[tokio::test(start_paused = true)]
async fn messages_are_kept_within_their_bounds() {
    let (builder, mut harbour) = link();
    harbour.then([Dial::Refused]);
    let bounds = WhileDown::Keep {
        messages: 3,
        bytes: 10,
    };
    let mut link = builder.with_while_down(bounds).start().unwrap();
    down(&mut link).await;
    for kept in ["one", "two"] {
        link.send(text(kept)).await.unwrap();
    }
    let too_long = link.send(text("three")).await.unwrap_err();
    assert_eq!(too_long, NotSent::Full(text("three")));
    link.send(text("four")).await.unwrap();
    let too_many = link.send(text("")).await.unwrap_err();
    assert_eq!(too_many, NotSent::Full(text("")));
    let mut server = harbour.accept().await;
    up(&mut link).await;
    assert_eq!(texts(&mut server, 3).await, ["one", "two", "four"]);
}

/// Sends until the connection takes no more, then loses it after the peer has read everything that
/// was written. Returns what was accepted, and what of it the peer has.
async fn lose_midway(while_down: WhileDown) -> (revoir::Link, super::Harbour, usize, usize) {
    let (builder, mut harbour) = link_with("ws://a.example/", 1_000);
    let mut config = Config::client();
    config.limits.queue = 2_000;
    let client = Client::new().with_config(config);
    let builder = builder.with_client(client).with_while_down(while_down);
    let mut link = builder.start().unwrap();
    let mut peer = harbour.peer().await;
    up(&mut link).await;
    let mut accepted = 0;
    while let Ok(sent) =
        tokio::time::timeout(Duration::from_millis(50), link.send(numbered(accepted))).await
    {
        sent.unwrap();
        accepted += 1;
    }
    // The pipe is full: what is in it was written. The client cannot run before the loss.
    let mut input = vec![0; 4_096];
    let received = peer.stream.read(&mut input).await.unwrap();
    peer.stream.end().fail(ErrorKind::ConnectionReset);
    // Each frame: 2 bytes, a key of 4, and a payload of 94.
    let received = received / 100;
    (link, harbour, accepted, received)
}

fn numbered(number: usize) -> Message {
    text(&format!("{number:094}"))
}

#[tokio::test(start_paused = true)]
async fn what_did_not_leave_goes_first_over_the_next_connection() {
    let (mut link, mut harbour, accepted, received) = lose_midway(WhileDown::Wait).await;
    let (_, _, unsent) = down(&mut link).await;
    assert_eq!(unsent, []);
    let mut server = harbour.accept().await;
    up(&mut link).await;
    link.send(text("new")).await.unwrap();
    let rest = texts(&mut server, accepted - received + 1).await;
    let mut expected: Vec<String> = (received..accepted).map(|it| format!("{it:094}")).collect();
    expected.push("new".to_owned());
    assert_eq!(rest, expected);
    assert!(received > 5 && accepted > 100, "{received} {accepted}");
}

#[tokio::test(start_paused = true)]
async fn what_did_not_leave_is_returned_if_told_to_fail() {
    let (mut link, mut harbour, accepted, received) = lose_midway(WhileDown::Fail).await;
    let (_, _, unsent) = down(&mut link).await;
    let expected: Vec<Message> = (received..accepted).map(numbered).collect();
    assert_eq!(unsent, expected);
    let mut server = harbour.accept().await;
    up(&mut link).await;
    link.send(text("new")).await.unwrap();
    assert_eq!(texts(&mut server, 1).await, ["new"]);
}

#[tokio::test(start_paused = true)]
async fn what_did_not_leave_is_returned_when_the_link_gives_up() {
    let (builder, harbour) = link();
    harbour.then([Dial::Refused; 2]);
    let keep = WhileDown::Keep {
        messages: 10,
        bytes: 100,
    };
    let policy = revoir::Policy::new().with_max_attempts(1);
    let builder = builder.with_policy(policy).with_while_down(keep);
    let mut link = builder.start().unwrap();
    down(&mut link).await;
    link.send(text("kept")).await.unwrap();
    let (_, _, unsent) = super::gave_up(&mut link).await;
    assert_eq!(unsent, [text("kept")]);
    let late = link.send(text("late")).await.unwrap_err();
    assert_eq!(late, NotSent::Over(text("late")));
}

#[tokio::test(start_paused = true)]
async fn a_send_that_was_dropped_was_not_accepted() {
    let (builder, mut harbour) = link();
    harbour.then([Dial::Refused]);
    let mut link = builder.start().unwrap();
    down(&mut link).await;
    assert!(link.send(text("dropped")).now_or_never().is_none());
    let mut server = harbour.accept().await;
    up(&mut link).await;
    link.send(text("sent")).await.unwrap();
    assert_eq!(texts(&mut server, 1).await, ["sent"]);
}

#[tokio::test(start_paused = true)]
async fn many_senders_lose_nothing_over_many_connections() {
    const SENDERS: usize = 8;
    const EACH: usize = 200;
    let (builder, mut harbour) = link_with("ws://a.example/", 512);
    let mut config = Config::client();
    config.limits.queue = 1_000;
    let client = Client::new().with_config(config);
    let mut link = builder.with_client(client).start().unwrap();
    for sender in 0..SENDERS {
        let handle = link.sender();
        tokio::spawn(async move {
            for number in 0..EACH {
                let message = text(&format!("{sender} {number}"));
                handle.send(message).await.unwrap();
            }
        });
    }
    let watching = tokio::spawn(async move {
        while let Some(event) = link.recv().await {
            assert!(!matches!(event, LinkEvent::GaveUp { .. }), "{event:?}");
        }
    });
    let mut last = [None; SENDERS];
    let mut received = 0;
    let mut connections = 0;
    while received < SENDERS * EACH {
        let mut server = harbour.accept().await;
        connections += 1;
        // After our Close frame, what the client has queued still comes, before its own.
        let mut taken = 0;
        let mut closing = None;
        while received < SENDERS * EACH
            && let Ok(message) = server.recv().await
        {
            let words = String::from_utf8(message.as_bytes().to_vec()).unwrap();
            let (sender, number) = words.split_once(' ').unwrap();
            let (sender, number): (usize, usize) =
                (sender.parse().unwrap(), number.parse().unwrap());
            let expected = last[sender].map_or(0, |last: usize| last + 1);
            assert_eq!(number, expected, "sender {sender}");
            last[sender] = Some(number);
            received += 1;
            taken += 1;
            if taken == 100 {
                let restart = revoir::SendCode::SERVICE_RESTART;
                closing = Some(server.close(restart, revoir::Reason::EMPTY));
            }
        }
        drop(closing);
    }
    assert!(connections > 3, "{connections}");
    watching.abort();
}

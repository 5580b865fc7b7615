//! What becomes of each message, and that the application can learn it.

use std::future::Future;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use revoir::reconnect::{LinkEvent, NotSent, WhileDown};
use revoir::{Client, Config, Reason, SendCode};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep};

use super::{Dial, Harbour, down, link, link_with, text, up};
use crate::support::frames::{Frame, Sort};
use crate::support::peer::Peer;

const KEEP: WhileDown = WhileDown::Keep {
    messages: 100,
    bytes: 10_000,
};

async fn texts(peer: &mut Peer, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        let frame = peer.next().await.unwrap();
        if frame.sort == Sort::Text {
            texts.push(String::from_utf8(frame.payload).unwrap());
        }
    }
    texts
}

/// The application takes no events, the server sends a lot and is gone, and a ping finds it out.
/// What another task sends afterwards was answered with `Ok`, and must not be lost.
#[tokio::test(start_paused = true)]
async fn nothing_is_lost_while_nobody_takes_events() {
    for reads_fail in [true, false] {
        let (builder, mut harbour) = link();
        let mut link = builder.start().unwrap();
        let mut peer = harbour.peer().await;
        up(&mut link).await;
        for number in 0..200 {
            let payload = number.to_string();
            peer.send(&Frame::text(&payload)).await;
        }
        sleep(Duration::from_secs(1)).await;
        match reads_fail {
            true => peer.stream.end().fail(ErrorKind::ConnectionReset),
            false => peer.stream.end().break_writes(ErrorKind::BrokenPipe),
        }
        sleep(Duration::from_secs(25)).await;
        let sender = link.sender();
        let sending = tokio::spawn(async move {
            let mut receipts = Vec::new();
            for number in 0..10 {
                receipts.push(sender.send(text(&format!("late {number}"))).await.unwrap());
            }
            receipts
        });
        sleep(Duration::from_secs(60)).await;
        let mut received = 0;
        let (in_doubt, unsent) = loop {
            match link.recv().await {
                Some(LinkEvent::Message(_)) => received += 1,
                Some(LinkEvent::Down {
                    in_doubt, unsent, ..
                }) => break (in_doubt, unsent),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((received, in_doubt, unsent), (200, 0..0, vec![]));
        drop(peer);
        let mut server = harbour.accept().await;
        up(&mut link).await;
        for number in 0..10 {
            assert_eq!(
                server.recv().await.unwrap(),
                text(&format!("late {number}"))
            );
        }
        for mut receipt in sending.await.unwrap() {
            receipt.written().await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_tells_when_a_message_was_written() {
    let (builder, mut harbour) = link_with("ws://a.example/", 200);
    let mut link = builder.start().unwrap();
    let mut peer = harbour.peer().await;
    up(&mut link).await;
    let mut short = link.send(text("short")).await.unwrap();
    short.written().await.unwrap();
    assert_eq!(short.number(), 0);
    let mut long = link.send(text(&"x".repeat(1_000))).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(long.written().now_or_never(), None);
    assert_eq!(texts(&mut peer, 2).await[1].len(), 1_000);
    long.written().await.unwrap();
    // The answer stays.
    long.written().await.unwrap();
    peer.stream.end().fail(ErrorKind::ConnectionReset);
    match link.recv().await {
        Some(LinkEvent::Down {
            in_doubt, unsent, ..
        }) => assert_eq!((in_doubt, unsent), (0..2, vec![])),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_neither_in_doubt_nor_returned() {
    let (builder, mut harbour) = link_with("ws://a.example/", 200);
    let mut link = builder.start().unwrap();
    let mut peer = harbour.peer().await;
    up(&mut link).await;
    for number in 0..2 {
        link.send(text(&number.to_string())).await.unwrap();
    }
    texts(&mut peer, 2).await;
    let mut long = link.send(text(&"x".repeat(1_000))).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    peer.stream.end().fail(ErrorKind::ConnectionReset);
    match link.recv().await {
        Some(LinkEvent::Down {
            in_doubt, unsent, ..
        }) => assert_eq!((in_doubt, unsent), (0..2, vec![])),
        other => panic!("{other:?}"),
    }
    assert_eq!(long.written().now_or_never(), None);
    let mut peer = harbour.peer().await;
    up(&mut link).await;
    assert_eq!(texts(&mut peer, 1).await[0].len(), 1_000);
    long.written().await.unwrap();
    peer.stream.end().fail(ErrorKind::ConnectionReset);
    match link.recv().await {
        Some(LinkEvent::Down { in_doubt, .. }) => assert_eq!(in_doubt, 2..3),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_returned_was_not_written() {
    let (builder, harbour) = link();
    harbour.then([Dial::Refused]);
    let mut link = builder.with_while_down(KEEP).start().unwrap();
    down(&mut link).await;
    let mut first = link.send(text("first")).await.unwrap();
    let mut second = link.send(text("second")).await.unwrap();
    let end = link.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    let numbers: Vec<u64> = end.unsent.iter().map(|it| it.number).collect();
    assert_eq!(numbers, [first.number(), second.number()]);
    assert!(first.written().await.is_err() && second.written().await.is_err());
}

/// A message that was being pushed when the link was closed stays the first one.
#[tokio::test(start_paused = true)]
async fn a_close_keeps_order_and_returns_only_what_did_not_leave() {
    let (builder, mut harbour) = link_with("ws://a.example/", 300);
    let mut config = Config::client();
    config.limits.queue = 500;
    let client = Client::new().with_config(config);
    let mut link = builder.with_client(client).start().unwrap();
    let mut peer = harbour.peer().await;
    up(&mut link).await;
    let mut receipts = Vec::new();
    for number in 0..40 {
        receipts.push(link.send(text(&format!("{number:094}"))).await.unwrap());
    }
    // The queue is full, and one more waits for room.
    sleep(Duration::from_secs(1)).await;
    let closing = tokio::spawn(link.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
    let mut seen = Vec::new();
    loop {
        let frame = peer.next().await.unwrap();
        match frame.sort {
            Sort::Text => seen.push(String::from_utf8(frame.payload).unwrap()),
            _ => break,
        }
    }
    peer.send(&Frame::close(1000, "")).await;
    drop(peer);
    let end = closing.await.unwrap();
    let expected: Vec<String> = (0..seen.len()).map(|it| format!("{it:094}")).collect();
    assert_eq!(seen, expected);
    assert!(seen.len() >= 5, "{}", seen.len());
    let count = u64::try_from(seen.len()).unwrap();
    assert_eq!(end.in_doubt, 0..count);
    let returned: Vec<u64> = end.unsent.iter().map(|it| it.number).collect();
    assert_eq!(returned, Vec::from_iter(count..40));
    for (number, receipt) in (0..).zip(&mut receipts) {
        assert_eq!(receipt.written().await.is_ok(), number < count, "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_link_sends_what_it_has_accepted() {
    let (builder, mut harbour) = link();
    let mut link = builder.start().unwrap();
    let mut server = harbour.accept().await;
    up(&mut link).await;
    let mut receipts = Vec::new();
    for number in 0..50 {
        receipts.push(link.send(text(&number.to_string())).await.unwrap());
    }
    drop(link);
    for number in 0..50 {
        assert_eq!(server.recv().await.unwrap(), text(&number.to_string()));
    }
    let ending = server.recv().await.unwrap_err();
    assert_eq!(ending.code(), revoir::CloseCode::NORMAL_CLOSURE);
    for receipt in &mut receipts {
        receipt.written().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn sending_now_or_not_at_all() {
    let (builder, mut harbour) = link_with("ws://a.example/", 100);
    harbour.then([Dial::Refused]);
    let mut link = builder.start().unwrap();
    down(&mut link).await;
    let refused = link.try_send(text("early")).unwrap_err();
    assert_eq!(refused, NotSent::Down(text("early")));
    let _peer = harbour.peer().await;
    up(&mut link).await;
    // 100 bytes in the pipe, 1 MiB in the connection, 128 messages wait.
    let long = text(&"x".repeat(2 << 20));
    link.try_send(long).unwrap();
    sleep(Duration::from_secs(1)).await;
    for _ in 0..128 {
        link.try_send(text("waits")).unwrap();
    }
    let refused = link.try_send(text("late")).unwrap_err();
    assert_eq!(refused, NotSent::Full(text("late")));
}

struct Counted(AtomicUsize);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_leaves_wakes_few_of_those_who_wait() {
    const SENDERS: usize = 500;
    let (builder, mut harbour) = link_with("ws://a.example/", 100);
    let mut config = Config::client();
    config.limits.queue = 100;
    let client = Client::new().with_config(config);
    let mut link = builder.with_client(client).start().unwrap();
    let mut peer = harbour.peer().await;
    up(&mut link).await;
    while tokio::time::timeout(Duration::from_millis(5), link.send(text(&"x".repeat(94))))
        .await
        .is_ok()
    {}
    let counted = Arc::new(Counted(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&counted));
    let mut cx = Context::from_waker(&waker);
    let mut senders: Vec<_> = (0..SENDERS)
        .map(|_| Box::pin(link.send(text(&"y".repeat(94)))))
        .collect();
    for sender in &mut senders {
        assert!(sender.as_mut().poll(&mut cx).is_pending());
    }
    let mut input = [0; 100];
    peer.stream.read_exact(&mut input).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let woken = counted.0.load(Ordering::Relaxed);
    assert!((1..=3).contains(&woken), "{woken}");
    // All of them get through.
    let taking = async {
        loop {
            peer.stream.read_exact(&mut input).await.unwrap();
        }
    };
    let sending = pin!(futures_util::future::join_all(senders));
    match futures_util::future::select(sending, pin!(taking)).await {
        futures_util::future::Either::Left((sent, _)) => assert!(sent.iter().all(Result::is_ok)),
        futures_util::future::Either::Right((never, _)) => never,
    }
}

async fn arrivals(harbour: &mut Harbour, count: usize) -> Vec<(String, u128)> {
    let mut peer = harbour.peer().await;
    let since = Instant::now();
    let mut arrivals = Vec::new();
    for _ in 0..count {
        let text = texts(&mut peer, 1).await.remove(0);
        arrivals.push((text, since.elapsed().as_millis()));
    }
    arrivals
}

#[tokio::test(start_paused = true)]
async fn the_backlog_goes_out_at_twice_the_pace_at_which_it_came() {
    for (gap, expected) in [(0, [0, 20, 40, 40]), (100, [0, 100, 200, 200])] {
        let (builder, mut harbour) = link();
        harbour.then([Dial::Refused]);
        let builder = builder.with_while_down(KEEP);
        let builder = builder.with_backlog_gap(Duration::from_millis(gap));
        let mut link = builder.start().unwrap();
        down(&mut link).await;
        for kept in ["one", "two", "three"] {
            link.send(text(kept)).await.unwrap();
            sleep(Duration::from_millis(40)).await;
        }
        let sender = link.sender();
        let following = tokio::spawn(async move {
            while !sender.is_up() {
                sleep(Duration::from_millis(1)).await;
            }
            sender.send(text("new")).await.unwrap();
        });
        let arrived = arrivals(&mut harbour, 4).await;
        let order: Vec<&str> = arrived.iter().map(|(text, _)| &**text).collect();
        assert_eq!(order, ["one", "two", "three", "new"]);
        for ((text, at), expected) in arrived.iter().zip(expected) {
            // Timers are exact to the millisecond.
            assert!(
                (expected..=expected + 4).contains(at),
                "{text} at {at}: {arrived:?}"
            );
        }
        following.await.unwrap();
    }
}

/// Thousands of messages that were accepted in one moment do not wait for a timer each.
#[tokio::test(start_paused = true)]
async fn a_burst_stays_a_burst() {
    let (builder, mut harbour) = link();
    harbour.then([Dial::Refused]);
    let keep = WhileDown::Keep {
        messages: 10_000,
        bytes: 100_000,
    };
    let mut link = builder.with_while_down(keep).start().unwrap();
    down(&mut link).await;
    for number in 0..10_000 {
        link.send(text(&number.to_string())).await.unwrap();
        if number % 100 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
    let arrived = arrivals(&mut harbour, 10_000).await;
    // 100 ms and more for the messages to come, so about half of it.
    assert!(arrived[9_999].1 <= 150, "{}", arrived[9_999].1);
}

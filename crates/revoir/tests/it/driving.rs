//! What drives a connection while its application does something else.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use revoir::{Cause, Message, Reason, SendCode, WebSocket};
use tokio::time::advance;

use crate::support::peer::{After, open_over};
use crate::support::wire::Stream;
use crate::support::{Frame, Peer, Side, Sort, Wire, memory, open, open_with};

/// Polls `future` once, and leaves it.
async fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    let mut future = future;
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

async fn answers_pings_and_the_close(peer: &mut Peer) {
    for payload in ["a", "b"] {
        peer.send(&Frame::new(Sort::Ping, payload)).await;
        assert_eq!(peer.next().await, Some(Frame::new(Sort::Pong, payload)));
    }
    peer.send(&Frame::close(1000, "")).await;
    assert_eq!(
        peer.rest().await,
        (vec![Frame::close(1000, "")], After::Fin)
    );
}

#[tokio::test]
async fn an_application_that_never_polls_still_answers() {
    for (side, wire) in Side::BOTH
        .into_iter()
        .flat_map(|side| Wire::ALL.map(|w| (side, w)))
    {
        let (socket, mut peer) = open(side, wire).await;
        answers_pings_and_the_close(&mut peer).await;
        assert_eq!(socket.closed().await.cause, Cause::ClosedByPeer);
    }
}

#[tokio::test]
async fn a_recv_that_is_held_and_not_polled_does_not_hold_the_connection_up() {
    for side in Side::BOTH {
        let (mut socket, mut peer) = open(side, Wire::Memory).await;
        let mut receiving = pin!(socket.recv());
        assert!(poll_once(receiving.as_mut()).await.is_pending());
        // The task was woken for `receiving`, and has other things to do.
        answers_pings_and_the_close(&mut peer).await;
        assert_eq!(receiving.await.unwrap_err().cause, Cause::ClosedByPeer);
    }
}

#[tokio::test]
async fn a_stream_that_was_polled_and_left_does_not_hold_the_connection_up() {
    let (mut socket, mut peer) = open(Side::Client, Wire::Memory).await;
    assert!(poll_once(pin!(socket.next())).await.is_pending());
    answers_pings_and_the_close(&mut peer).await;
    let ending = socket.next().await.unwrap().unwrap_err();
    assert_eq!(ending.cause, Cause::ClosedByPeer);
    assert!(socket.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_was_polled_and_dropped_delays_nothing() {
    let (socket, mut peer) = open(Side::Server, Wire::Memory).await;
    let (mut reader, _writer) = socket.split();
    assert!(poll_once(pin!(reader.next())).await.is_pending());
    drop(reader);
    let start = tokio::time::Instant::now();
    answers_pings_and_the_close(&mut peer).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn one_half_is_enough() {
    for keep_reader in [true, false] {
        let (socket, mut peer) = open(Side::Server, Wire::Memory).await;
        let (reader, writer) = socket.split();
        let _kept: (Option<_>, Option<_>) = match keep_reader {
            true => (Some(reader), None),
            false => (None, Some(writer)),
        };
        answers_pings_and_the_close(&mut peer).await;
    }
}

#[tokio::test]
async fn a_send_that_waits_for_room_sees_the_end() {
    let (near, far) = memory::pair(1024);
    let (near, far) = (Stream::Memory(near), Stream::Memory(far));
    let config = Side::Server.config();
    let (mut socket, mut peer) = open_over(Side::Server, near, far, config).await;
    let sending = tokio::spawn(async move {
        loop {
            if let Err(ending) = socket.send_binary(vec![1; 100_000]).await {
                break ending;
            }
        }
    });
    peer.fin().await;
    let ending = sending.await.unwrap();
    assert_eq!(ending.cause, Cause::Eof);
    assert!(ending.unsent > 1024 * 1024, "{}", ending.unsent);
}

/// Messages `0..count`, each of its number in four bytes and then `length` zeros.
fn numbered(count: u32, length: usize) -> impl Iterator<Item = Frame> {
    (0..count).map(move |number| {
        let payload = [&number.to_be_bytes()[..], &vec![0; length]].concat();
        Frame::new(Sort::Binary, payload)
    })
}

async fn takes_numbers(socket: &mut WebSocket, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let message = socket.recv().await.unwrap();
        assert_eq!(message.as_bytes()[..4], number.to_be_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_held_back_while_the_application_takes_nothing() {
    for (count, length) in [(3000, 0), (1000, 1000), (20, 100_000)] {
        let (near, far) = memory::pair(4096);
        let (near, far) = (Stream::Memory(near), Stream::Memory(far));
        let (mut socket, mut peer) =
            open_over(Side::Server, near, far, Side::Server.config()).await;
        let (sent, written) = tokio::sync::watch::channel(0);
        let sending = tokio::spawn(async move {
            for frame in numbered(count, length) {
                peer.send(&frame).await;
                sent.send_modify(|sent| *sent += frame.payload.len());
            }
            peer
        });
        // Ten minutes: no deadline counts while nothing is read.
        for _ in 0..600 {
            advance(Duration::from_secs(1)).await;
        }
        assert_eq!(socket.ending(), None);
        let ahead = *written.borrow();
        assert!(
            ahead < 64 * 1024 + 2 * (length + 4096),
            "{ahead} bytes were taken"
        );
        takes_numbers(&mut socket, 0..count).await;
        let mut peer = sending.await.unwrap();
        peer.send(&Frame::close(1000, "")).await;
        let (frames, _) = peer.rest().await;
        assert_eq!(frames.last(), Some(&Frame::close(1000, "")));
        // Pings go on while nothing is read, so that nothing in between takes it for idle.
        let pings = &frames[..frames.len() - 1];
        assert!(
            pings.iter().all(|frame| frame.sort == Sort::Ping),
            "{frames:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn keepalive_measures_the_round_trip_and_keeps_a_quiet_connection() {
    for side in Side::BOTH {
        let (socket, mut peer) = open(side, Wire::Memory).await;
        assert_eq!(socket.rtt(), None);
        for _ in 0..5 {
            let ping = peer.next().await.unwrap();
            assert_eq!(ping.sort, Sort::Ping);
            advance(Duration::from_millis(30)).await;
            peer.send(&Frame::new(Sort::Pong, ping.payload)).await;
        }
        while socket.rtt().is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(socket.rtt(), Some(Duration::from_millis(30)));
        assert_eq!(socket.ending(), None);
    }
}

#[tokio::test]
async fn unread_input_never_turns_our_close_into_a_reset() {
    for (side, wire) in Side::BOTH
        .into_iter()
        .flat_map(|s| [Wire::Tcp, Wire::Tls].map(|w| (s, w)))
    {
        let (socket, mut peer) = open(side, wire).await;
        let closer = socket.closer();
        // As much as the network takes, and more; the application looks at nothing.
        let flood: Vec<u8> = numbered(400, 4000)
            .flat_map(|frame| peer.bytes(&frame))
            .collect();
        let mut written = 0;
        let mut writing = pin!(async {
            for chunk in flood.chunks(16 * 1024) {
                peer.write(chunk).await;
                written += chunk.len();
            }
            peer.send(&Frame::close(1000, "")).await;
            peer.rest().await
        });
        assert!(poll_once(writing.as_mut()).await.is_pending());
        let closed = closer.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
        let ((frames, after), ending) = tokio::join!(writing, closed);
        assert_eq!(
            (frames, after),
            (vec![Frame::close(1000, "")], After::Fin),
            "{side:?} {wire:?}"
        );
        assert!(ending.is_clean(), "{ending}");
        assert_eq!(ending.discarded, 400);
        drop(socket);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_floods_while_we_close_cannot_stretch_the_budget() {
    for (side, reading) in Side::BOTH
        .into_iter()
        .flat_map(|side| [(side, true), (side, false)])
    {
        let (mut socket, mut peer) = open(side, Wire::Memory).await;
        let flood: Vec<u8> = numbered(100, 100)
            .flat_map(|frame| peer.bytes(&frame))
            .collect();
        let closed = socket.close(SendCode::GOING_AWAY, Reason::EMPTY);
        let flooding = tokio::spawn(async move {
            while !peer.stream.end().is_alone() {
                peer.write_what_fits(&flood).await;
                advance(Duration::from_millis(1)).await;
            }
            peer
        });
        let mut taken = 0;
        while reading && socket.recv().await.is_ok() {
            taken += 1;
        }
        let ending = closed.await;
        assert_eq!(ending.finish, revoir::ending::Finish::Timeout);
        let late = ending.open_for - Duration::from_secs(5);
        assert!(late < Duration::from_millis(20), "{late:?}");
        assert!(taken + ending.discarded > 1000);
        assert_eq!(reading, taken > 0);
        let (frames, _) = flooding.await.unwrap().rest().await;
        assert_eq!(frames, [Frame::close(1001, "")]);
    }
}

#[tokio::test]
async fn a_peer_that_floods_over_tcp_cannot_stretch_the_budget() {
    let mut config = Side::Server.config();
    config.close_budget = Duration::from_millis(200);
    let (socket, mut peer) = open_with(Side::Server, Wire::Tcp, config).await;
    let flood: Vec<u8> = numbered(100, 1000)
        .flat_map(|frame| peer.bytes(&frame))
        .collect();
    let flooding = tokio::spawn(async move { while peer.try_write(&flood).await {} });
    let ending = socket.close(SendCode::GOING_AWAY, Reason::EMPTY).await;
    assert_eq!(ending.finish, revoir::ending::Finish::Timeout);
    assert!(
        ending.open_for < Duration::from_secs(2),
        "{:?}",
        ending.open_for
    );
    // The socket is gone, so the flood meets an error.
    flooding.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn output_that_outlives_the_budget_is_cut_and_counted() {
    for side in Side::BOTH {
        let (near, far) = memory::pair(1024);
        let (near, far) = (Stream::Memory(near), Stream::Memory(far));
        let (mut socket, peer) = open_over(side, near, far, side.config()).await;
        socket.send_binary(vec![0; 5000]).await.unwrap();
        let ending = socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
        assert_eq!(ending.sent, None);
        assert_eq!(ending.finish, revoir::ending::Finish::Timeout);
        let frames = match side {
            Side::Client => 5008 + 8,
            Side::Server => 5004 + 4,
        };
        assert_eq!(ending.unsent, frames - 1024);
        assert_eq!(ending.open_for, Duration::from_secs(5));
        assert!(peer.stream.end().is_alone());
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_connections_close_at_once() {
    let mut pairs = Vec::new();
    for _ in 0..1000 {
        let (near, far) = memory::pair(1024);
        let client = revoir::Client::new();
        let connecting = client.connect_over("ws://localhost/", far);
        let (server, client) = tokio::join!(revoir::accept(near), connecting);
        pairs.push((server.unwrap(), client.unwrap()));
    }
    let reason = Reason::new("restart").unwrap();
    let close = |(server, _): &(WebSocket, _)| server.close(SendCode::SERVICE_RESTART, reason);
    let closing: Vec<_> = pairs.iter().map(close).collect();
    for closed in closing {
        let ending = closed.await;
        assert!(ending.is_clean());
        assert_eq!(ending.open_for, Duration::ZERO);
    }
    for (_, client) in &pairs {
        assert_eq!(client.closed().await.reason(), "restart");
    }
}

#[tokio::test]
async fn messages_before_the_end_are_delivered_after_it() {
    for side in Side::BOTH {
        let (mut socket, mut peer) = open(side, Wire::Memory).await;
        for frame in numbered(5, 0) {
            peer.send(&frame).await;
        }
        peer.send(&Frame::close(1000, "")).await;
        peer.rest().await;
        let ending = socket.closed().await;
        assert_eq!((ending.cause, ending.discarded), (Cause::ClosedByPeer, 0));
        takes_numbers(&mut socket, 0..5).await;
        assert_eq!(socket.recv().await, Err(ending));
    }
}

#[tokio::test]
async fn messages_still_come_after_our_own_close() {
    let (mut socket, mut peer) = open(Side::Server, Wire::Memory).await;
    let closed = socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    let talking = async {
        for frame in numbered(100, 10_000) {
            peer.send(&frame).await;
        }
        peer.send(&Frame::close(1000, "")).await;
        peer.rest().await
    };
    let taking = async {
        takes_numbers(&mut socket, 0..100).await;
        socket.recv().await.unwrap_err()
    };
    let (_, ending, closed) = tokio::join!(talking, taking, closed);
    assert_eq!(ending, closed);
    assert_eq!((ending.discarded, ending.is_clean()), (0, true));
}

#[tokio::test]
async fn a_connection_outlives_a_task_that_only_writes() {
    let (mut socket, mut peer) = open(Side::Client, Wire::Memory).await;
    let writing = tokio::spawn(async move {
        socket.feed(Message::Text("fed".into())).await.unwrap();
        // Never flushed, never polled again.
        pending::<()>().await;
        drop(socket);
    });
    assert_eq!(peer.next().await, Some(Frame::text("fed")));
    writing.abort();
    assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
}

#[tokio::test]
async fn frames_that_come_with_the_handshake_are_not_overlooked() {
    let (near, far) = memory::pair(4096);
    let mut peer = Peer::new(Stream::Memory(far), Side::Client);
    let client = revoir::Client::new();
    let connecting = client.connect_over("ws://localhost/", Stream::Memory(near));
    let behind = [
        peer.bytes(&Frame::text("early")),
        peer.bytes(&Frame::new(Sort::Ping, "a")),
    ]
    .concat();
    let (socket, ()) = tokio::join!(connecting, peer.answer_with(&behind));
    let mut socket = socket.unwrap();
    // Nobody has asked for a message yet.
    assert_eq!(peer.next().await, Some(Frame::new(Sort::Pong, "a")));
    assert_eq!(socket.recv().await.unwrap().as_bytes(), b"early");
}

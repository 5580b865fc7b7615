//! A transport that breaks while messages wait: what `send` says of it, and how soon.
//!
//! The peer sends more than is read ahead (32 messages), nobody takes it, and then TCP is reset: the
//! reset stands behind input that is not read.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::SinkExt;
use revoir::{Acceptor, Cause, Ending, Incoming, Message, Reason, SendCode, WebSocket};
use tokio::time::{Instant, advance, sleep, timeout};

use crate::support::peer::{Seen, open_over};
use crate::support::wire::Stream;
use crate::support::{Frame, Peer, Side, Sort, Wire, memory, open};

/// More than is read ahead.
const UNREAD: u32 = 33;

/// Opens a connection whose peer has sent so many messages that nobody takes, and has reset TCP.
async fn lost(side: Side, wire: Wire) -> WebSocket {
    let (socket, mut peer) = open(side, wire).await;
    send_unread(&mut peer, UNREAD).await;
    settle(wire).await;
    peer.reset();
    settle(wire).await;
    socket
}

async fn send_unread(peer: &mut Peer, count: u32) {
    for number in 0..count {
        peer.send(&Frame::text(&number.to_string())).await;
    }
}

/// Until what was written or reset has arrived, and what can be read ahead was.
async fn settle(wire: Wire) {
    match wire {
        Wire::Memory => tokio::task::yield_now().await,
        Wire::Tcp | Wire::Tls => sleep(Duration::from_millis(20)).await,
    }
}

const WIRES: [Wire; 2] = [Wire::Memory, Wire::Tcp];

/// Every way to send one message, beside other futures.
async fn send_somehow(socket: &mut WebSocket, way: u32) -> Option<Result<(), Arc<Ending>>> {
    let message = Message::Text("late".into());
    match way % 5 {
        0 => Some(socket.send(message).await),
        1 => Some(socket.feed(message).await),
        2 => Some(tokio::join!(socket.send(message), sleep(Duration::from_millis(5))).0),
        3 => timeout(Duration::from_secs(1), socket.feed(message))
            .await
            .ok(),
        _ => Some(SinkExt::send(socket, message).await),
    }
}

#[tokio::test]
async fn a_message_that_cannot_leave_is_never_answered_with_ok() {
    for (side, wire) in Side::BOTH
        .into_iter()
        .flat_map(|side| WIRES.map(|w| (side, w)))
    {
        for first in 0..5 {
            let mut socket = lost(side, wire).await;
            let mut failed = None;
            for way in first..first + 10 {
                match send_somehow(&mut socket, way).await {
                    Some(Ok(())) => {
                        // The loss is known to no one before something was written.
                        assert!(failed.is_none(), "{side:?} {wire:?} {way}");
                        socket.flush().await.unwrap_err();
                    }
                    Some(Err(ending)) => failed = Some(ending),
                    None => panic!("no answer within a second: {side:?} {wire:?} {way}"),
                }
            }
            let ending = failed.unwrap();
            assert_eq!(ending.cause, Cause::WriteFailed, "{ending}");
            // A text of four bytes, masked by a client.
            let length = if side == Side::Client { 10 } else { 6 };
            assert_eq!(ending.unsent, length, "the first one was queued: {first}");
        }
    }
}

/// Polls `future` once.
async fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

#[tokio::test(start_paused = true)]
async fn a_send_after_the_loss_is_answered_when_it_is_first_polled() {
    for side in Side::BOTH {
        let mut socket = lost(side, Wire::Memory).await;
        // This one is queued, and counts as unsent.
        assert_eq!(
            poll_once(socket.send_text("late")).await,
            Poll::Ready(Ok(()))
        );
        socket.flush().await.unwrap_err();
        let polled = poll_once(socket.send_text("too late")).await;
        let Poll::Ready(Err(ending)) = polled else {
            panic!("{polled:?}")
        };
        let late = if side == Side::Client { 10 } else { 6 };
        assert_eq!((ending.cause, ending.unsent), (Cause::WriteFailed, late));
        assert_eq!(ending.discarded, 0);
        // What was received before is still there, and then the same ending.
        for number in 0..UNREAD {
            let text = number.to_string().into();
            assert_eq!(socket.recv().await, Ok(Message::Text(text)));
        }
        assert_eq!(socket.recv().await, Err(ending));
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_and_a_ping_see_the_loss_at_once() {
    for with_ping in [true, false] {
        let mut socket = lost(Side::Server, Wire::Memory).await;
        if with_ping {
            socket.ping(b"").unwrap();
        } else {
            socket.feed(Message::Text("late".into())).await.unwrap();
        }
        let start = Instant::now();
        let ending = socket.flush().await.unwrap_err();
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(ending.unsent, if with_ping { 2 } else { 6 });
        assert_eq!(socket.closed().await, ending);
    }
}

#[tokio::test(start_paused = true)]
async fn every_queued_byte_left_or_is_counted_as_unsent() {
    for side in Side::BOTH {
        let (near, far) = memory::pair(300);
        let (near, far) = (Stream::Memory(near), Stream::Memory(far));
        let (mut socket, mut peer) = open_over(side, near, far, side.config()).await;
        send_unread(&mut peer, UNREAD).await;
        tokio::task::yield_now().await;
        let frame = if side == Side::Client {
            6 + 100
        } else {
            2 + 100
        };
        for _ in 0..10 {
            socket.send_binary(vec![0; 100]).await.unwrap();
        }
        tokio::task::yield_now().await;
        peer.stream.end().fail(ErrorKind::ConnectionReset);
        let ending = socket.flush().await.unwrap_err();
        let left = peer.stream.end().unread() as u64;
        assert_eq!((left, ending.unsent), (300, 10 * frame - left));
        assert_eq!(socket.send_text("late").await, Err(ending));
    }
}

/// A handler that does some work between a message and its answer.
async fn slow_echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        sleep(Duration::from_millis(20)).await;
        socket.send(message).await?;
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_works_between_recv_and_send_ends_with_the_connection() {
    for unread in [10, 32, 33, 34, 200] {
        let seen = Arc::new(Seen::default());
        let acceptor = Acceptor::new().with_observer(Arc::clone(&seen) as _);
        let (near, far) = memory::pair(64 * 1024);
        let mut peer = Peer::new(Stream::Memory(far), Side::Server);
        let running = async {
            let decide = |incoming: Incoming| async { incoming.run(slow_echo) };
            let near = Stream::Memory(near);
            acceptor.accept_incoming(near, decide).await.unwrap();
        };
        tokio::join!(running, peer.request());
        send_unread(&mut peer, unread).await;
        tokio::task::yield_now().await;
        let start = Instant::now();
        peer.reset();
        let ending = seen.ending().await;
        assert!(
            start.elapsed() <= Duration::from_millis(20),
            "{unread}: {ending}"
        );
        assert_eq!(acceptor.tracker().open(), 0);
    }
}

#[tokio::test]
async fn a_handler_that_works_between_recv_and_send_ends_with_the_connection_over_tcp() {
    let server = revoir::Server::bind("127.0.0.1:0").await.unwrap();
    let seen = Arc::new(Seen::default());
    let acceptor = Acceptor::new().with_observer(Arc::clone(&seen) as _);
    let tracker = acceptor.tracker().clone();
    let server = server.with_acceptor(acceptor);
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(slow_echo));
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut peer = Peer::new(Stream::Tcp(stream), Side::Server);
    peer.request().await;
    send_unread(&mut peer, 100).await;
    settle(Wire::Tcp).await;
    peer.reset();
    // A hang would be a minute: this only bounds it.
    let ending = timeout(Duration::from_secs(10), seen.ending())
        .await
        .unwrap();
    assert!(
        matches!(ending.cause, Cause::WriteFailed | Cause::Reset),
        "{ending}"
    );
    assert_eq!(tracker.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_writer_whose_reader_is_elsewhere_gets_the_ending_and_the_reader_its_messages() {
    let socket = lost(Side::Server, Wire::Memory).await;
    let (mut reader, mut writer) = socket.split();
    writer.send_text("late").await.unwrap();
    writer.flush().await.unwrap_err();
    let ending = writer.send_text("too late").await.unwrap_err();
    for number in 0..UNREAD {
        let text = number.to_string().into();
        assert_eq!(reader.recv().await, Ok(Message::Text(text)));
    }
    assert_eq!(reader.recv().await, Err(ending));
}

#[tokio::test(start_paused = true)]
async fn the_close_behind_unread_messages_is_what_ended_a_lost_connection() {
    let (mut socket, mut peer) = open(Side::Server, Wire::Memory).await;
    send_unread(&mut peer, UNREAD).await;
    peer.send(&Frame::close(1012, "restart")).await;
    tokio::task::yield_now().await;
    peer.reset();
    let ending = socket.closed();
    socket.send_text("late").await.unwrap();
    let ending = ending.await;
    assert_eq!((ending.code().get(), ending.reason()), (1012, "restart"));
    assert_eq!(ending.cause, Cause::ClosedByPeer);
}

#[tokio::test(start_paused = true)]
async fn a_sink_counts_what_it_took_for_a_connection_that_had_begun_to_close() {
    let (mut socket, _peer) = open(Side::Server, Wire::Memory).await;
    poll_fn(|cx| socket.poll_ready_unpin(cx)).await.unwrap();
    let closed = socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    // There is no ending yet to refuse it with.
    socket
        .start_send_unpin(Message::Text("late".into()))
        .unwrap();
    let ending = closed.await;
    assert_eq!(ending.unsent, 4);
    assert_eq!(SinkExt::flush(&mut socket).await, Err(ending));
}

/// Lets `seconds` pass in which no task of this thread ran, as if the process was stopped. What was
/// due is then found all at once: first `meanwhile`, which the peer did after 10 s.
async fn stall<F>(seconds: u64, meanwhile: F) -> F::Output
where
    F: Future<Output: Send> + Send + 'static,
{
    let peer = tokio::spawn(async {
        sleep(Duration::from_secs(10)).await;
        meanwhile.await
    });
    tokio::task::yield_now().await;
    advance(Duration::from_secs(seconds)).await;
    peer.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_pong_that_arrived_during_a_stall_keeps_the_connection() {
    for side in Side::BOTH {
        let (socket, mut peer) = open(side, Wire::Memory).await;
        let ping = peer.next().await.unwrap();
        assert_eq!(ping.sort, Sort::Ping);
        let mut peer = stall(21, async {
            peer.send(&Frame::new(Sort::Pong, ping.payload)).await;
            peer
        })
        .await;
        peer.send(&Frame::new(Sort::Ping, "still there?")).await;
        let frames = [peer.next().await, peer.next().await].map(Option::unwrap);
        // It has been quiet for long enough for a ping of our own.
        let pong = Frame::new(Sort::Pong, "still there?");
        assert!(frames.contains(&pong), "{frames:?}");
        assert!(
            frames.iter().any(|frame| frame.sort == Sort::Ping),
            "{frames:?}"
        );
        assert_eq!(socket.ending(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_took_bytes_during_a_stall_is_not_given_up() {
    for side in Side::BOTH {
        let (near, far) = memory::pair(1024);
        let (near, far) = (Stream::Memory(near), Stream::Memory(far));
        let (mut socket, mut peer) = open_over(side, near, far, side.config()).await;
        socket.send_binary(vec![7; 3000]).await.unwrap();
        let mut peer = stall(21, async {
            peer.read_some(1024).await;
            peer
        })
        .await;
        assert_eq!(socket.ending(), None);
        assert_eq!(peer.next().await.unwrap().payload.len(), 3000);
    }
}

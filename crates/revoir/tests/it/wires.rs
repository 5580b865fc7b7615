//! Deadlines and write errors over TCP and TLS, with limits of milliseconds: the whole record, and
//! the bytes that we sent. What needs exact times is in `faults.rs`, in memory.

use std::sync::Arc;
use std::time::Duration;

use revoir::ending::{Detail, Finish};
use revoir::websocket::KeepaliveConfig;
use revoir::{Acceptor, Cause, Config, Ending, Incoming, SendCode, WebSocket};
use tokio::io::AsyncReadExt;

use crate::support::cases::LOCAL;
use crate::support::peer::{After, Seen, open_over};
use crate::support::wire::pair;
use crate::support::{
    Frame, Peer, Side, Sort, Wire, assert_ending, close_frame, expected, here, open_with, reason,
};

const SHORT: Duration = Duration::from_millis(30);

/// Both sides over both wires, with a `config` that `change` has made impatient.
async fn on_real(
    change: impl Fn(&mut Config),
    play: impl AsyncFn(Side, Wire, WebSocket, &mut Peer) -> Ending,
    check: impl Fn(Side, Ending),
) {
    for side in Side::BOTH {
        for wire in [Wire::Tcp, Wire::Tls] {
            let mut config = side.config();
            config.keepalive = None;
            config.close_budget = SHORT;
            change(&mut config);
            let (socket, mut peer) = open_with(side, wire, config).await;
            let ending = play(side, wire, socket, &mut peer).await;
            check(side, ending);
        }
    }
}

/// Everything that we sent, to a peer that only reads: it answers no Close frame and ends no TCP.
async fn all_frames(peer: &mut Peer) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(frame) = peer.next().await {
        frames.push(frame);
    }
    frames
}

#[tokio::test]
async fn a_close_that_nobody_answers_ends_with_its_budget_over_tcp_and_tls() {
    let play = async |_, _, socket: WebSocket, peer: &mut Peer| {
        let closed = socket.close(SendCode::NORMAL_CLOSURE, reason("bye"));
        let (ending, frames) = tokio::join!(closed, all_frames(peer));
        assert_eq!(frames, [Frame::close(1000, "bye")]);
        Ending::clone(&ending)
    };
    on_real(
        |_| {},
        play,
        |_, actual| {
            let mut ending = expected(Cause::ClosedLocally, Finish::Timeout, LOCAL);
            ending.sent = Some(close_frame(1000, "bye"));
            ending.closed_at = here();
            assert_ending(&actual, ending);
            assert!(actual.open_for >= SHORT);
        },
    )
    .await;
}

#[tokio::test]
async fn a_silent_peer_is_found_over_tcp_and_tls() {
    let impatient = |config: &mut Config| {
        let mut keepalive = KeepaliveConfig::default();
        (keepalive.interval, keepalive.timeout) = (SHORT, SHORT);
        config.keepalive = Some(keepalive);
    };
    let play = async |_, _, mut socket: WebSocket, peer: &mut Peer| {
        let (ended, frames) = tokio::join!(socket.recv(), all_frames(peer));
        assert_eq!(frames[0].sort, Sort::Ping);
        assert_eq!(frames[1..], [Frame::close(3008, "no sign of life")]);
        Ending::clone(&ended.unwrap_err())
    };
    on_real(impatient, play, |_, actual| {
        let mut ending = expected(Cause::PongTimeout, Finish::Timeout, LOCAL);
        ending.sent = Some(close_frame(3008, "no sign of life"));
        assert_ending(&actual, ending);
    })
    .await;
}

#[tokio::test]
async fn a_connection_without_messages_is_closed_over_tcp_and_tls() {
    let impatient = |config: &mut Config| {
        config.idle_timeout = Some(SHORT);
        config.close_budget = Duration::from_secs(5);
    };
    let play = async |_, _, mut socket: WebSocket, peer: &mut Peer| {
        assert_eq!(peer.next().await, Some(Frame::close(1001, "idle")));
        peer.send(&Frame::close(1001, "")).await;
        peer.fin().await;
        let (ended, (frames, after)) = tokio::join!(socket.recv(), peer.rest());
        assert_eq!((frames, after), (vec![], After::Fin));
        Ending::clone(&ended.unwrap_err())
    };
    on_real(impatient, play, |_, actual| {
        let mut ending = expected(Cause::IdleTimeout, Finish::Answered, LOCAL);
        ending.sent = Some(close_frame(1001, "idle"));
        ending.received = Some(close_frame(1001, ""));
        assert_ending(&actual, ending);
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_stops_reading_is_given_up_over_tcp_and_tls() {
    const LENGTH: usize = 4 * 1024 * 1024;
    for side in Side::BOTH {
        for wire in [Wire::Tcp, Wire::Tls] {
            let (near, far) = pair(wire).await;
            near.shrink_buffers();
            far.shrink_buffers();
            let mut config = side.config();
            config.write_timeout = Some(SHORT);
            let (mut socket, mut peer) = open_over(side, near, far, config).await;
            socket.send_binary(vec![7; LENGTH]).await.unwrap();
            let actual = socket.recv().await.unwrap_err();
            let mut ending = expected(Cause::WriteTimeout, Finish::Timeout, None);
            ending.unsent = actual.unsent;
            assert_ending(&actual, ending);
            // What was written arrives, a piece of one frame, and nothing is behind it.
            let mut arrived = Vec::new();
            let end = peer.stream.read_to_end(&mut arrived).await;
            let head = match side {
                Side::Client => 14,
                Side::Server => 10,
            };
            let written = LENGTH + head - actual.unsent as usize;
            match wire {
                Wire::Tls => assert!(arrived.len() <= written && end.is_err()),
                Wire::Tcp | Wire::Memory => {
                    assert_eq!((arrived.len(), end.is_ok()), (written, true))
                }
            }
            assert_eq!(arrived[0], 0x82);
        }
    }
}

#[tokio::test]
async fn a_write_that_finds_a_reset_is_a_write_error_over_tcp_and_tls() {
    let play = async |_, _, mut socket: WebSocket, peer: &mut Peer| {
        // Nobody gets a turn in between, so nobody has read the reset.
        peer.reset();
        socket.send_text("lost").await.unwrap();
        Ending::clone(&socket.recv().await.unwrap_err())
    };
    on_real(
        |_| {},
        play,
        |side, actual| {
            let mut ending = expected(Cause::WriteFailed, Finish::Reset, None);
            ending.detail = Detail::Os(104);
            ending.unsent = match side {
                Side::Client => 10,
                Side::Server => 6,
            };
            assert_ending(&actual, ending);
        },
    )
    .await;
}

#[tokio::test]
async fn a_handler_that_fails_sends_1011_over_every_wire() {
    for wire in Wire::ALL {
        let (near, far) = pair(wire).await;
        let mut peer = Peer::new(far, Side::Server);
        let seen = Arc::new(Seen::default());
        let acceptor = Acceptor::new().with_observer(Arc::clone(&seen) as _);
        let (incoming, ()) = tokio::join!(
            async {
                let fail = |_socket| async { Err::<(), _>("the database is gone") };
                let decide = |incoming: Incoming| async move { incoming.run(fail) };
                acceptor.accept_incoming(near, decide).await.unwrap();
            },
            peer.request()
        );
        let () = incoming;
        assert_eq!(peer.next().await, Some(Frame::close(1011, "")));
        peer.send(&Frame::close(1011, "")).await;
        assert_eq!(peer.rest().await, (vec![], After::Fin));
        let mut ending = expected(Cause::HandlerFailed, Finish::Answered, LOCAL);
        ending.sent = Some(close_frame(1011, ""));
        ending.received = Some(close_frame(1011, ""));
        ending.detail = Detail::Text("the database is gone".into());
        assert_ending(&seen.ending().await, ending);
    }
}

#[tokio::test]
async fn a_peer_that_floods_while_we_close_sees_our_close_before_any_reset() {
    let patient = |config: &mut Config| config.close_budget = 5 * SHORT;
    let play = async |side: Side, _, socket: WebSocket, peer: &mut Peer| {
        let bytes: Vec<u8> = peer
            .bytes(&Frame::new(Sort::Binary, vec![9; 1000]))
            .repeat(50);
        peer.write(&bytes).await;
        let closed = socket.close(SendCode::GOING_AWAY, reason(""));
        let flood = async {
            // Until our socket is gone: nothing is read meanwhile.
            while peer.try_write(&bytes).await {}
            // A client waits for no FIN of a server that still sends.
            (side, all_frames(peer).await)
        };
        let (ending, (_, frames)) = tokio::join!(closed, flood);
        assert_eq!(frames, [Frame::close(1001, "")]);
        Ending::clone(&ending)
    };
    on_real(patient, play, |_, actual| {
        let mut ending = expected(Cause::ClosedLocally, Finish::Timeout, LOCAL);
        ending.sent = Some(close_frame(1001, ""));
        ending.closed_at = here();
        ending.discarded = actual.discarded;
        ending.in_frame = actual.in_frame;
        assert_ending(&actual, ending);
        assert!(actual.discarded > 0);
    })
    .await;
}

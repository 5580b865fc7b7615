//! Closing, and the end of TCP: a raw peer that produces it, the whole record, and the bytes that we
//! sent. `matrix.rs` says where the other causes are.

use std::time::Duration;

use revoir::ending::{CloseFrame, Detail, Finish};
use revoir::{Cause, CloseCode, Ending, Role, SendCode, WebSocket};

use crate::support::cases::{LOCAL, REMOTE, on, watch};
use crate::support::peer::After;
use crate::support::{
    Frame, Peer, Side, Sort, Wire, assert_ending, close_frame, expected, here, open, reason,
};

#[tokio::test]
async fn closed_by_peer_is_answered_with_the_same_code() {
    let play = async |socket: WebSocket, peer: &mut Peer| {
        peer.send(&Frame::close(4001, "bye")).await;
        watch(socket, peer).await
    };
    on(&Wire::ALL, play, |_, _, (actual, frames, after)| {
        let mut ending = expected(Cause::ClosedByPeer, Finish::Answered, REMOTE);
        ending.received = Some(close_frame(4001, "bye"));
        ending.sent = Some(close_frame(4001, ""));
        assert_ending(&actual, ending);
        assert_eq!((actual.code().get(), actual.reason()), (4001, "bye"));
        assert_eq!((frames, after), (vec![Frame::close(4001, "")], After::Fin));
    })
    .await;
}

#[tokio::test]
async fn an_empty_close_frame_is_answered_with_an_empty_one() {
    let play = async |socket: WebSocket, peer: &mut Peer| {
        peer.send(&Frame::new(Sort::Close, [])).await;
        watch(socket, peer).await
    };
    on(&Wire::ALL, play, |_, _, (actual, frames, after)| {
        let mut ending = expected(Cause::ClosedByPeer, Finish::Answered, REMOTE);
        ending.received = Some(CloseFrame::EMPTY);
        ending.sent = Some(CloseFrame::EMPTY);
        assert_ending(&actual, ending);
        assert_eq!(actual.code(), CloseCode::NO_STATUS_RCVD);
        let empty = Frame::new(Sort::Close, []);
        assert_eq!((frames, after), (vec![empty], After::Fin));
    })
    .await;
}

#[tokio::test]
async fn closed_locally_and_answered_is_clean() {
    let play = async |socket: WebSocket, peer: &mut Peer| {
        let closed = socket.close(SendCode::SERVICE_RESTART, reason("deploying"));
        assert_eq!(peer.next().await, Some(Frame::close(1012, "deploying")));
        peer.send(&Frame::close(1012, "")).await;
        if socket.role() == Role::Client {
            peer.fin().await;
        }
        let outcome = watch(socket, peer).await;
        assert_eq!(*closed.await, outcome.0);
        outcome
    };
    on(&Wire::ALL, play, |_, _, (actual, frames, after)| {
        let mut ending = expected(Cause::ClosedLocally, Finish::Answered, LOCAL);
        ending.sent = Some(close_frame(1012, "deploying"));
        ending.received = Some(close_frame(1012, ""));
        ending.closed_at = here();
        assert_ending(&actual, ending);
        assert_eq!((frames, after), (vec![], After::Fin));
    })
    .await;
}

#[tokio::test]
async fn a_close_that_finds_the_end_of_tcp_keeps_its_cause() {
    let play = async |socket: WebSocket, peer: &mut Peer| {
        let closed = socket.close(SendCode::NORMAL_CLOSURE, reason(""));
        assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
        peer.fin().await;
        let ending = Ending::clone(&*closed.await);
        let (frames, after) = peer.rest().await;
        (ending, frames, after)
    };
    on(&Wire::ALL, play, |_, _, (actual, frames, after)| {
        let mut ending = expected(Cause::ClosedLocally, Finish::Eof, LOCAL);
        ending.sent = Some(close_frame(1000, ""));
        ending.closed_at = here();
        assert_ending(&actual, ending);
        assert_eq!(actual.code(), CloseCode::ABNORMAL_CLOSURE);
        assert_eq!((frames, after), (vec![], After::Fin));
    })
    .await;
}

#[tokio::test]
async fn a_close_that_finds_a_reset_keeps_its_cause() {
    let play = async |socket: WebSocket, peer: &mut Peer| {
        let closed = socket.close(SendCode::NORMAL_CLOSURE, reason(""));
        assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
        peer.reset();
        (Ending::clone(&*closed.await), vec![], After::Error)
    };
    on(&Wire::ALL, play, |_, _, (actual, ..)| {
        let mut ending = expected(Cause::ClosedLocally, Finish::Reset, LOCAL);
        ending.sent = Some(close_frame(1000, ""));
        ending.closed_at = here();
        assert_ending(&actual, ending);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_close_that_nobody_answers_ends_with_its_budget() {
    let play = async |socket: WebSocket, peer: &mut Peer| {
        let closed = socket.close(SendCode::NORMAL_CLOSURE, reason(""));
        let ending = Ending::clone(&*closed.await);
        assert!(peer.stream.end().is_alone(), "the socket is gone");
        let (frames, after) = peer.rest().await;
        (ending, frames, after)
    };
    on(&[Wire::Memory], play, |_, _, (actual, frames, after)| {
        let mut ending = expected(Cause::ClosedLocally, Finish::Timeout, LOCAL);
        ending.sent = Some(close_frame(1000, ""));
        ending.closed_at = here();
        assert_ending(&actual, ending);
        assert_eq!(actual.open_for, Duration::from_secs(5));
        assert_eq!((frames, after), (vec![Frame::close(1000, "")], After::Fin));
    })
    .await;
}

#[tokio::test]
async fn dropped_handles_close_with_the_code_of_their_side() {
    let play = async |socket: WebSocket, peer: &mut Peer| {
        let closer = socket.closer();
        drop(socket);
        let code = match peer.next().await {
            Some(frame) => u16::from_be_bytes(frame.payload.try_into().unwrap()),
            None => panic!("no Close frame"),
        };
        peer.send(&Frame::close(code, "")).await;
        if code == 1000 {
            peer.fin().await;
        }
        let (frames, after) = peer.rest().await;
        (Ending::clone(&*closer.closed().await), frames, after)
    };
    on(&Wire::ALL, play, |side, _, (actual, frames, after)| {
        let code = match side {
            Side::Client => 1000,
            Side::Server => 1001,
        };
        let mut ending = expected(Cause::Dropped, Finish::Answered, LOCAL);
        ending.sent = Some(close_frame(code, ""));
        ending.received = Some(close_frame(code, ""));
        assert_ending(&actual, ending);
        assert_eq!((frames, after), (vec![], After::Fin));
    })
    .await;
}

#[tokio::test]
async fn the_end_of_tcp_says_whether_it_came_inside_a_frame() {
    for (bytes, in_frame) in [(0, false), (1, true), (3, true), (7, true)] {
        let play = async |socket: WebSocket, peer: &mut Peer| {
            let frame = peer.bytes(&Frame::text("hello, world"));
            peer.write(&frame[..bytes]).await;
            peer.fin().await;
            watch(socket, peer).await
        };
        on(&Wire::ALL, play, |_, _, (actual, frames, after)| {
            let mut ending = expected(Cause::Eof, Finish::Eof, None);
            ending.in_frame = in_frame;
            assert_ending(&actual, ending);
            assert_eq!((frames, after), (vec![], After::Fin));
        })
        .await;
    }
}

#[tokio::test]
async fn a_reset_has_its_error_number() {
    let play = async |mut socket: WebSocket, peer: &mut Peer| {
        peer.reset();
        let ending = socket.recv().await.unwrap_err();
        (Ending::clone(&ending), vec![], After::Error)
    };
    on(&Wire::ALL, play, |_, wire, (actual, ..)| {
        let mut ending = expected(Cause::Reset, Finish::Reset, None);
        ending.detail = match wire {
            Wire::Memory => Detail::Text("connection reset".into()),
            Wire::Tcp | Wire::Tls => Detail::Os(104),
        };
        assert_ending(&actual, ending);
    })
    .await;
}

#[tokio::test]
async fn tls_that_ends_without_close_notify_is_not_an_end_of_tcp() {
    let play = async |socket: WebSocket, peer: &mut Peer| {
        peer.stream.truncate();
        watch(socket, peer).await
    };
    on(
        &[Wire::Memory, Wire::Tls],
        play,
        |_, _, (actual, frames, _)| {
            assert_ending(&actual, expected(Cause::TlsTruncated, Finish::Reset, None));
            assert_eq!(frames, []);
        },
    )
    .await;
}

#[tokio::test]
async fn a_reset_after_both_close_frames_leaves_the_ending_clean() {
    for wire in [Wire::Tcp, Wire::Tls] {
        let (socket, mut peer) = open(Side::Client, wire).await;
        let closed = socket.close(SendCode::NORMAL_CLOSURE, reason(""));
        assert_eq!(peer.next().await, Some(Frame::close(1000, "")));
        peer.send(&Frame::close(1000, "")).await;
        peer.reset();
        let ending = closed.await;
        assert_eq!(
            (ending.cause, ending.finish),
            (Cause::ClosedLocally, Finish::Answered)
        );
        assert!(ending.is_clean());
    }
}

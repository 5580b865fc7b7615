//! Silence, failed writes and broken rules: a raw peer that produces each, the whole record, and the
//! bytes that we sent.

use std::io::ErrorKind;
use std::time::Duration;

use revoir::ending::{Detail, Finish, ProtocolError};
use revoir::{Cause, CloseCode, Ending, WebSocket};

use crate::support::cases::{LOCAL, REMOTE, on, watch};
use crate::support::peer::{After, open_over};
use crate::support::wire::Stream;
use crate::support::{
    Frame, Peer, Side, Sort, Wire, assert_ending, close_frame, expected, memory, open, open_with,
};

#[tokio::test(start_paused = true)]
async fn a_silent_peer_gets_a_ping_and_then_3008() {
    let play = async |mut socket: WebSocket, peer: &mut Peer| {
        let ending = Ending::clone(&*socket.recv().await.unwrap_err());
        let (frames, after) = peer.rest().await;
        (ending, frames, after)
    };
    on(&[Wire::Memory], play, |_, _, (actual, frames, after)| {
        let mut ending = expected(Cause::PongTimeout, Finish::Timeout, LOCAL);
        ending.sent = Some(close_frame(3008, "no sign of life"));
        assert_ending(&actual, ending);
        // 20 s to the ping, 10 % more or less; 20 s of silence; nothing for the close.
        let took = actual.open_for.as_secs_f64();
        assert!((38.0..=42.1).contains(&took), "{took}");
        assert_eq!(frames[0].sort, Sort::Ping);
        assert_eq!(frames[1..], [Frame::close(3008, "no sign of life")]);
        assert_eq!(after, After::Fin);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_messages_is_closed_after_the_limit_of_the_application() {
    for side in Side::BOTH {
        let mut config = side.config();
        config.idle_timeout = Some(Duration::from_secs(60));
        config.keepalive = None;
        let (socket, mut peer) = open_with(side, Wire::Memory, config).await;
        let closed = socket.closed();
        assert_eq!(peer.next().await, Some(Frame::close(1001, "idle")));
        peer.send(&Frame::close(1001, "")).await;
        peer.fin().await;
        let mut ending = expected(Cause::IdleTimeout, Finish::Answered, LOCAL);
        ending.sent = Some(close_frame(1001, "idle"));
        ending.received = Some(close_frame(1001, ""));
        let actual = closed.await;
        assert_ending(&actual, ending);
        assert_eq!(actual.open_for, Duration::from_secs(60));
        assert_eq!(peer.rest().await, (vec![], After::Fin));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_no_bytes_is_given_up() {
    for side in Side::BOTH {
        let (near, far) = memory::pair(1024);
        let (near, far) = (Stream::Memory(near), Stream::Memory(far));
        let (mut socket, mut peer) = open_over(side, near, far, side.config()).await;
        socket.send_binary(vec![7; 10_000]).await.unwrap();
        let actual = socket.recv().await.unwrap_err();
        let mut ending = expected(Cause::WriteTimeout, Finish::Timeout, None);
        let head = match side {
            Side::Client => 8,
            Side::Server => 4,
        };
        ending.unsent = actual.unsent;
        assert_ending(&actual, ending);
        // A ping may wait behind the message.
        let beside = actual.unsent - (10_000 + head - 1024);
        assert!(beside <= 10, "{}", actual.unsent);
        assert_eq!(actual.open_for, Duration::from_secs(20));
        assert_eq!(peer.stream.end().unread(), 1024);
        assert!(peer.stream.end().is_alone());
        assert_eq!(peer.next().await, None);
    }
}

#[tokio::test]
async fn a_write_error_is_told_from_a_read_error() {
    let play = async |mut socket: WebSocket, peer: &mut Peer| {
        let error = ErrorKind::BrokenPipe;
        peer.stream.end().break_writes(error);
        socket.send_text("lost").await.unwrap();
        watch(socket, peer).await
    };
    on(&[Wire::Memory], play, |side, _, (actual, frames, _)| {
        let mut ending = expected(Cause::WriteFailed, Finish::Reset, None);
        ending.detail = Detail::Text("broken pipe".into());
        ending.unsent = match side {
            Side::Client => 10,
            Side::Server => 6,
        };
        assert_ending(&actual, ending);
        assert_eq!(frames, []);
    })
    .await;
}

#[tokio::test]
async fn a_close_frame_that_arrived_before_a_write_failed_is_the_cause() {
    let play = async |mut socket: WebSocket, peer: &mut Peer| {
        peer.send(&Frame::text("first")).await;
        peer.send(&Frame::close(1013, "busy")).await;
        peer.stream.end().break_writes(ErrorKind::BrokenPipe);
        socket.send_text("lost").await.unwrap();
        assert_eq!(socket.recv().await.unwrap().as_bytes(), b"first");
        watch(socket, peer).await
    };
    on(&[Wire::Memory], play, |_, _, (actual, frames, _)| {
        let mut ending = expected(Cause::ClosedByPeer, Finish::Reset, REMOTE);
        ending.received = Some(close_frame(1013, "busy"));
        ending.unsent = actual.unsent;
        assert_ending(&actual, ending);
        assert!(actual.unsent > 0);
        assert_eq!(frames, []);
    })
    .await;
}

#[tokio::test]
async fn a_broken_rule_is_answered_with_its_code() {
    type Case = (fn(Side) -> Vec<u8>, fn(Side) -> ProtocolError);
    let cases: [Case; 5] = [
        (
            |side| Frame::text("a").bytes(side == Side::Client),
            |side| match side {
                Side::Client => ProtocolError::MaskUnexpected,
                Side::Server => ProtocolError::MaskMissing,
            },
        ),
        (
            |_| vec![0x83, 0x80, 0, 0, 0, 0],
            |_| ProtocolError::ReservedOpcode { opcode: 3 },
        ),
        (
            |side| Frame::close(1006, "").bytes(side == Side::Server),
            |_| {
                let code = CloseCode::ABNORMAL_CLOSURE;
                ProtocolError::CloseCodeNotAllowed { code }
            },
        ),
        (
            |side| Frame::new(Sort::Text, b"\xC0").bytes(side == Side::Server),
            |_| ProtocolError::TextNotUtf8,
        ),
        (
            |side| {
                let mask = if side == Side::Server { 0x80 } else { 0 };
                let mut head = vec![0x82, mask | 127, 0, 0, 0, 0, 2, 0, 0, 0];
                head.extend(&[0; 4][..usize::from(mask / 32)]);
                head
            },
            |side| {
                let allowed = side.config().limits.message as u64;
                let got = 32 * 1024 * 1024;
                ProtocolError::MessageTooBig { got, allowed }
            },
        ),
    ];
    for (bytes, error) in cases {
        for (side, wire) in Side::BOTH
            .into_iter()
            .flat_map(|side| Wire::ALL.map(|w| (side, w)))
        {
            let error = error(side);
            let (socket, mut peer) = open(side, wire).await;
            peer.write(&bytes(side)).await;
            let (actual, frames, after) = watch(socket, &mut peer).await;
            let text = format!("{error} ({})", error.section());
            let code = error.close_code().get();
            let mut ending = expected(error.cause(), Finish::Eof, LOCAL);
            ending.detail = Detail::Rule(error);
            ending.sent = Some(close_frame(code, &text));
            assert_ending(&actual, ending);
            assert_eq!(
                (frames, after),
                (vec![Frame::close(code, &text)], After::Fin)
            );
        }
    }
}

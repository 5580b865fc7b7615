//! A client and a server on virtual time, over links that fail.

use std::time::Duration;

use revoir_proto::{Cause, CloseCode, Event, Finish, Message, Reason, SendCode, State};

use crate::support::{CLOSE, Cut, Pair, parse_frames};

const SECOND: Duration = Duration::from_secs(1);

fn closes(wire: &[u8]) -> usize {
    parse_frames(wire)
        .iter()
        .filter(|frame| frame.opcode() == CLOSE)
        .count()
}

#[test]
fn messages_cross_both_ways_and_the_close_is_clean() {
    let mut pair = Pair::new();
    let now = pair.now;
    pair.client.connection.send_text(now, "hello").unwrap();
    pair.server
        .connection
        .send_binary(now, vec![1; 100_000])
        .unwrap();
    pair.drive_for(SECOND);
    assert_eq!(pair.server.messages(), [&Message::Text("hello".into())]);
    assert_eq!(
        pair.client.messages(),
        [&Message::Binary(vec![1; 100_000].into())]
    );
    let now = pair.now;
    pair.client
        .connection
        .close(now, SendCode::NORMAL_CLOSURE, Reason::EMPTY)
        .unwrap();
    pair.drive();
    assert_eq!(pair.now - now, SECOND * 3 / 100);
    let (client, server) = (pair.client.ending(), pair.server.ending());
    assert_eq!(
        (client.cause, server.cause),
        (Cause::ClosedLocally, Cause::ClosedByPeer)
    );
    assert!(client.is_clean() && server.is_clean());
    assert_eq!(client.code(), CloseCode::NORMAL_CLOSURE);
}

#[test]
fn both_sides_close_at_once_and_both_are_clean() {
    let mut pair = Pair::new();
    let now = pair.now;
    pair.client
        .connection
        .close(now, SendCode::NORMAL_CLOSURE, Reason::EMPTY)
        .unwrap();
    pair.server
        .connection
        .close(now, SendCode::SERVICE_RESTART, Reason::EMPTY)
        .unwrap();
    pair.drive();
    let (client, server) = (pair.client.ending(), pair.server.ending());
    assert_eq!(
        (client.cause, server.cause),
        (Cause::ClosedLocally, Cause::ClosedLocally)
    );
    assert_eq!(client.code(), CloseCode::SERVICE_RESTART);
    assert_eq!(server.code(), CloseCode::NORMAL_CLOSURE);
    assert!(client.is_clean() && server.is_clean());
    assert_eq!(closes(&pair.client.link.record), 1);
    assert_eq!(closes(&pair.server.link.record), 1);
}

#[test]
fn a_peer_that_falls_silent_is_found_dead_by_both_sides() {
    let mut pair = Pair::new();
    pair.client.link.cut = Some((0, Cut::Silence));
    pair.server.link.cut = Some((0, Cut::Silence));
    let start = pair.now;
    pair.drive();
    assert!(pair.now - start <= 48 * SECOND, "{:?}", pair.now - start);
    for end in [&pair.client, &pair.server] {
        assert_eq!(end.ending().cause, Cause::PongTimeout);
        assert_eq!(end.ending().finish, Finish::Timeout);
        assert_eq!(end.ending().code(), CloseCode::ABNORMAL_CLOSURE);
    }
}

#[test]
fn lost_pings_in_one_direction_end_with_3008_at_the_side_that_still_hears() {
    let mut pair = Pair::new();
    // What the server sends is lost; what the client sends arrives.
    pair.server.link.cut = Some((0, Cut::Silence));
    pair.drive();
    assert_eq!(pair.client.ending().cause, Cause::PongTimeout);
    assert_eq!(pair.server.ending().code(), CloseCode::TIMEOUT);
    assert_eq!(pair.server.ending().cause, Cause::ClosedByPeer);
}

#[test]
fn keepalive_alone_holds_a_quiet_connection_open() {
    let mut pair = Pair::new();
    pair.drive_for(3_600 * SECOND);
    assert_eq!(pair.client.connection.state(), State::Open);
    assert_eq!(pair.server.connection.state(), State::Open);
    assert_eq!(pair.client.connection.rtt(), Some(SECOND * 2 / 100));
}

#[test]
fn a_stalled_write_is_given_up_after_its_limit() {
    let mut pair = Pair::new();
    pair.server.link.room = 1_000;
    pair.client.takes = false;
    pair.client.connection.pause_reading();
    let now = pair.now;
    pair.server
        .connection
        .send_binary(now, vec![0; 5_000])
        .unwrap();
    pair.drive_for(60 * SECOND);
    let ending = pair.server.ending();
    assert_eq!(ending.cause, Cause::WriteTimeout);
    assert!(ending.open_for < 21 * SECOND);
    assert!(ending.unsent > 0);
}

#[test]
fn a_close_behind_a_stalled_write_is_cut_at_the_budget() {
    let mut pair = Pair::new();
    pair.server.link.room = 1_000;
    pair.client.takes = false;
    pair.client.connection.pause_reading();
    let now = pair.now;
    pair.server
        .connection
        .send_binary(now, vec![0; 5_000])
        .unwrap();
    pair.server
        .connection
        .close(now, SendCode::SERVICE_RESTART, Reason::EMPTY)
        .unwrap();
    pair.drive_for(60 * SECOND);
    let ending = pair.server.ending();
    assert_eq!(
        (ending.cause, ending.finish),
        (Cause::ClosedLocally, Finish::Timeout)
    );
    assert_eq!((ending.open_for, ending.sent), (5 * SECOND, None));
}

#[test]
fn a_slow_application_holds_its_peer_back_and_nobody_is_found_dead() {
    let mut pair = Pair::new();
    pair.client.link.room = 4_096;
    pair.server.takes = false;
    pair.server.connection.pause_reading();
    let now = pair.now;
    pair.client.connection.send_text(now, "patience").unwrap();
    pair.drive_for(15 * SECOND);
    pair.server.takes = true;
    let now = pair.now;
    pair.server.connection.resume_reading(now);
    pair.drive_for(10 * SECOND);
    assert_eq!(pair.server.messages(), [&Message::Text("patience".into())]);
    assert_eq!(pair.server.connection.state(), State::Open);
}

#[test]
fn a_stream_cut_at_every_byte_gives_every_side_one_ending() {
    for kind in [Cut::Eof, Cut::Reset, Cut::Silence] {
        for at in 0..60 {
            let mut pair = Pair::new();
            pair.client.link.cut = Some((at, kind));
            let now = pair.now;
            for _ in 0..3 {
                pair.client.connection.send_text(now, "some text").unwrap();
            }
            pair.client
                .connection
                .close(now, SendCode::GOING_AWAY, Reason::EMPTY)
                .unwrap();
            pair.drive();
            for end in [&pair.client, &pair.server] {
                let endings = end
                    .events
                    .iter()
                    .filter(|event| matches!(event, Event::Ended(_)))
                    .count();
                assert_eq!(endings, 1, "{kind:?} {at}");
                assert!(matches!(end.events.last(), Some(Event::Ended(_))));
                assert!(closes(&end.link.record) <= 1);
            }
            // Three frames of 15 bytes, and a Close frame of 8.
            let server = pair.server.ending();
            let whole_frames = at >= 53;
            assert_eq!(server.is_clean(), whole_frames, "{kind:?} {at}: {server}");
            if !whole_frames && kind == Cut::Eof {
                assert_eq!(server.cause, Cause::Eof);
                assert_eq!(server.in_frame, at % 15 != 0, "{at}");
            }
            assert_eq!(pair.server.messages().len(), (at / 15).min(3));
        }
    }
}

#[test]
fn a_half_closed_stream_still_gets_the_answer_to_its_close() {
    let mut pair = Pair::new();
    let now = pair.now;
    pair.client
        .connection
        .close(now, SendCode::NORMAL_CLOSURE, Reason::EMPTY)
        .unwrap();
    // The Close frame of 8 bytes and the end of the stream arrive together.
    pair.client.link.cut = Some((8, Cut::Eof));
    pair.drive();
    assert!(pair.server.ending().is_clean());
    assert!(pair.client.ending().is_clean());
}

#[test]
fn latency_below_the_limits_ends_nothing() {
    let mut pair = Pair::new();
    pair.client.link.latency = 9 * SECOND;
    pair.server.link.latency = 9 * SECOND;
    pair.drive_for(600 * SECOND);
    assert_eq!(pair.client.connection.state(), State::Open);
    assert_eq!(pair.client.connection.rtt(), Some(18 * SECOND));
}

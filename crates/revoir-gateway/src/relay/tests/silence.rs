use std::time::Duration;

use revoir_proto::frame::{CloseFrame, Opcode};
use revoir_proto::{Cause, CloseCode, KeepaliveConfig};

use crate::relay::Side;
use crate::relay::tests::rig::{Rig, masked, plain, rules, seconds};
use crate::relay::verdict::RedialFailure;
use crate::rules::{Mode, Rules};

fn text(text: &str) -> Vec<u8> {
    masked(Opcode::Text, text.as_bytes())
}

fn told(text: &str) -> Vec<u8> {
    plain(Opcode::Text, text.as_bytes())
}

/// A rig whose backend says nothing any more, and counts as silent. The client goes on.
fn silent(mode: Mode) -> Rig {
    let mut rig = Rig::with(Rules {
        keepalive: Some(KeepaliveConfig::default()),
        ..rules(mode)
    });
    rig.accepts(true);
    rig.wait(seconds(22));
    rig.client_sends(&masked(Opcode::Pong, b""));
    rig.wait(seconds(20));
    assert!(rig.relay.is_silent());
    assert!(!rig.relay.is_holding());
    rig.client_got();
    rig.backend_got();
    rig
}

/// Lets time pass in which the client shows signs of life.
fn wait(rig: &mut Rig, time: u64) {
    for _ in 0..time {
        rig.wait(seconds(1));
        rig.client_sends(&masked(Opcode::Pong, b""));
    }
}

#[test]
fn a_backend_that_speaks_again_goes_on_with_nothing_lost_said_again_or_doubled() {
    for mode in [Mode::Hold, Mode::Tunnel] {
        let mut rig = silent(mode);
        rig.client_sends(&text("one"));
        wait(&mut rig, 59);
        rig.client_sends(&text("two"));
        // Through a tunnel, pongs pass too.
        let mut got = rig.backend_got();
        let pong = plain(Opcode::Pong, b"");
        while let Some(at) = got.windows(2).position(|two| two == pong) {
            got.drain(at..at + 2);
        }
        assert_eq!(got, [told("one"), told("two")].concat());
        rig.backend_sends(&told("here"));
        assert!(!rig.relay.is_silent() && rig.relay.seeking().is_none());
        rig.client_sends(&text("three"));
        assert_eq!(rig.backend_got(), told("three"));
        assert!(rig.client_got().ends_with(&told("here")));
        wait(&mut rig, 19);
        assert!(rig.ended.is_empty());
    }
}

#[test]
fn a_backend_whose_upstream_answers_others_or_is_gone_is_left_a_second_later() {
    let mut rig = silent(Mode::Hold);
    assert!(!rig.relay.wants_dial(rig.now), "it may go on");
    wait(&mut rig, 5);
    rig.client_sends(&text("old"));
    rig.is_heard_of();
    rig.wait(Duration::from_millis(999));
    assert!(rig.relay.is_silent());
    rig.backend_got();
    rig.wait(Duration::from_millis(1));
    assert!(rig.relay.is_holding());
    let ended = rig.ending_of(Side::Backend);
    assert_eq!(ended.ending.cause, Cause::PongTimeout);
    let close = CloseFrame::parse(&rig.backend_got()[2..]).unwrap();
    assert_eq!(close.code(), CloseCode::TIMEOUT);
    rig.attach();
    rig.client_sends(&text("new"));
    assert_eq!(rig.backend_got(), told("new"));
    assert_eq!(rig.client_got(), b"");
}

#[test]
fn what_was_heard_of_its_upstream_before_says_nothing() {
    for mode in [Mode::Hold, Mode::Tunnel] {
        let mut rig = silent(mode);
        rig.outlook.heard_of = Some(seconds(30));
        // Others of the route accept, which says nothing of this one either.
        rig.accepts(true);
        wait(&mut rig, 59);
        assert!(rig.relay.is_silent());
    }
}

#[test]
fn a_silent_backend_that_is_lost_then_is_held_and_dialled_again() {
    let mut rig = silent(Mode::Hold);
    rig.lose(Side::Backend);
    let now = rig.now;
    assert!(rig.relay.is_holding() && !rig.relay.is_silent());
    assert!(rig.relay.wants_dial(now));
    rig.redial_fails(&RedialFailure::Unreachable);
    assert!(rig.relay.wants_dial(now));
}

#[test]
fn in_a_tunnel_a_silent_backend_is_left_once_others_get_an_answer() {
    let mut rig = silent(Mode::Tunnel);
    wait(&mut rig, 20);
    assert!(rig.relay.is_silent());
    rig.client_got();
    rig.is_heard_of();
    rig.wait(seconds(1));
    let close = rig.client_close().expect("a Close frame");
    assert_eq!(close.code(), CloseCode::INTERNAL_ERROR);
}

#[test]
fn a_backend_that_goes_on_is_heard_before_its_answer_to_others_counts() {
    for mode in [Mode::Hold, Mode::Tunnel] {
        let mut rig = silent(mode);
        wait(&mut rig, 20);
        rig.is_heard_of();
        rig.backend_sends(&told("here"));
        wait(&mut rig, 10);
        assert!(!rig.relay.is_silent() && !rig.relay.is_holding());
        assert!(rig.ended.is_empty());
    }
}

#[test]
fn in_a_tunnel_a_silent_backend_is_left_after_its_time() {
    let mut rig = silent(Mode::Tunnel);
    wait(&mut rig, 59);
    assert!(rig.relay.is_silent());
    rig.client_got();
    rig.wait(seconds(1));
    let close = rig.client_close().expect("a Close frame");
    assert_eq!(close.code(), CloseCode::INTERNAL_ERROR);
}

#[test]
fn without_a_time_for_it_a_silent_backend_is_lost_at_once() {
    let mut rig = Rig::with(Rules {
        keepalive: Some(KeepaliveConfig::default()),
        silent_budget: seconds(0),
        ..rules(Mode::Hold)
    });
    rig.wait(seconds(22));
    rig.client_sends(&masked(Opcode::Pong, b""));
    rig.wait(seconds(20));
    assert!(rig.relay.is_holding());
}

#[test]
fn one_that_takes_nothing_speaks_again_when_it_takes_something() {
    let mut rig = Rig::new(Mode::Hold);
    rig.backend.room = 0;
    rig.client_sends(&text("kept"));
    rig.wait(seconds(20));
    assert!(rig.relay.is_silent());
    // What it says does not help those whose messages it does not take.
    rig.backend_sends(&told("here"));
    assert!(rig.relay.is_silent());
    assert_eq!(rig.client_got(), told("here"));
    rig.backend.room = 100;
    rig.act(|_, _| ());
    assert!(!rig.relay.is_silent());
    assert_eq!(rig.backend_got(), told("kept"));
    rig.wait(seconds(100));
    assert!(rig.ended.is_empty());
}

#[test]
fn a_client_that_closes_meanwhile_is_answered_within_the_budget() {
    let mut rig = silent(Mode::Hold);
    rig.client_sends(&masked(Opcode::Close, b"\x03\xe8"));
    rig.wait(seconds(5));
    assert!(rig.relay.is_done());
    assert_eq!(
        rig.client_close().unwrap().code(),
        CloseCode::NORMAL_CLOSURE
    );
}

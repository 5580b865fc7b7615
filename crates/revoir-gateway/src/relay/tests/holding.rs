use std::time::Duration;

use revoir_codes::Slot;
use revoir_proto::frame::{CloseFrame, Opcode};
use revoir_proto::{CloseCode, Finish};

use crate::relay::tests::rig::{Rig, close_payload, masked, plain, rules, seconds};
use crate::relay::verdict::{HoldCause, RedialFailure};
use crate::relay::{Previous, Seeking, Side};
use crate::rules::{Mode, Rules};

fn text(text: &str) -> Vec<u8> {
    masked(Opcode::Text, text.as_bytes())
}

fn is_held(rig: &Rig) -> bool {
    rig.relay.is_holding()
}

/// A rig whose backend has closed with `code`.
fn closed_with(code: u16) -> Rig {
    let mut rig = Rig::new(Mode::Hold);
    rig.backend_sends(&plain(Opcode::Close, &close_payload(code, "why")));
    rig
}

fn lost() -> Rig {
    let mut rig = Rig::new(Mode::Hold);
    rig.lose(Side::Backend);
    rig
}

#[test]
fn a_restart_is_answered_and_the_client_notices_nothing() {
    for (code, why) in [
        (1012, HoldCause::Planned),
        (1001, HoldCause::Planned),
        (1013, HoldCause::Busy),
    ] {
        let mut rig = closed_with(code);
        assert!(is_held(&rig), "{code}");
        assert_eq!(rig.client_got(), b"");
        assert_eq!(
            rig.backend_got(),
            plain(Opcode::Close, &close_payload(code, ""))
        );
        let ended = rig.ending_of(Side::Backend);
        assert_eq!((ended.held, ended.ending.is_clean()), (Some(why), true));
        assert_eq!(ended.ending.finish, Finish::Answered);
        assert_eq!(ended.ending.reason(), "why");
    }
}

#[test]
fn a_lost_backend_holds_the_client() {
    let mut rig = lost();
    assert!(is_held(&rig));
    assert_eq!((rig.client_got(), rig.backend_got()), (vec![], vec![]));
    let ended = rig.ending_of(Side::Backend);
    assert_eq!(ended.ending.code(), CloseCode::ABNORMAL_CLOSURE);
    assert_eq!(
        (ended.held, ended.ending.finish),
        (Some(HoldCause::Lost), Finish::Reset)
    );
}

#[test]
fn every_other_close_passes_unchanged_with_its_reason() {
    for code in [
        1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 4999,
    ] {
        let mut rig = closed_with(code);
        let wire = plain(Opcode::Close, &close_payload(code, "why"));
        assert_eq!(rig.client_got(), wire, "{code}");
        assert_eq!(rig.backend_got(), b"");
        rig.client_sends(&masked(Opcode::Close, &close_payload(code, "")));
        assert_eq!(
            rig.backend_got(),
            plain(Opcode::Close, &close_payload(code, ""))
        );
        assert!(rig.relay.is_done());
        for side in [Side::Client, Side::Backend] {
            assert!(rig.ending_of(side).ending.is_clean(), "{code} {side:?}");
        }
    }
    let mut rig = Rig::new(Mode::Hold);
    rig.backend_sends(&plain(Opcode::Close, b""));
    assert_eq!(rig.client_got(), plain(Opcode::Close, b""));
}

#[test]
fn pings_of_a_held_client_are_answered() {
    let mut rig = lost();
    rig.client_sends(&masked(Opcode::Ping, b"there?"));
    assert_eq!(rig.client_got(), plain(Opcode::Pong, b"there?"));
    rig.wait(seconds(3));
    rig.client_sends(&masked(Opcode::Ping, b""));
    assert_eq!(rig.client_got(), plain(Opcode::Pong, b""));
}

#[test]
fn messages_of_a_held_client_reach_the_next_backend_in_order() {
    let mut rig = Rig::new(Mode::Hold);
    rig.client_sends(&text("before"));
    rig.lose(Side::Backend);
    rig.backend_got();
    rig.client_sends(&[text("1"), text("2")].concat());
    let half = text("third");
    rig.client_sends(&half[..7]);
    rig.wait(seconds(5));
    rig.attach();
    let expected = [plain(Opcode::Text, b"1"), plain(Opcode::Text, b"2")].concat();
    assert_eq!(rig.backend_got(), expected);
    rig.client_sends(&half[7..]);
    assert_eq!(rig.backend_got(), plain(Opcode::Text, b"third"));
}

#[test]
fn a_message_of_which_the_backend_got_a_part_goes_to_the_next_one_whole() {
    let mut rig = Rig::new(Mode::Hold);
    rig.backend.room = 12;
    rig.client_sends(&[text("one"), text("two"), text("three")].concat());
    assert_eq!(rig.relay.room(Side::Client), 0);
    rig.lose(Side::Backend);
    let previous = Previous {
        written: 1,
        received: 0,
    };
    let seeking = rig.relay.seeking().unwrap();
    assert_eq!((seeking.previous, seeking.since), (previous, rig.now));
    rig.backend.taken.clear();
    rig.backend.room = usize::MAX;
    rig.attach();
    let expected = [plain(Opcode::Text, b"two"), plain(Opcode::Text, b"three")].concat();
    assert_eq!(rig.backend_got(), expected);
}

/// A rig that has returned before others, and said something meanwhile.
fn returned_before_others() -> Rig {
    let mut rig = lost();
    rig.client_sends(&text("meanwhile"));
    rig.wait(seconds(1));
    rig.others_return(false);
    rig.attach();
    rig.client_sends(&text("after"));
    rig
}

fn told(said: &[&str]) -> Vec<u8> {
    let frames = said.iter().map(|one| plain(Opcode::Text, one.as_bytes()));
    frames.collect::<Vec<_>>().concat()
}

#[test]
fn what_was_said_meanwhile_waits_until_all_others_have_a_backend_again() {
    let mut rig = returned_before_others();
    rig.wait(seconds(4));
    rig.backend_sends(&plain(Opcode::Text, b"news"));
    assert_eq!(rig.client_got(), plain(Opcode::Text, b"news"));
    assert_eq!(rig.backend_got(), b"");
    assert!(rig.relay.held_bytes() > 0);
    rig.others_return(true);
    assert_eq!(rig.backend_got(), told(&["meanwhile", "after"]));
    rig.client_sends(&text("later"));
    assert_eq!(rig.backend_got(), told(&["later"]));
    assert_eq!(rig.relay.held_bytes(), 0);

    let mut rig = returned_before_others();
    rig.wait(seconds(5));
    assert_eq!(rig.backend_got(), told(&["meanwhile", "after"]));
}

#[test]
fn a_client_whose_upstream_is_removed_waits_for_nobody_and_nobody_for_it() {
    let mut rig = Rig::new(Mode::Hold);
    assert!(rig.act(|relay, at| relay.change_backend(at)));
    rig.backend_sends(&plain(Opcode::Close, &close_payload(1001, "")));
    assert!(is_held(&rig) && rig.relay.missing().is_none());
    rig.others_return(false);
    rig.backend_got();
    rig.attach();
    rig.client_sends(&text("one"));
    assert_eq!(rig.backend_got(), told(&["one"]));
}

#[test]
fn what_waits_for_others_outlives_another_loss_and_goes_before_a_close() {
    let mut rig = returned_before_others();
    rig.lose(Side::Backend);
    let written = rig.relay.seeking().map(|seeking| seeking.previous.written);
    assert_eq!(written, Some(0));
    rig.client_sends(&text("away"));
    rig.attach();
    assert_eq!(rig.backend_got(), b"");
    rig.client_sends(&masked(Opcode::Close, &close_payload(1000, "bye")));
    let close = plain(Opcode::Close, &close_payload(1000, "bye"));
    let all = [told(&["meanwhile", "after", "away"]), close].concat();
    assert_eq!(rig.backend_got(), all);
}

#[test]
fn a_message_that_is_not_kept_whole_does_not_wait_for_others() {
    for is_begun_before in [true, false] {
        let mut rig = Rig::with(Rules {
            keep: 100,
            ..rules(Mode::Hold)
        });
        let long = "x".repeat(1000);
        let wire = text(&long);
        rig.lose(Side::Backend);
        rig.client_sends(&text("meanwhile"));
        rig.others_return(false);
        if is_begun_before {
            rig.client_sends(&wire[..500]);
            rig.attach();
        } else {
            rig.attach();
            rig.client_sends(&wire[..500]);
        }
        rig.client_sends(&wire[500..]);
        assert_eq!(rig.backend_got(), told(&["meanwhile", &long]));
    }
}

#[test]
fn half_a_message_of_a_lost_backend_never_reaches_the_client() {
    let mut rig = Rig::new(Mode::Hold);
    let (whole, half) = (plain(Opcode::Text, b"whole"), plain(Opcode::Text, b"half"));
    rig.backend_sends(&[&whole, &half[..4]].concat());
    rig.lose(Side::Backend);
    assert!(is_held(&rig));
    assert_eq!(rig.client_got(), whole);
    assert!(rig.ending_of(Side::Backend).ending.in_frame);
    rig.attach();
    rig.backend_sends(&plain(Opcode::Text, b"next"));
    assert_eq!(rig.client_got(), plain(Opcode::Text, b"next"));
}

#[test]
fn the_counts_are_those_of_the_backend_that_was_lost() {
    let mut rig = Rig::new(Mode::Hold);
    rig.client_sends(&[text("1"), text("2")].concat());
    rig.backend_sends(&plain(Opcode::Text, b"a"));
    rig.lose(Side::Backend);
    rig.client_sends(&text("3"));
    rig.wait(seconds(2));
    let seeking = |written, received, since| {
        let previous = Previous { written, received };
        Some(Seeking { previous, since })
    };
    assert_eq!(rig.relay.seeking(), seeking(2, 1, seconds(0)));
    rig.attach();
    rig.client_sends(&text("4"));
    rig.lose(Side::Backend);
    assert_eq!(rig.relay.seeking(), seeking(2, 0, seconds(2)));
    rig.attach();
    rig.lose(Side::Backend);
    assert_eq!(rig.relay.seeking(), seeking(0, 0, seconds(2)));
}

/// The Close frame that a held client gets, and when.
fn given_up(rig: &mut Rig) -> (CloseFrame, Duration) {
    for _ in 0..1000 {
        rig.wait(Duration::from_millis(100));
        if let Some(frame) = rig.client_close() {
            return (frame, rig.now);
        }
    }
    panic!("the client was never closed");
}

#[test]
fn a_planned_restart_may_take_a_minute_and_then_ends_with_1012_and_a_slot() {
    for code in [1012, 1001] {
        let (frame, at) = given_up(&mut closed_with(code));
        assert_eq!(
            (frame.code(), at),
            (CloseCode::SERVICE_RESTART, seconds(60))
        );
        let slot = Slot::read(frame.code(), frame.reason()).expect("a slot");
        assert!((seconds(1)..=seconds(5)).contains(&slot.after()), "{slot}");
    }
}

#[test]
fn a_lost_backend_may_be_away_for_its_time_and_then_there_is_none() {
    let (frame, at) = given_up(&mut lost());
    assert_eq!(
        (frame.code(), at),
        (CloseCode::TRY_AGAIN_LATER, seconds(10))
    );
    let slot = Slot::read(frame.code(), frame.reason()).expect("a slot");
    assert!((seconds(5)..=seconds(9)).contains(&slot.after()), "{slot}");
}

#[test]
fn a_busy_backend_is_asked_again_after_a_second_and_given_up_after_a_minute() {
    let mut rig = closed_with(1013);
    let now = rig.now;
    assert!(!rig.relay.wants_dial(now));
    assert!(rig.relay.deadline() >= Some(now + seconds(1)));
    let (frame, at) = given_up(&mut rig);
    assert_eq!(
        (frame.code(), at),
        (CloseCode::TRY_AGAIN_LATER, seconds(60))
    );
}

#[test]
fn the_budget_stops_once_the_backend_accepts_and_the_queue_has_its_own_limit() {
    let mut rig = lost();
    rig.wait(seconds(9));
    rig.accepts(true);
    let (frame, at) = given_up(&mut rig);
    assert_eq!(
        (frame.code(), at),
        (CloseCode::SERVICE_RESTART, seconds(9 + 60))
    );
}

#[test]
fn a_backend_that_stops_accepting_again_leaves_the_rest_of_the_budget() {
    let mut rig = lost();
    rig.wait(seconds(6));
    rig.accepts(true);
    rig.wait(seconds(20));
    rig.accepts(false);
    let (frame, at) = given_up(&mut rig);
    assert_eq!(
        (frame.code(), at),
        (CloseCode::TRY_AGAIN_LATER, seconds(6 + 20 + 4))
    );
}

#[test]
fn that_it_accepted_before_the_loss_says_nothing() {
    let mut rig = Rig::new(Mode::Hold);
    rig.outlook.accepted = Some(Duration::ZERO);
    rig.wait(seconds(50));
    rig.lose(Side::Backend);
    let (_, at) = given_up(&mut rig);
    assert_eq!(at, seconds(60));
}

#[test]
fn a_backend_that_is_lost_again_and_again_uses_up_one_budget() {
    let mut rig = lost();
    for _ in 0..4 {
        rig.wait(seconds(2));
        rig.attach();
        rig.wait(seconds(5));
        rig.lose(Side::Backend);
    }
    let start = rig.now;
    let (_, at) = given_up(&mut rig);
    assert_eq!(at - start, seconds(2));

    let mut rig = lost();
    rig.wait(seconds(9));
    rig.attach();
    rig.wait(seconds(10));
    rig.lose(Side::Backend);
    let start = rig.now;
    let (_, at) = given_up(&mut rig);
    assert_eq!(at - start, seconds(10));
}

#[test]
fn restarts_in_a_row_are_held_though_the_first_was_a_loss() {
    let mut rig = lost();
    rig.wait(seconds(3));
    for code in [1012, 1001, 1012] {
        rig.attach();
        rig.wait(seconds(5));
        rig.backend_sends(&plain(Opcode::Close, &close_payload(code, "again")));
        rig.wait(seconds(3));
        assert!(is_held(&rig), "{code}");
    }
    // A loss goes on with what the first one left.
    rig.attach();
    rig.wait(seconds(5));
    rig.lose(Side::Backend);
    let start = rig.now;
    let (_, at) = given_up(&mut rig);
    assert_eq!(at - start, seconds(7));
}

#[test]
fn a_refused_return_ends_the_client_with_1012_a_slot_and_the_status() {
    for status in [401, 403, 404, 410] {
        let mut rig = lost();
        rig.redial_fails(&RedialFailure::Refused {
            status,
            retry_after: None,
        });
        let frame = rig.client_close().expect("a Close frame");
        assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);
        assert!(Slot::read(frame.code(), frame.reason()).is_some());
        assert!(frame.reason().contains(&status.to_string()));
    }
}

#[test]
fn an_agreement_that_changed_ends_the_client_with_1012() {
    let mut rig = lost();
    rig.redial_fails(&RedialFailure::Changed(
        "the backend chose another subprotocol",
    ));
    let frame = rig.client_close().expect("a Close frame");
    assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);
    assert!(Slot::read(frame.code(), frame.reason()).is_some());
}

#[test]
fn a_backend_that_is_not_ready_is_asked_again_when_it_says() {
    let mut rig = lost();
    let now = rig.now;
    assert!(rig.relay.wants_dial(now));
    assert!(!rig.relay.wants_dial(now));
    rig.redial_fails(&RedialFailure::Refused {
        status: 503,
        retry_after: Some(seconds(3)),
    });
    assert!(!rig.relay.wants_dial(seconds(2)));
    assert!(rig.relay.wants_dial(seconds(3)));
    rig.redial_fails(&RedialFailure::Unreachable);
    assert!(rig.relay.wants_dial(now));
}

#[test]
fn an_invalid_handshake_until_the_end_is_a_bad_gateway() {
    let mut rig = lost();
    rig.redial_fails(&RedialFailure::Invalid);
    let (frame, at) = given_up(&mut rig);
    assert_eq!((frame.code().get(), at), (1014, seconds(10)));
}

#[test]
fn a_held_client_that_sends_too_much_is_not_read_from_and_loses_nothing() {
    let mut rig = lost();
    for _ in 0..64 {
        assert!(rig.relay.room(Side::Client) > 0);
        rig.client_sends(&text("x"));
    }
    assert_eq!(rig.relay.room(Side::Client), 0);
    rig.attach();
    assert_eq!(rig.backend_got(), plain(Opcode::Text, b"x").repeat(64));
    assert!(rig.relay.room(Side::Client) > 0);

    let mut rig = lost();
    let large = masked(Opcode::Binary, &[0; 60_000]);
    rig.client_sends(&large);
    assert_eq!(rig.relay.room(Side::Client), 64 * 1024 - large.len());
    let room = rig.relay.room(Side::Client);
    rig.client_sends(&large[..room]);
    assert_eq!(rig.relay.room(Side::Client), 0);
    let (frame, _) = given_up(&mut rig);
    assert_eq!(frame.code(), CloseCode::TRY_AGAIN_LATER);
    assert!(frame.reason().contains("room"), "{frame}");
}

#[test]
fn a_client_that_closes_while_held_is_answered_at_once() {
    let mut rig = lost();
    rig.client_sends(&masked(Opcode::Close, &close_payload(1000, "bye")));
    assert_eq!(
        rig.client_got(),
        plain(Opcode::Close, &close_payload(1000, ""))
    );
    assert!(rig.relay.is_done());
    assert!(rig.ending_of(Side::Client).ending.is_clean());
}

#[test]
fn what_is_cut_through_cannot_be_held() {
    let rules = Rules {
        keep: 100,
        ..rules(Mode::Hold)
    };
    let long = vec![0; 200];
    let parts = [Opcode::Binary, Opcode::Continuation];
    let mut first = plain(parts[0], &long);
    first[0] &= 0x7F;

    // The backend's message is cut at a frame: a Close frame can follow.
    let mut rig = Rig::with(rules.clone());
    rig.backend_sends(&first);
    assert_eq!(rig.client_got(), first);
    rig.lose(Side::Backend);
    let frame = rig.client_close().expect("a Close frame");
    assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);

    // It is cut inside a frame: nothing can.
    let mut rig = Rig::with(rules.clone());
    rig.backend_sends(&first[..150]);
    rig.lose(Side::Backend);
    assert_eq!(rig.client_got(), first[..150]);
    assert!(rig.relay.is_done());
    assert_eq!(rig.ending_of(Side::Client).ending.finish, Finish::Reset);

    // The client's message is cut.
    let mut rig = Rig::with(rules.clone());
    rig.client_sends(&masked(parts[0], &long)[..150]);
    rig.lose(Side::Backend);
    let frame = rig.client_close().expect("a Close frame");
    assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);

    // Once it is over, the connection can be held again.
    let mut rig = Rig::with(rules);
    rig.backend_sends(&first);
    rig.backend_sends(&plain(parts[1], b""));
    rig.lose(Side::Backend);
    assert!(is_held(&rig));
}

#[test]
fn a_code_that_no_frame_may_carry_is_a_loss() {
    let mut rig = Rig::new(Mode::Hold);
    rig.backend_sends(&plain(Opcode::Close, &1006_u16.to_be_bytes()));
    assert!(is_held(&rig));
    assert_eq!(rig.client_got(), b"");
    assert_eq!(rig.backend_got()[2..4], 1002_u16.to_be_bytes());
}

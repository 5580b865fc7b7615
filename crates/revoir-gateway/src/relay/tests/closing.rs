use revoir_proto::frame::Opcode;
use revoir_proto::{Cause, CloseCode, Finish, Initiator};

use crate::relay::tests::rig::{Rig, close_payload, masked, plain, seconds};
use crate::relay::verdict::Goodbye;
use crate::relay::{EndedBy, Side};
use crate::rules::Mode;

const MODES: [Mode; 2] = [Mode::Hold, Mode::Tunnel];

#[test]
fn a_client_s_close_goes_to_the_backend_and_the_answer_comes_back() {
    for mode in MODES {
        let mut rig = Rig::new(mode);
        rig.client_sends(&masked(Opcode::Close, &close_payload(4001, "done")));
        assert_eq!(
            rig.backend_got(),
            plain(Opcode::Close, &close_payload(4001, "done"))
        );
        assert_eq!(rig.client_got(), b"");
        // What the backend still has to say arrives.
        rig.backend_sends(&plain(Opcode::Text, b"last"));
        assert_eq!(rig.client_got(), plain(Opcode::Text, b"last"));
        rig.backend_sends(&plain(Opcode::Close, &close_payload(4001, "")));
        assert_eq!(
            rig.client_got(),
            plain(Opcode::Close, &close_payload(4001, ""))
        );
        assert!(rig.relay.is_done());
        let ended = rig.ending_of(Side::Client);
        assert_eq!(ended.ending.cause, Cause::ClosedByPeer);
        assert_eq!(ended.ending.initiator, Some(Initiator::Remote));
        assert_eq!(
            rig.ending_of(Side::Backend).ending.initiator,
            Some(Initiator::Local)
        );
        assert!(rig.ending_of(Side::Backend).ending.is_clean());
    }
}

#[test]
fn a_backend_that_does_not_answer_costs_the_budget_and_the_client_is_answered() {
    let mut rig = Rig::new(Mode::Hold);
    rig.client_sends(&masked(Opcode::Close, &close_payload(1000, "")));
    rig.wait(seconds(4));
    assert_eq!(rig.client_got(), b"");
    rig.wait(seconds(1));
    assert_eq!(
        rig.client_got(),
        plain(Opcode::Close, &close_payload(1000, ""))
    );
    assert!(rig.relay.is_done());
    assert!(rig.ending_of(Side::Client).ending.is_clean());
    assert_eq!(rig.ending_of(Side::Backend).ending.finish, Finish::Timeout);
}

#[test]
fn a_backend_that_dies_before_its_answer_does_not_hold_a_client_that_leaves() {
    let mut rig = Rig::new(Mode::Hold);
    rig.client_sends(&masked(Opcode::Close, &close_payload(1000, "")));
    rig.lose(Side::Backend);
    assert_eq!(
        rig.client_got(),
        plain(Opcode::Close, &close_payload(1000, ""))
    );
    assert!(rig.relay.is_done());
}

#[test]
fn a_client_that_does_not_answer_costs_the_budget_and_the_backend_is_answered() {
    let mut rig = Rig::new(Mode::Hold);
    rig.backend_sends(&plain(Opcode::Close, &close_payload(4000, "out")));
    rig.wait(seconds(5));
    assert_eq!(
        rig.backend_got(),
        plain(Opcode::Close, &close_payload(4000, ""))
    );
    assert!(rig.relay.is_done());
    assert_eq!(rig.ending_of(Side::Client).ending.finish, Finish::Timeout);
    assert!(rig.ending_of(Side::Backend).ending.is_clean());
}

#[test]
fn a_lost_client_is_gone_for_the_backend_too() {
    for mode in MODES {
        let mut rig = Rig::new(mode);
        rig.lose(Side::Client);
        assert_eq!(rig.backend_got()[2..4], 1001_u16.to_be_bytes());
        rig.backend_sends(&plain(Opcode::Close, &close_payload(1001, "")));
        assert!(rig.relay.is_done());
        assert_eq!(rig.ending_of(Side::Client).ending.cause, Cause::Reset);
        assert!(rig.ending_of(Side::Backend).ending.is_clean());
    }
}

#[test]
fn a_client_that_breaks_a_rule_is_told_which_and_the_backend_is_closed() {
    for mode in MODES {
        let mut rig = Rig::new(mode);
        rig.client_sends(&plain(Opcode::Text, b"not masked"));
        let frame = rig.client_close().expect("a Close frame");
        assert_eq!(frame.code(), CloseCode::PROTOCOL_ERROR);
        assert!(frame.reason().contains("not masked"), "{frame}");
        assert_eq!(rig.backend_got()[2..4], 1001_u16.to_be_bytes());
        assert_eq!(
            rig.ending_of(Side::Client).ending.cause,
            Cause::ProtocolError
        );
    }
}

#[test]
fn a_message_over_the_limit_is_refused_with_1009() {
    let mut rig = Rig::new(Mode::Hold);
    let mut wire = vec![0x82, 0xFF];
    wire.extend_from_slice(&(16 * 1024 * 1024 + 1_u64).to_be_bytes());
    wire.extend_from_slice(&[0; 4]);
    rig.client_sends(&wire);
    let frame = rig.client_close().expect("a Close frame");
    assert_eq!(frame.code(), CloseCode::MESSAGE_TOO_BIG);
}

#[test]
fn a_backend_that_breaks_a_rule_is_a_bad_gateway() {
    for mode in MODES {
        let mut rig = Rig::new(mode);
        rig.backend_sends(&masked(Opcode::Text, b"masked"));
        let frame = rig.client_close().expect("a Close frame");
        assert_eq!(frame.code().get(), 1014);
        assert_eq!(rig.backend_got()[2..4], 1002_u16.to_be_bytes());
    }
}

#[test]
fn both_may_close_at_once() {
    let mut rig = Rig::new(Mode::Hold);
    rig.client_sends(&masked(Opcode::Close, &close_payload(1000, "")));
    rig.backend_sends(&plain(Opcode::Close, &close_payload(4000, "kicked")));
    assert_eq!(
        rig.client_got(),
        plain(Opcode::Close, &close_payload(4000, "kicked"))
    );
    assert_eq!(
        rig.backend_got(),
        plain(Opcode::Close, &close_payload(1000, ""))
    );
    assert!(rig.relay.is_done());
}

#[test]
fn the_gateway_can_leave_on_its_own() {
    for mode in MODES {
        let mut rig = Rig::new(mode);
        rig.act(|relay, at| relay.leave(at, Goodbye::restart("the gateway restarts")));
        let frame = rig.client_close().expect("a Close frame");
        assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);
        assert_eq!(rig.backend_got()[2..4], 1012_u16.to_be_bytes());
        rig.client_sends(&masked(Opcode::Close, &close_payload(1012, "")));
        rig.backend_sends(&plain(Opcode::Close, &close_payload(1012, "")));
        assert!(rig.relay.is_done());
    }
}

/// A client with a session, which the gateway has begun to leave.
fn left(mode: Mode) -> Rig {
    let mut rig = Rig::new(mode);
    rig.relay.client_is_here();
    rig.act(|relay, at| relay.leave(at, Goodbye::restart("the gateway restarts")));
    rig
}

#[test]
fn the_backend_of_a_session_says_everything_before_the_gateway_leaves() {
    for mode in MODES {
        let mut rig = left(mode);
        assert_eq!(rig.backend_got()[2..4], 1012_u16.to_be_bytes());
        assert_eq!(rig.client_got(), b"");
        // What the client says now is for the next gateway.
        assert_eq!(rig.relay.room(Side::Client), 0);
        rig.backend_sends(&plain(Opcode::Text, b"last"));
        assert_eq!(rig.client_got(), plain(Opcode::Text, b"last"));
        rig.backend_sends(&plain(Opcode::Close, &close_payload(1012, "")));
        let frame = rig.client_close().expect("a Close frame");
        assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);
        assert_eq!(rig.relay.ended_by(), EndedBy::Gateway);
        assert!(rig.ending_of(Side::Backend).ending.is_clean());
        rig.client_sends(&masked(Opcode::Close, &close_payload(1012, "")));
        assert!(rig.relay.is_done());
    }
}

#[test]
fn a_backend_that_does_not_answer_is_waited_for_once() {
    let mut rig = left(Mode::Hold);
    rig.wait(seconds(5));
    assert!(rig.client_close().is_some());
    let mut rig = left(Mode::Hold);
    rig.lose(Side::Backend);
    assert!(rig.client_close().is_some());
    assert_eq!(rig.relay.ended_by(), EndedBy::Gateway);
    let mut rig = left(Mode::Hold);
    rig.act(|relay, at| relay.leave_now(at, Goodbye::restart("the gateway restarts")));
    assert!(rig.client_close().is_some());
}

#[test]
fn the_message_under_way_reaches_a_backend_that_is_about_to_be_closed() {
    for mode in MODES {
        let wire = masked(Opcode::Text, b"under way");
        // Cut in its header, and in its payload.
        for cut in [1, 9] {
            let mut rig = Rig::new(mode);
            rig.relay.client_is_here();
            rig.client_sends(&wire[..cut]);
            rig.act(|relay, at| relay.leave(at, Goodbye::restart("the gateway restarts")));
            let mut rest = &wire[cut..];
            while !rest.is_empty() {
                let room = rig.relay.room(Side::Client);
                assert!(room > 0 && room <= rest.len(), "{room}");
                rig.client_sends(&rest[..room]);
                rest = &rest[room..];
            }
            assert_eq!(rig.relay.room(Side::Client), 0);
            let got = rig.backend_got();
            let message = plain(Opcode::Text, b"under way");
            assert_eq!(got[..message.len()], message);
            assert_eq!(got[message.len()], 0x88);
        }
    }
}

#[test]
fn a_held_client_of_a_session_is_left_to_the_next_gateway() {
    let mut rig = Rig::new(Mode::Hold);
    rig.relay.client_is_here();
    rig.lose(Side::Backend);
    assert!(rig.relay.is_holding());
    rig.act(|relay, at| relay.leave(at, Goodbye::restart("the gateway restarts")));
    assert!(rig.client_close().is_some());
    assert_eq!(rig.relay.ended_by(), EndedBy::Gateway);
    // One whose hold is over has no backend anywhere.
    let mut rig = Rig::new(Mode::Hold);
    rig.relay.client_is_here();
    rig.lose(Side::Backend);
    rig.wait(seconds(10));
    assert!(rig.client_close().is_some());
    assert_eq!(rig.relay.ended_by(), EndedBy::NoBackend);
}

#[test]
fn messages_after_a_close_are_counted_where_they_came_from() {
    let mut rig = Rig::new(Mode::Hold);
    rig.backend_sends(&plain(Opcode::Close, &close_payload(4000, "")));
    rig.client_got();
    rig.client_sends(&masked(Opcode::Text, b"too late"));
    rig.client_sends(&masked(Opcode::Close, &close_payload(4000, "")));
    // The backend has closed, but still reads until it is answered.
    let got = rig.backend_got();
    assert_eq!(
        got,
        [
            plain(Opcode::Text, b"too late"),
            plain(Opcode::Close, &close_payload(4000, ""))
        ]
        .concat()
    );
    assert_eq!(rig.ending_of(Side::Client).received, 1);
}

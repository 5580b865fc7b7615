use revoir_proto::frame::Opcode;
use revoir_proto::{Cause, CloseCode, KeepaliveConfig};

use crate::relay::Side;
use crate::relay::tests::rig::{Rig, masked, plain, rules, seconds};
use crate::rules::{Mode, Rules};

fn rig(mode: Mode) -> Rig {
    Rig::with(Rules {
        keepalive: Some(KeepaliveConfig::default()),
        ..rules(mode)
    })
}

/// The payload of the ping at the end of `wire`.
fn ping_in(wire: &[u8]) -> Vec<u8> {
    let ping = &wire[wire.len() - 6..];
    assert_eq!(ping[..2], [0x89, 4], "{wire:?}");
    ping[2..].to_vec()
}

#[test]
fn quiet_sides_are_pinged_and_their_pongs_stay_here() {
    for mode in [Mode::Hold, Mode::Tunnel] {
        let mut rig = rig(mode);
        for _ in 0..5 {
            rig.wait(seconds(22));
            let (to_client, to_backend) = (ping_in(&rig.client_got()), ping_in(&rig.backend_got()));
            rig.client_sends(&masked(Opcode::Pong, &to_client));
            rig.backend_sends(&plain(Opcode::Pong, &to_backend));
            assert_eq!((rig.client_got(), rig.backend_got()), (vec![], vec![]));
        }
    }
}

#[test]
fn a_silent_client_is_closed_with_3008() {
    let mut rig = rig(Mode::Hold);
    rig.wait(seconds(22));
    rig.backend_sends(&plain(Opcode::Pong, b""));
    rig.client_got();
    rig.wait(seconds(20));
    let frame = rig.client_close().expect("a Close frame");
    assert_eq!(frame.code(), CloseCode::TIMEOUT);
    // Nobody waits for what a silent client might answer.
    let ending = &rig.ending_of(Side::Client).ending;
    assert_eq!(ending.cause, Cause::PongTimeout);
    let told = ending.to_string();
    assert!(told.contains("did not wait for a reply"), "{told}");
}

#[test]
fn a_silent_backend_is_left_after_its_time_and_the_client_held() {
    let mut rig = rig(Mode::Hold);
    for _ in 0..5 {
        rig.wait(seconds(19));
        rig.client_sends(&masked(Opcode::Pong, b""));
    }
    assert!(rig.relay.is_silent() && !rig.relay.is_holding());
    rig.wait(seconds(7));
    assert!(rig.relay.is_holding());
    assert_eq!(
        rig.ending_of(Side::Backend).ending.cause,
        Cause::PongTimeout
    );
}

#[test]
fn a_backend_that_takes_nothing_is_left_after_its_time_and_its_messages_are_kept() {
    let mut rig = Rig::new(Mode::Hold);
    rig.backend.room = 0;
    rig.client_sends(&masked(Opcode::Text, b"kept"));
    rig.wait(seconds(79));
    assert!(rig.relay.is_silent() && !rig.relay.is_holding());
    rig.wait(seconds(1));
    assert!(rig.relay.is_holding());
    assert_eq!(
        rig.ending_of(Side::Backend).ending.cause,
        Cause::WriteTimeout
    );
    rig.backend.room = usize::MAX;
    rig.attach();
    assert_eq!(rig.backend_got(), plain(Opcode::Text, b"kept"));
}

#[test]
fn a_client_that_is_not_read_from_is_not_taken_for_dead() {
    let mut rig = rig(Mode::Hold);
    rig.lose(Side::Backend);
    rig.accepts(true);
    let now = rig.now;
    rig.relay.set_reading(now, Side::Client, false);
    rig.wait(seconds(50));
    assert!(!rig.relay.is_done());
    assert!(rig.client_got().len() >= 12, "pings go on");
    let now = rig.now;
    rig.relay.set_reading(now, Side::Client, true);
    rig.wait(seconds(1));
    assert!(rig.relay.is_holding());
}

#[test]
fn of_many_pings_only_the_last_is_answered_while_the_client_takes_nothing() {
    let mut rig = Rig::new(Mode::Hold);
    rig.client.room = 0;
    for n in 0..100_u8 {
        rig.client_sends(&masked(Opcode::Ping, &[n]));
    }
    rig.client.room = usize::MAX;
    rig.act(|_, _| ());
    assert!(rig.client_got().len() <= 2 * 3);
}

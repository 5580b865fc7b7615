use revoir_codes::Slot;
use revoir_proto::frame::Opcode;
use revoir_proto::{CloseCode, Finish};

use crate::relay::Side;
use crate::relay::tests::rig::{Rig, close_payload, masked, plain, rules};
use crate::rules::{Mode, Rules};

#[test]
fn every_close_passes_unchanged() {
    for code in [1000, 1001, 1011, 1012, 1013, 4000] {
        let mut rig = Rig::new(Mode::Tunnel);
        let wire = plain(Opcode::Close, &close_payload(code, "why"));
        rig.backend_sends(&wire);
        assert_eq!(rig.client_got(), wire, "{code}");
        rig.client_sends(&masked(Opcode::Close, &close_payload(code, "")));
        assert!(rig.relay.is_done());
    }
}

#[test]
fn a_lost_backend_becomes_1011_or_1012_with_a_slot_if_it_restarts() {
    let mut rig = Rig::new(Mode::Tunnel);
    rig.lose(Side::Backend);
    let frame = rig.client_close().expect("a Close frame");
    assert_eq!(frame.code(), CloseCode::INTERNAL_ERROR);

    let mut rig = Rig::new(Mode::Tunnel);
    rig.outlook.restarting = true;
    rig.lose(Side::Backend);
    let frame = rig.client_close().expect("a Close frame");
    assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);
    assert!(Slot::read(frame.code(), frame.reason()).is_some());
}

#[test]
fn in_auto_a_backend_lost_without_a_word_becomes_1012_with_a_slot() {
    let mut rig = Rig::new(Mode::Auto);
    rig.lose(Side::Backend);
    let frame = rig.client_close().expect("a Close frame");
    assert_eq!(frame.code(), CloseCode::SERVICE_RESTART);
    assert!(Slot::read(frame.code(), frame.reason()).is_some());
}

#[test]
fn pings_and_pongs_pass_with_their_masks_and_in_their_places() {
    let mut rig = Rig::new(Mode::Tunnel);
    let mut first = masked(Opcode::Text, b"a");
    first[0] &= 0x7F;
    let wire = [
        first,
        masked(Opcode::Ping, b"ping"),
        masked(Opcode::Continuation, b"b"),
        masked(Opcode::Pong, b"unasked"),
    ]
    .concat();
    for cut in 0..wire.len() {
        rig.client_sends(&wire[..cut]);
        rig.client_sends(&wire[cut..]);
        assert_eq!(std::mem::take(&mut rig.backend.taken), wire, "{cut}");
    }
    assert_eq!(rig.client_got(), b"");
}

#[test]
fn half_a_frame_of_a_lost_backend_stays_here_and_a_close_frame_follows() {
    let mut rig = Rig::new(Mode::Tunnel);
    rig.backend_sends(&plain(Opcode::Text, b"half")[..4]);
    rig.lose(Side::Backend);
    let frame = rig.client_close().expect("a Close frame");
    assert_eq!(frame.code(), CloseCode::INTERNAL_ERROR);
}

#[test]
fn inside_a_frame_that_is_cut_through_tcp_ends_without_a_close_frame() {
    let mut rig = Rig::with(Rules {
        keep: 100,
        ..rules(Mode::Tunnel)
    });
    let wire = plain(Opcode::Binary, &[0; 300]);
    rig.backend_sends(&wire[..200]);
    rig.lose(Side::Backend);
    assert_eq!(rig.client_got(), wire[..200]);
    assert_eq!(rig.ending_of(Side::Client).ending.finish, Finish::Reset);

    let mut rig = Rig::with(Rules {
        keep: 100,
        ..rules(Mode::Tunnel)
    });
    let wire = masked(Opcode::Binary, &[0; 300]);
    rig.client_sends(&wire[..200]);
    rig.lose(Side::Client);
    assert_eq!(rig.backend.taken, wire[..200]);
    assert!(rig.relay.is_done());
}

//! Who leaves, and what it means.

use revoir_codes::CloseCode;

use crate::byte_stream::ByteStream;
use crate::mqtt::*;

fn v5() -> ByteStream {
    connected(Hello::V5, &connack5(false, 0, &[]))
}

#[test]
fn a_client_that_says_goodbye_is_not_held() {
    let mut rig = subscribed();
    rig.client(b"\xe0\0");
    rig.expect_server(b"\xe0\0");
    assert_eq!(rig.refusal(), Some("the client said goodbye"));

    // Before it was answered.
    let mut rig = ByteStream::new(Protocol::Mqtt);
    rig.client(&Hello::V4.packet());
    rig.client(b"\xe0\0");
    rig.server(&connack(false, 0));
    assert_eq!(rig.refusal(), Some("the client said goodbye"));
}

#[test]
fn a_server_that_shuts_down_is_replaced() {
    let goodbye = packet(0xe0, &[0x8b, 0]);
    let mut rig = v5();
    assert!(!rig.adapter().is_restart(CloseCode::NORMAL_CLOSURE, b""));
    assert!(rig.adapter().is_restart(CloseCode::SERVICE_RESTART, b""));
    rig.server(&goodbye);
    rig.expect_client(b"");
    assert!(rig.adapter().is_restart(CloseCode::NORMAL_CLOSURE, b""));
    replace(&mut rig, &connack5(false, 0, &[]));
    assert!(rig.is_ready());
    assert!(!rig.adapter().is_restart(CloseCode::NORMAL_CLOSURE, b""));

    // One that cannot be held hears it.
    let mut rig = v5();
    let exactly_once = packet(0x34, &[&string(b"t")[..], &[0, 1, 0]].concat());
    rig.client(&exactly_once);
    rig.server(&goodbye);
    rig.expect_client(&goodbye);
}

#[test]
fn a_broker_may_drop_one_client_without_a_goodbye() {
    assert!(subscribed().adapter().drops_single_clients());
}

#[test]
fn every_other_goodbye_means_the_client() {
    // Normal; keep alive timeout; session taken over; administrative action; server moved.
    for reason in [0x00, 0x8d, 0x8e, 0x98, 0x9d] {
        let goodbye = packet(0xe0, &[reason, 0]);
        let mut rig = v5();
        rig.server(&goodbye);
        rig.expect_client(&goodbye);
        assert_eq!(rig.refusal(), Some("the server said goodbye to the client"));
        assert!(!rig.adapter().is_restart(CloseCode::NORMAL_CLOSURE, b""));

        // In place of an answer to the hello.
        let mut rig = v5();
        replace(&mut rig, &goodbye);
        assert!(rig.ended().is_some());
        rig.expect_client(b"");
    }
}

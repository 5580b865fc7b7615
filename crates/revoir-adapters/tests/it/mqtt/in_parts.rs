//! Packets across messages.

use revoir_adapters::Protocol;

use crate::byte_stream::ByteStream;
use crate::mqtt::*;
use revoir_adapters::PROLOGUE_LIMIT as KEPT_LIMIT;

#[test]
fn whole_packets_pass_as_they_came() {
    let mut rig = subscribed();
    let two = [publish(0, 0, "a", "1"), publish(1, 3, "a", "2")].concat();
    rig.client(&two);
    rig.expect_server(&two);
    rig.server(&two);
    assert_eq!(rig.messages_to_client(), 1);
    rig.expect_client(&two);
}

#[test]
fn a_packet_in_parts_goes_on_as_one() {
    // npm mqtt 5.16.0 sends SUBSCRIBE in these.
    let parts: [&[u8]; 6] = [b"\x82", b"\x08", b"\0\x01", b"\0\x03", b"a/#", b"\x01"];
    let mut rig = connected(Hello::V4, &connack(false, 0));
    for part in &parts[..5] {
        rig.client(part);
        rig.expect_server(b"");
    }
    assert_eq!(rig.refusal(), None);
    rig.client(parts[5]);
    rig.expect_server(&parts.concat());
}

#[test]
fn the_rest_of_a_packet_follows_to_the_next_server() {
    let mut rig = subscribed();
    let whole = publish(0, 0, "t", "in halves");
    let (first, second) = whole.split_at(7);
    rig.client(first);
    // What the server had begun never ends.
    rig.server(&publish(0, 0, "a/b", "lost")[..5]);
    rig.lose();
    rig.client(second);
    rig.client(b"\xc0\0");
    rig.expect_client(b"\xd0\0");
    rig.back();
    rig.server(&connack(false, 0));
    rig.heard_by_server();
    rig.server(&with_id(0x90, 0xffff, &[1]));
    rig.expect_server(&whole);
    rig.expect_client(b"");
}

#[test]
fn a_long_packet_goes_on_in_parts() {
    let half_forwarded = Some("a long packet is half forwarded");
    let long = publish(0, 0, "a/b", &"x".repeat(3 * KEPT_LIMIT));
    for is_client in [true, false] {
        let mut rig = subscribed();
        let mut heard = Vec::new();
        for (i, part) in long.chunks(KEPT_LIMIT / 2 + 1).enumerate() {
            if is_client {
                rig.client(part);
                heard.extend(rig.heard_by_server());
            } else {
                rig.server(part);
                heard.extend(rig.heard_by_client());
            }
            let is_half = i > 0 && heard.len() < long.len();
            assert_eq!(rig.refusal(), half_forwarded.filter(|_| is_half), "{i}");
            assert!(rig.adapter().memory() < 2 * KEPT_LIMIT + 1000);
        }
        assert_eq!(heard, long);
    }
}

#[test]
fn a_long_message_that_must_be_acknowledged_is_not_kept() {
    let mut rig = subscribed();
    for part in publish(1, 9, "t", &"x".repeat(2 * KEPT_LIMIT)).chunks(KEPT_LIMIT) {
        rig.client(part);
    }
    assert_eq!(rig.refusal(), Some("there is too much to say again"));
    rig.server(&with_id(0x40, 9, &[]));
    assert_eq!(rig.refusal(), None);
}

#[test]
fn a_client_with_half_a_packet_is_let_go() {
    let mut rig = subscribed();
    replace(&mut rig, &connack(false, 0));
    let long = publish(0, 0, "a/b", &"x".repeat(2 * KEPT_LIMIT));
    rig.server(&long[..KEPT_LIMIT + 1]);
    // The relay does not ask during a replay.
    rig.exchange_unasked();
    rig.server(&connack(false, 0));
    assert_eq!(rig.ended(), Some("a long packet is half forwarded"));
}

#[test]
fn what_is_not_mqtt_passes_untouched() {
    for first in [
        &b"GET /"[..],
        b"\x30\x02\0\0",
        &Hello {
            level: 3,
            ..Hello::V4
        }
        .packet(),
    ] {
        let mut rig = ByteStream::new(Protocol::Mqtt);
        rig.client(&first[..1]);
        rig.client(&first[1..]);
        rig.server(b"anything");
        rig.client_text("at all");
        rig.expect_server(&[first, b"at all"].concat());
        rig.expect_client(b"anything");
        assert!(rig.is_over());
    }
    let mut rig = ByteStream::new(Protocol::Mqtt);
    rig.client(&Hello::V4.packet());
    rig.server(&packet(0xd0, &[]));
    assert!(rig.is_over());
    // A length that never ends.
    let mut rig = subscribed();
    rig.client(b"\x30\xff\xff");
    rig.client(b"\xff\xff\x01");
    rig.expect_server(b"\x30\xff\xff\xff\xff\x01");
    assert!(rig.is_over());
    rig.server(&publish(0, 0, "a", ""));
    rig.expect_client(&publish(0, 0, "a", ""));
}

#[test]
fn nothing_secret_is_shown() {
    let hello = Hello {
        client_id: "secret",
        ..Hello::V4
    };
    let rig = connected(hello, &connack(false, 0));
    assert!(!format!("{:?}", rig.adapter()).contains("secret"));
}

//! What cannot go on, late acknowledgements, heartbeats.

use revoir_adapters::Protocol;
use revoir_adapters::{Fate, PROLOGUE_LIMIT};

use crate::byte_stream::ByteStream;
use crate::mqtt::*;

#[test]
fn nobody_is_held_before_the_server_has_answered() {
    let mut rig = ByteStream::new(Protocol::Mqtt);
    assert_eq!(rig.refusal(), Some("CONNACK has not come"));
    rig.client(&Hello::V4.packet());
    assert_eq!(rig.refusal(), Some("CONNACK has not come"));
    rig.server(&connack(false, 5));
    assert_eq!(rig.refusal(), Some("CONNACK has not come"));
}

#[test]
fn qos_2_is_unholdable_until_both_have_said_all() {
    let on_its_way = Some("a message of QoS 2 is on its way");
    let mut rig = subscribed();
    rig.client(&publish(2, 7, "t", ""));
    assert_eq!(rig.refusal(), on_its_way);
    rig.server(&with_id(0x50, 7, &[]));
    rig.client(&with_id(0x62, 7, &[]));
    assert_eq!(rig.refusal(), on_its_way);
    rig.server(&with_id(0x70, 7, &[]));
    assert_eq!(rig.refusal(), None);

    rig.server(&publish(2, 7, "a/b", ""));
    rig.client(&with_id(0x50, 7, &[]));
    rig.server(&with_id(0x62, 7, &[]));
    assert_eq!(rig.refusal(), on_its_way);
    rig.client(&with_id(0x70, 7, &[]));
    assert_eq!(rig.refusal(), None);

    // MQTT 5: a refusal ends it.
    rig.client(&publish(2, 8, "t", ""));
    rig.server(&with_id(0x50, 8, &[0x87, 0]));
    assert_eq!(rig.refusal(), None);
    rig.server(&publish(2, 8, "a/b", ""));
    rig.client(&with_id(0x50, 8, &[0x87, 0]));
    assert_eq!(rig.refusal(), None);
}

#[test]
fn an_identifier_that_is_used_twice_at_a_time_is_unholdable() {
    let mut rig = connected(Hello::V4, &connack(false, 0));
    rig.client(&publish(1, 2, "t", "hi"));
    let mut repeated = publish(1, 2, "t", "hi");
    repeated[0] |= 0x08;
    rig.client(&repeated);
    rig.client(&subscribe(1, "a/#", 0));
    assert_eq!(rig.refusal(), None);
    // Nothing is shown to the adapter behind that, so what it has of a packet goes on.
    rig.heard_by_client();
    let cut = publish(0, 0, "a/b", "news");
    rig.server(&cut[..3]);
    rig.expect_client(b"");
    rig.client(&publish(1, 1, "t", "hi"));
    assert_eq!(rig.refusal(), Some("a packet identifier is used twice"));
    rig.expect_client(&cut[..3]);
}

#[test]
fn aliases_and_authentication_are_not_followed() {
    let mut rig = connected(Hello::V5, &connack5(false, 0, &[]));
    let aliased = [&string(b"t")[..], &[3, 0x23, 0, 1], b"hi"].concat();
    // The server's own are said again by every server.
    rig.server(&packet(0x30, &aliased));
    assert_eq!(rig.refusal(), None);
    rig.client(&packet(0x30, &aliased));
    assert_eq!(rig.refusal(), Some("the client uses topic aliases"));
    assert!(rig.is_over());

    let mut rig = connected(Hello::V5, &connack5(false, 0, &[]));
    rig.client(&packet(0xf0, &[0x19, 0]));
    assert_eq!(
        rig.refusal(),
        Some("the client authenticates in several steps")
    );

    let method = [&[0x15][..], &string(b"SCRAM")].concat();
    let hello = Hello {
        properties: &method,
        ..Hello::V5
    };
    let rig = connected(hello, &connack5(false, 0, &[]));
    assert_eq!(
        rig.refusal(),
        Some("the client authenticates in several steps")
    );
}

#[test]
fn acknowledgements_for_a_server_that_is_gone_are_swallowed() {
    let mut rig = subscribed();
    rig.server(&publish(1, 1, "a/b", "old"));
    rig.server(&publish(1, 2, "a/b", "old"));
    rig.client(&with_id(0x40, 2, &[]));
    rig.heard_by_client();
    replace(&mut rig, &connack(false, 0));
    rig.heard_by_server();
    rig.server(&with_id(0x90, 0xffff, &[1]));
    rig.server(&publish(1, 1, "a/b", "new"));
    rig.expect_client(&publish(1, 1, "a/b", "new"));
    rig.client(&with_id(0x40, 1, &[]));
    rig.expect_server(b"");
    rig.client(&with_id(0x40, 1, &[]));
    rig.expect_server(&with_id(0x40, 1, &[]));
    // The old server had the one for its second message.
    rig.server(&publish(1, 2, "a/b", "new"));
    rig.client(&with_id(0x40, 2, &[]));
    rig.expect_server(&with_id(0x40, 2, &[]));
}

#[test]
fn a_client_that_limits_what_is_open_gets_no_more() {
    let hello = Hello {
        properties: &[0x21, 0, 1],
        ..Hello::V5
    };
    let published = packet(0x32, &[&string(b"t")[..], &[0, 1, 0]].concat());
    for is_acknowledged in [false, true] {
        let mut rig = connected(hello, &connack5(false, 0, &[]));
        rig.server(&published);
        assert_eq!(rig.refusal(), None);
        rig.lose();
        if is_acknowledged {
            rig.client(&with_id(0x40, 1, &[]));
        }
        rig.back();
        rig.heard_by_server();
        rig.server(&connack5(false, 0, &[]));
        assert_eq!(rig.ended().is_none(), is_acknowledged);
        rig.expect_server(b"");
    }
}

#[test]
fn pings_are_answered_for_a_server_that_is_away() {
    let (ping, pong) = (b"\xc0\0", b"\xd0\0");
    let mut rig = subscribed();
    // Nothing was open.
    rig.client(ping);
    rig.server(pong);
    rig.expect_client(pong);
    rig.lose();
    rig.expect_client(b"");

    let mut rig = subscribed();
    rig.client(ping);
    rig.lose();
    rig.expect_client(pong);
    rig.client(ping);
    rig.expect_client(pong);
    // In one message with something else, in two messages.
    rig.client(&[&publish(0, 0, "t", "kept")[..], ping].concat());
    rig.expect_client(pong);
    rig.client(&ping[..1]);
    rig.expect_client(b"");
    rig.client(&ping[1..]);
    rig.expect_client(pong);
    rig.back();
    rig.server(&connack(false, 0));
    rig.heard_by_server();
    rig.server(&with_id(0x90, 0xffff, &[1]));
    // Each was answered, and no server hears of it.
    rig.expect_server(&publish(0, 0, "t", "kept"));
    rig.client(ping);
    rig.expect_server(ping);
    rig.expect_client(b"");
}

#[test]
fn too_much_is_not_said_again() {
    let long = "x".repeat(PROLOGUE_LIMIT - 20);
    let mut rig = subscribed();
    rig.client(&publish(1, 5, "t", &long));
    assert_eq!(rig.refusal(), Some("there is too much to say again"));
    rig.server(&with_id(0x40, 5, &[]));
    assert_eq!(rig.refusal(), None);

    let mut rig = connected(Hello::V4, &connack(false, 0));
    for id in 1..200 {
        rig.client(&subscribe(id, &format!("{id}{}", "/x".repeat(300)), 0));
        rig.server(&with_id(0x90, id, &[0]));
    }
    assert!(rig.is_over());
    assert!(rig.adapter().memory() < 1000);
}

#[test]
fn memory_is_counted() {
    let mut rig = subscribed();
    let before = rig.adapter().memory();
    rig.client(&publish(1, 5, "t", &"x".repeat(1000)));
    assert!(rig.adapter().memory() >= before + 1000);
    rig.server(&with_id(0x40, 5, &[]));
    assert_eq!(rig.adapter().memory(), before);
}

#[test]
fn a_ping_alone_takes_no_room() {
    let mut rig = subscribed();
    rig.lose();
    assert_eq!(rig.fate_while_away(b"\xc0\0"), Fate::Swallow);
    assert_eq!(rig.fate_while_away(b"\xc0"), Fate::Pass);
    assert_eq!(rig.fate_while_away(b"\0"), Fate::Pass);
    let with_more = [&b"\xc0\0"[..], &publish(0, 0, "t", "")].concat();
    assert_eq!(rig.fate_while_away(&with_more), Fate::Pass);
}

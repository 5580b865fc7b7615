//! What is said again, and which answers are good.

use crate::mqtt::*;

#[test]
fn hello_and_subscriptions_are_said_again() {
    let mut rig = subscribed();
    rig.lose();
    rig.expect_server(b"");
    rig.back();
    rig.expect_server(&Hello::V4.packet());
    rig.server(&connack(false, 0));
    rig.expect_server(&subscribe(0xffff, "a/#", 1));
    assert!(!rig.is_ready());
    // What comes meanwhile is for the client.
    rig.server(&[with_id(0x90, 0xffff, &[1]), publish(0, 0, "a/b", "new")].concat());
    assert!(rig.is_ready());
    rig.expect_client(&publish(0, 0, "a/b", "new"));
}

#[test]
fn a_server_that_has_the_session_is_told_nothing() {
    let hello = Hello {
        is_clean: false,
        ..Hello::V4
    };
    let mut rig = connected(hello, &connack(false, 0));
    rig.client(&subscribe(1, "a/#", 1));
    rig.server(&with_id(0x90, 1, &[1]));
    rig.heard_by_client();
    rig.lose();
    rig.back();
    rig.expect_server(&hello.packet());
    rig.server(&connack(true, 0));
    rig.expect_server(b"");
    rig.expect_client(b"");
    assert!(rig.is_ready());
}

#[test]
fn an_assigned_identifier_is_said_again() {
    let hello = Hello {
        client_id: "",
        ..Hello::V5
    };
    // As mosquitto 2.0.11 answers, apart from the name.
    let answer = |id: &[u8]| {
        let assigned = [&[0x22, 0, 10, 0x12][..], &string(id), &[0x21, 0, 20]].concat();
        connack5(false, 0, &assigned)
    };
    let mut rig = connected(hello, &answer(b"auto-1"));
    rig.lose();
    rig.back();
    let again = Hello {
        client_id: "auto-1",
        ..hello
    };
    rig.expect_server(&again.packet());
    // Nothing is assigned now, and that is no change.
    rig.server(&connack5(false, 0, &[0x22, 0, 10, 0x21, 0, 20]));
    assert!(rig.is_ready());
}

#[test]
fn a_session_that_lasts_is_taken_up_and_another_begins_anew() {
    // Session Expiry Interval of 60 s.
    let lasting = Hello {
        properties: &[0x11, 0, 0, 0, 60],
        ..Hello::V5
    };
    let mut rig = connected(lasting, &connack5(false, 0, &[]));
    rig.lose();
    rig.back();
    let again = Hello {
        is_clean: false,
        ..lasting
    };
    rig.expect_server(&again.packet());

    let ending = Hello {
        properties: &[0x11, 0, 0, 0, 0],
        ..Hello::V5
    };
    for hello in [Hello::V4, Hello::V5, ending] {
        let none: &[u8] = if hello.level == 5 {
            &[0, 0, 0]
        } else {
            &[0, 0]
        };
        let mut rig = connected(hello, &packet(0x20, none));
        rig.lose();
        rig.back();
        rig.expect_server(&hello.packet());
    }
}

#[test]
fn options_and_identifiers_of_subscriptions_stay() {
    let mut rig = connected(Hello::V5, &connack5(false, 0, &[]));
    // Subscription Identifier 7; no local, retain as published, QoS 1.
    let filter = [&string(b"a/#")[..], &[0x0d]].concat();
    let request = |id| with_id(0x82, id, &[&[2, 0x0b, 7][..], &filter].concat());
    rig.client(&request(1));
    rig.server(&with_id(0x90, 1, &[0, 1]));
    replace(&mut rig, &connack5(false, 0, &[]));
    rig.expect_server(&request(0xffff));
}

#[test]
fn open_publishes_are_said_again_and_marked_where_they_may_be_known() {
    for (is_present, first) in [(true, 0x3a), (false, 0x32)] {
        let hello = Hello {
            is_clean: false,
            ..Hello::V4
        };
        let mut rig = connected(hello, &connack(false, 0));
        rig.client(&publish(1, 5, "t", "acknowledged"));
        rig.client(&publish(1, 6, "t", "open"));
        rig.server(&with_id(0x40, 5, &[]));
        replace(&mut rig, &connack(is_present, 0));
        let mut again = publish(1, 6, "t", "open");
        again[0] = first;
        rig.expect_server(&again);
        // The client waits for that one.
        rig.heard_by_client();
        rig.server(&with_id(0x40, 6, &[]));
        rig.expect_client(&with_id(0x40, 6, &[]));
        replace(&mut rig, &connack(is_present, 0));
        rig.expect_server(b"");
    }
}

#[test]
fn a_subscription_that_was_not_confirmed_is_asked_for_again() {
    let mut rig = subscribed();
    rig.client(&subscribe(2, "b", 0));
    replace(&mut rig, &connack(false, 0));
    rig.heard_by_server();
    rig.server(&with_id(0x90, 0xffff, &[1]));
    rig.expect_client(b"");
    rig.expect_server(&subscribe(2, "b", 0));
    rig.server(&with_id(0x90, 2, &[0]));
    rig.expect_client(&with_id(0x90, 2, &[0]));
}

#[test]
fn what_was_unsubscribed_is_not_said_again() {
    let unsubscribe = with_id(0xa2, 2, &string(b"a/#"));
    let mut rig = subscribed();
    rig.client(&unsubscribe);
    rig.server(&with_id(0xb0, 2, &[]));
    replace(&mut rig, &connack(false, 0));
    rig.expect_server(b"");

    // Not confirmed: asked again.
    let mut rig = subscribed();
    rig.client(&unsubscribe);
    replace(&mut rig, &connack(false, 0));
    rig.server(&with_id(0x90, 0xffff, &[1]));
    rig.expect_server(&[subscribe(0xffff, "a/#", 1), unsubscribe].concat());

    // Refused, in MQTT 5.
    let mut rig = connected(Hello::V5, &connack5(false, 0, &[]));
    let request = |id| with_id(0x82, id, &[&[0][..], &string(b"a"), &[0]].concat());
    rig.client(&request(1));
    rig.server(&with_id(0x90, 1, &[0, 0]));
    rig.client(&with_id(0xa2, 2, &[&[0][..], &string(b"a")].concat()));
    rig.server(&with_id(0xb0, 2, &[0, 0x87]));
    replace(&mut rig, &connack5(false, 0, &[]));
    rig.expect_server(&request(0xffff));
}

#[test]
fn a_later_subscription_to_the_same_filter_counts() {
    let mut rig = subscribed();
    rig.client(&subscribe(2, "a/#", 0));
    rig.server(&with_id(0x90, 2, &[0]));
    replace(&mut rig, &connack(false, 0));
    rig.expect_server(&subscribe(0xffff, "a/#", 0));
}

#[test]
fn a_refused_subscription_is_none() {
    let mut rig = connected(Hello::V4, &connack(false, 0));
    rig.client(&subscribe(1, "secret", 1));
    rig.server(&with_id(0x90, 1, &[0x80]));
    replace(&mut rig, &connack(false, 0));
    rig.expect_server(b"");

    // Which of both stands is not known.
    let mut rig = subscribed();
    rig.client(&subscribe(2, "a/#", 2));
    rig.server(&with_id(0x90, 2, &[0x80]));
    assert!(rig.is_over());
}

#[test]
fn identifiers_in_use_are_left_alone() {
    let mut rig = subscribed();
    rig.client(&publish(1, 0xffff, "t", "open"));
    replace(&mut rig, &connack(false, 0));
    rig.expect_server(&subscribe(0xfffe, "a/#", 1));
}

#[test]
fn other_answers_end_the_connection() {
    let mut rig = subscribed();
    replace(&mut rig, &connack(false, 5));
    assert_eq!(rig.ended(), Some("the server refuses the hello"));

    let mut rig = subscribed();
    replace(&mut rig, &connack(false, 0));
    rig.server(&with_id(0x90, 0xffff, &[0]));
    assert_eq!(
        rig.ended(),
        Some("the server grants something else than before")
    );

    // A Receive Maximum of 20, then of 10.
    let mut rig = connected(Hello::V5, &connack5(false, 0, &[0x21, 0, 20]));
    replace(&mut rig, &connack5(false, 0, &[0x21, 0, 10]));
    assert_eq!(
        rig.ended(),
        Some("the server grants something else than before")
    );

    // The session had subscriptions of which nobody here knows.
    let hello = Hello {
        is_clean: false,
        ..Hello::V4
    };
    let mut rig = connected(hello, &connack(true, 0));
    replace(&mut rig, &connack(false, 0));
    let lost = "the server has lost a session that is older than the connection";
    assert_eq!(rig.ended(), Some(lost));
    rig.expect_client(b"");

    let mut rig = subscribed();
    replace(&mut rig, b"HTTP");
    assert!(rig.ended().is_some());
}

#[test]
fn a_server_that_goes_during_the_replay_is_replaced_again() {
    let mut rig = subscribed();
    replace(&mut rig, &connack(false, 0));
    rig.lose();
    rig.client(&publish(0, 0, "t", "kept"));
    rig.back();
    rig.expect_server(&Hello::V4.packet());
    rig.server(&connack(false, 0));
    rig.expect_server(&subscribe(0xffff, "a/#", 1));
    rig.server(&with_id(0x90, 0xffff, &[1]));
    rig.expect_server(&publish(0, 0, "t", "kept"));
    rig.expect_client(b"");
}

#[test]
fn a_session_that_was_half_said_is_said_whole() {
    let hello = Hello {
        is_clean: false,
        ..Hello::V4
    };
    let mut rig = connected(hello, &connack(false, 0));
    rig.client(&subscribe(1, "a/#", 1));
    rig.server(&with_id(0x90, 1, &[1]));
    replace(&mut rig, &connack(false, 0));
    // It goes before it has answered, and comes back with a session that has no subscription.
    rig.heard_by_server();
    replace(&mut rig, &connack(true, 0));
    rig.expect_server(&subscribe(0xffff, "a/#", 1));
    rig.server(&with_id(0x90, 0xffff, &[1]));
    assert!(rig.is_ready());
    replace(&mut rig, &connack(true, 0));
    rig.expect_server(b"");
}

#[test]
fn what_was_published_waits_for_others_and_what_is_heard_does_not() {
    let mut rig = connected(Hello::V4, &connack(false, 0));
    let [nine, five] = [9, 5].map(|id| publish(1, id, "t", "unanswered"));
    let [b, c] = [(3, "b"), (2, "c")].map(|(id, filter)| subscribe(id, filter, 0));
    for packet in [&nine, &b, &five, &c] {
        rig.client(packet);
    }
    rig.shut_gate();
    replace(&mut rig, &connack(false, 0));
    rig.expect_server(&[b, c].concat());
    assert!(rig.is_ready());
    let later = publish(0, 0, "t", "later");
    rig.client(&later);
    rig.expect_server(b"");
    rig.open_gate();
    rig.expect_server(&[nine, five, later].concat());
}

#[test]
fn a_server_that_goes_before_others_are_back_leaves_what_was_published_to_the_next() {
    let mut rig = connected(Hello::V4, &connack(false, 0));
    let open = publish(1, 9, "t", "unanswered");
    rig.client(&open);
    rig.shut_gate();
    replace(&mut rig, &connack(false, 0));
    rig.expect_server(b"");
    replace(&mut rig, &connack(false, 0));
    rig.expect_server(b"");
    rig.open_gate();
    rig.expect_server(&open);
    // Once, also if nobody is looked at any more.
    rig.server(b"HTTP");
    rig.expect_server(b"");
}

#[test]
fn what_was_published_goes_also_where_nobody_is_looked_at_any_more() {
    let mut rig = connected(Hello::V4, &connack(false, 0));
    let open = publish(1, 9, "t", "unanswered");
    rig.client(&open);
    rig.shut_gate();
    replace(&mut rig, &connack(false, 0));
    rig.server(b"HTTP");
    assert!(rig.is_over());
    rig.expect_server(&open);
}

//! Socket.IO's rules, one by one.

use std::time::Duration;

use revoir_adapters::{Applications, Handshake, OwnedMessage, Protocol};
use revoir_codes::CloseCode;

use crate::relay::Relay;

pub(crate) const QUERY: &str = "EIO=4&transport=websocket";
pub(crate) const OPEN: &str =
    r#"0{"sid":"e1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

const SECOND: Duration = Duration::from_secs(1);

/// A connection whose open packet has come.
fn opened() -> Relay {
    let mut relay = Relay::new(Protocol::SocketIo, QUERY);
    relay.server_says(OPEN);
    assert_eq!(relay.client_gets(), [OPEN]);
    relay
}

/// The same, connected to `/` and to `/admin`.
fn connected() -> Relay {
    let mut relay = opened();
    relay.client_says(r#"40{"token":"t"}"#);
    relay.client_says("40/admin,");
    relay.server_says(r#"40{"sid":"s1"}"#);
    relay.server_says(r#"40/admin,{"sid":"s2"}"#);
    assert_eq!(relay.server_gets(), [r#"40{"token":"t"}"#, "40/admin,"]);
    assert_eq!(relay.client_gets().len(), 2);
    relay
}

/// Another server has said its open packet.
fn reopened(relay: &mut Relay) {
    relay.lose().unwrap();
    relay.back();
    relay.server_says(OPEN);
}

/// It has answered for both namespaces.
fn returned(relay: &mut Relay) {
    reopened(relay);
    relay.server_says(r#"40{"sid":"s3"}"#);
    relay.server_says(r#"40/admin,{"sid":"s4"}"#);
    assert!(relay.adapter.is_ready());
}

#[test]
fn every_connect_is_said_again_and_its_answer_passed() {
    let mut relay = connected();
    relay.lose().unwrap();
    relay.client_says(r#"42["while away"]"#);
    relay.back();
    assert!(relay.server_gets().is_empty(), "before the open packet");
    relay.server_says(OPEN);
    assert!(relay.client_gets().is_empty(), "the client has had one");
    assert_eq!(relay.server_gets(), [r#"40{"token":"t"}"#, "40/admin,"]);
    relay.server_says(r#"40/admin,{"sid":"s4"}"#);
    relay.server_says(r#"42["early"]"#);
    assert!(relay.server_gets().is_empty(), "before every answer");
    relay.server_says(r#"40{"sid":"s3"}"#);
    assert_eq!(relay.server_gets(), [r#"42["while away"]"#]);
    assert_eq!(
        relay.client_gets(),
        [
            r#"40/admin,{"sid":"s4"}"#,
            r#"42["early"]"#,
            r#"40{"sid":"s3"}"#,
            "2"
        ]
    );
}

#[test]
fn the_client_has_handled_the_answer_when_it_answers_the_second_ping_behind_it() {
    let mut relay = connected();
    // A ping of the pause.
    relay.lose().unwrap();
    relay.pass(25 * SECOND);
    assert_eq!(relay.client_gets(), ["2"]);
    relay.client_says("3");
    relay.back();
    relay.server_says(OPEN);
    relay.server_says(r#"40{"sid":"s3"}"#);
    assert!(!relay.adapter.awaits_client());
    relay.server_says(r#"40/admin,{"sid":"s4"}"#);
    assert!(relay.adapter.awaits_client());
    assert_eq!(relay.client_gets().last().unwrap(), "2");
    relay.client_says("3");
    assert_eq!(relay.client_gets(), ["2"]);
    relay.client_says(r#"42["join"]"#);
    assert!(relay.adapter.awaits_client());
    relay.client_says("3");
    assert!(!relay.adapter.awaits_client());
    // Nobody asked for that.
    relay.client_says("3");
    assert!(relay.client_gets().is_empty());
    returned(&mut relay);
    assert!(relay.adapter.awaits_client());
    relay.lose().unwrap();
    assert!(!relay.adapter.awaits_client());
}

#[test]
fn pongs_do_not_wait_for_others() {
    let mut relay = connected();
    relay.is_gated = true;
    relay.lose().unwrap();
    relay.client_says(r#"42["said"]"#);
    relay.back();
    relay.server_says(OPEN);
    relay.server_says(r#"40{"sid":"s3"}"#);
    relay.server_says(r#"40/admin,{"sid":"s4"}"#);
    relay.server_gets();
    relay.client_says(r#"42["join"]"#);
    relay.client_says("3");
    assert_eq!(relay.client_gets().last().unwrap(), "2");
    // The server asks, too.
    relay.server_says("2");
    relay.client_says("3");
    assert_eq!(relay.server_gets(), ["3"]);
    assert!(!relay.adapter.awaits_client());
    relay.open_gate();
    assert_eq!(relay.server_gets(), [r#"42["said"]"#, r#"42["join"]"#]);
}

#[test]
fn a_client_that_has_not_answered_its_last_ping_is_not_awaited() {
    let mut relay = connected();
    relay.server_says("2");
    returned(&mut relay);
    assert!(!relay.adapter.awaits_client());
    // It has woken up.
    relay.client_says("3");
    relay.client_says("3");
    returned(&mut relay);
    assert!(relay.adapter.awaits_client());
}

#[test]
fn a_server_that_goes_while_it_is_greeted_is_followed_by_another() {
    let mut relay = connected();
    reopened(&mut relay);
    relay.server_says(r#"40{"sid":"s3"}"#);
    relay.client_says(r#"42["x"]"#);
    returned(&mut relay);
    assert_eq!(
        relay.server_gets(),
        [r#"40{"token":"t"}"#, "40/admin,", r#"42["x"]"#]
    );
}

#[test]
fn recovery_is_asked_for_with_the_last_offset() {
    let mut relay = opened();
    relay.client_says(r#"40{"token":"t"}"#);
    relay.server_says(r#"40{"sid":"s1","pid":"p1"}"#);
    relay.server_says(r#"42["news",1,"o1"]"#);
    relay.server_says(r#"42["news",2,"o2"]"#);
    relay.server_says(r#"42["no offset",3]"#);
    relay.server_gets();
    reopened(&mut relay);
    assert_eq!(
        relay.server_gets(),
        [r#"40{"offset":"o2","pid":"p1","token":"t"}"#]
    );
    relay.server_says(r#"40{"sid":"s2","pid":"p2"}"#);
    reopened(&mut relay);
    assert_eq!(
        relay.server_gets(),
        [r#"40{"offset":"o2","pid":"p2","token":"t"}"#]
    );
}

#[test]
fn what_the_client_or_the_server_left_is_not_said_again() {
    for by_client in [true, false] {
        let mut relay = connected();
        if by_client {
            relay.client_says("41/admin,");
        } else {
            relay.server_says("41/admin,");
        }
        relay.server_gets();
        reopened(&mut relay);
        assert_eq!(relay.server_gets(), [r#"40{"token":"t"}"#]);
    }
    let mut relay = connected();
    relay.client_says("40/secret,");
    relay.server_says(r#"44/secret,{"message":"no"}"#);
    relay.server_gets();
    reopened(&mut relay);
    assert_eq!(relay.server_gets().len(), 2);
}

#[test]
fn a_namespace_that_is_left_while_away_is_not_connected_to_the_client() {
    let mut relay = connected();
    relay.lose().unwrap();
    relay.client_says("42/admin,[\"last\"]");
    relay.client_says("41/admin,");
    relay.client_says(r#"40/admin,{"again":1}"#);
    relay.back();
    relay.server_says(OPEN);
    relay.server_gets();
    relay.server_says(r#"40{"sid":"s3"}"#);
    relay.server_says(r#"40/admin,{"sid":"s4"}"#);
    assert_eq!(relay.client_gets(), [r#"40{"sid":"s3"}"#, "2"]);
    assert_eq!(
        relay.server_gets(),
        [
            "42/admin,[\"last\"]",
            "41/admin,",
            r#"40/admin,{"again":1}"#
        ]
    );
    relay.server_says(r#"40/admin,{"sid":"s5"}"#);
    assert_eq!(relay.client_gets(), [r#"40/admin,{"sid":"s5"}"#]);
}

#[test]
fn a_refusal_of_what_is_said_again_ends_the_connection() {
    let mut relay = connected();
    reopened(&mut relay);
    relay.client_gets();
    relay.server_says(r#"44/admin,{"message":"no"}"#);
    assert!(relay.ended.is_some());
    assert!(relay.client_gets().is_empty());
}

#[test]
fn a_server_that_speaks_something_else_ends_the_connection() {
    for answer in ["hello", "42[\"x\"]", "0{}", "1"] {
        let mut relay = connected();
        relay.lose().unwrap();
        relay.back();
        relay.server_says(answer);
        assert!(relay.ended.is_some(), "{answer}");
    }
}

#[test]
fn an_awaited_ack_forbids_to_hold() {
    let mut relay = connected();
    relay.client_says(r#"420["ask"]"#);
    assert_eq!(relay.unholdable(), Some("an emit awaits its ack"));
    relay.server_says(r#"43/admin,0[]"#);
    assert!(relay.unholdable().is_some(), "another namespace");
    relay.server_says("430[1]");
    assert_eq!(relay.unholdable(), None);
    relay.client_says(r#"42/admin,1["ask"]"#);
    assert!(relay.unholdable().is_some());
    relay.client_says("41/admin,");
    assert_eq!(relay.unholdable(), None);
}

#[test]
fn an_emit_of_the_pause_that_wants_an_ack_is_awaited_once_it_went() {
    let mut relay = connected();
    relay.lose().unwrap();
    relay.client_says(r#"425["ask"]"#);
    assert_eq!(relay.unholdable(), None);
    relay.back();
    relay.server_says(OPEN);
    relay.server_says(r#"40{"sid":"s3"}"#);
    assert_eq!(relay.unholdable(), None);
    relay.server_says(r#"40/admin,{"sid":"s4"}"#);
    assert_eq!(relay.unholdable(), Some("an emit awaits its ack"));
}

#[test]
fn a_missing_attachment_forbids_to_hold() {
    let header = r#"451-["file",{"_placeholder":true,"num":0}]"#;
    let attachment = || OwnedMessage::Binary(vec![1, 2, 3]);
    let mut relay = connected();
    relay.client_says(header);
    assert_eq!(relay.unholdable(), Some("an attachment is missing"));
    relay.client_says("3");
    relay.client(attachment());
    assert_eq!(relay.unholdable(), None);
    relay.server_says(header);
    assert_eq!(relay.unholdable(), Some("an attachment is missing"));
    relay.server_says("2");
    relay.server(attachment());
    assert_eq!(relay.unholdable(), None);
}

#[test]
fn acks_for_the_old_server_are_dropped_with_their_attachments() {
    let mut relay = connected();
    relay.server_says(r#"427["ask"]"#);
    relay.server_says(r#"428["ask"]"#);
    relay.server_says(r#"42/admin,7["ask"]"#);
    relay.lose().unwrap();
    relay.client_says("437[1]");
    relay.back();
    relay.server_says(OPEN);
    relay.server_says(r#"40{"sid":"s3"}"#);
    relay.server_says(r#"40/admin,{"sid":"s4"}"#);
    relay.server_gets();
    relay.client_says(r#"461-8[{"_placeholder":true,"num":0}]"#);
    relay.client(OwnedMessage::Binary(vec![9]));
    relay.client_says(r#"42["x"]"#);
    relay.server_says(r#"428["ask"]"#);
    relay.client_says("438[2]");
    assert_eq!(relay.server_gets(), [r#"42["x"]"#, "438[2]"]);
    let file = r#"451-["file",{"_placeholder":true,"num":0}]"#;
    relay.client_says(file);
    relay.client(OwnedMessage::Binary(vec![9]));
    assert_eq!(
        relay.server_gets(),
        [file, "binary [9]"],
        "of another packet"
    );
    assert_eq!(relay.unholdable(), None);
    assert_eq!(relay.ended, None);
}

#[test]
fn an_ack_that_could_be_meant_for_either_server_ends_the_connection() {
    let mut relay = connected();
    relay.server_says(r#"427["ask"]"#);
    returned(&mut relay);
    relay.server_says(r#"42/admin,7["another namespace"]"#);
    assert_eq!(relay.ended, None);
    relay.client_gets();
    relay.server_says(r#"427["ask"]"#);
    assert!(relay.ended.is_some());
    assert!(relay.client_gets().is_empty());
}

#[test]
fn acks_that_nobody_sends_do_not_pile_up() {
    let mut relay = connected();
    for id in 0..2000 {
        relay.server_says(&format!("42{id}[\"ask\"]"));
    }
    assert_eq!(relay.unholdable(), Some("too much is open"));
    assert!(relay.adapter.holdable().unwrap_err().is_final());
    assert!(relay.adapter.memory() < 32 * 1024);
}

#[test]
fn what_crossed_a_disconnect_does_not_reach_the_next_server() {
    let mut relay = connected();
    relay.server_says("41/admin,");
    relay.lose().unwrap();
    relay.client_says(r#"42/admin,["crossed"]"#);
    relay.back();
    relay.server_says(OPEN);
    relay.server_says(r#"40{"sid":"s3"}"#);
    assert_eq!(relay.server_gets(), [r#"40{"token":"t"}"#]);
}

#[test]
fn heartbeats_are_answered_for_whoever_is_away() {
    let mut relay = connected();
    relay.pass(SECOND * 20);
    relay.server_says("2");
    relay.client_gets();
    relay.lose().unwrap();
    // For the ping of the server that is gone.
    relay.client_says("3");
    assert!(relay.keeps_nothing());
    relay.pass(SECOND * 24);
    assert!(relay.client_gets().is_empty());
    relay.pass(SECOND);
    assert_eq!(relay.client_gets(), ["2"]);
    relay.pass(SECOND * 25);
    assert_eq!(relay.client_gets(), ["2"]);
    relay.client_says("3");
    relay.client_says("3");
    relay.back();
    relay.server_says(OPEN);
    relay.server_gets();
    // The client cannot answer yet.
    relay.server_says("2");
    assert_eq!(relay.server_gets(), ["3"]);
    relay.server_says(r#"40{"sid":"s3"}"#);
    relay.server_says(r#"40/admin,{"sid":"s4"}"#);
    assert_eq!(relay.client_gets().last().unwrap(), "2");
    // Not before the client is about to give up.
    let late = relay.now + SECOND * 35;
    assert_eq!(relay.adapter.poll_timeout(), Some(late));
    // For the two pings of the return.
    relay.client_says("3");
    assert_eq!(relay.client_gets(), ["2"]);
    relay.client_says("3");
    assert!(relay.server_gets().is_empty());
    relay.server_says("2");
    relay.client_says("3");
    assert_eq!(relay.client_gets(), ["2"]);
    assert_eq!(relay.server_gets(), ["3"]);
}

#[test]
fn a_server_whose_ping_is_late_is_stood_in_for_three_times() {
    let mut relay = connected();
    relay.pass(SECOND * 34);
    assert!(relay.client_gets().is_empty());
    relay.pass(SECOND);
    assert_eq!(relay.client_gets(), ["2"]);
    // Its answer is not for the server, which has not asked.
    relay.client_says("3");
    assert!(relay.server_gets().is_empty());
    relay.pass(SECOND * 35);
    assert_eq!(relay.client_gets(), ["2"]);
    // The server goes on.
    relay.server_says("2");
    relay.client_says("3");
    assert_eq!(relay.client_gets(), ["2"]);
    assert_eq!(relay.server_gets(), ["3"]);
    for _ in 0..3 {
        relay.pass(SECOND * 35);
        assert_eq!(relay.client_gets(), ["2"]);
    }
    // The client is to find out.
    relay.pass(SECOND * 100);
    assert!(relay.client_gets().is_empty());
    assert_eq!(relay.adapter.poll_timeout(), None);
}

#[test]
fn a_server_with_another_pace_does_not_let_the_client_time_out() {
    let mut relay = connected();
    relay.lose().unwrap();
    relay.back();
    relay.server_says(r#"0{"sid":"e2","upgrades":[],"pingInterval":60000,"pingTimeout":30000}"#);
    relay.server_says(r#"40{"sid":"s3"}"#);
    relay.server_says(r#"40/admin,{"sid":"s4"}"#);
    relay.client_says("3");
    relay.client_says("3");
    relay.client_gets();
    relay.server_gets();
    for _ in 0..3 {
        relay.pass(SECOND * 25);
        assert_eq!(relay.client_gets(), ["2"]);
        relay.client_says("3");
    }
    assert!(relay.server_gets().is_empty());
    relay.server_says("2");
    assert_eq!(relay.server_gets(), ["3"]);
    assert!(relay.client_gets().is_empty());
}

#[test]
fn an_empty_close_frame_is_a_restart_unless_every_namespace_was_disconnected() {
    let mut relay = connected();
    let is_restart = |relay: &Relay, code| relay.adapter.is_restart(code, b"");
    assert!(is_restart(&relay, CloseCode::NO_STATUS_RCVD));
    assert!(is_restart(&relay, CloseCode::SERVICE_RESTART));
    assert!(!is_restart(&relay, CloseCode::NORMAL_CLOSURE));
    assert!(!is_restart(&relay, CloseCode::POLICY_VIOLATION));
    relay.server_says("41");
    assert_eq!(relay.unholdable(), None);
    relay.server_says("41/admin,");
    assert_eq!(relay.unholdable(), Some("no namespace is connected"));
}

#[test]
fn a_session_that_is_being_closed_is_not_held() {
    let mut relay = connected();
    relay.client_says("1");
    assert_eq!(relay.unholdable(), Some("the client closes the session"));
    let mut relay = connected();
    relay.server_says("1");
    assert_eq!(relay.unholdable(), Some("the backend closes the session"));
}

#[test]
fn a_long_hello_is_not_held() {
    let mut relay = opened();
    relay.client_says(&format!("40{{\"token\":\"{}\"}}", "t".repeat(70_000)));
    assert_eq!(relay.unholdable(), Some("the hello is longer than 64 KiB"));
    relay.client_says("41");
    relay.client_says("40");
    assert_eq!(relay.unholdable(), None);
}

#[test]
fn what_nobody_can_bound_is_not_written_down() {
    let mut relay = opened();
    relay.client_says(&format!("40/{},", "n".repeat(2000)));
    assert_eq!(relay.unholdable(), Some("too much is open"));
    let mut relay = opened();
    for number in 0..2000 {
        relay.client_says(&format!(
            "40/{number},{{\"token\":\"{}\"}}",
            "t".repeat(1000)
        ));
        assert!(relay.adapter.memory() < 128 * 1024);
    }
    assert_eq!(relay.unholdable(), Some("too much is open"));
    let mut relay = connected();
    relay.server_says("42/unknown,7[\"ask\"]");
    assert_eq!(relay.unholdable(), None);
}

#[test]
fn nothing_is_held_before_the_hello_is_over() {
    let mut relay = Relay::new(Protocol::SocketIo, QUERY);
    assert_eq!(relay.unholdable(), Some("the hello is not over"));
    relay.server_says(OPEN);
    assert_eq!(relay.unholdable(), Some("no namespace is connected"));
    relay.client_says("40");
    assert_eq!(relay.unholdable(), None);
}

#[test]
fn another_protocol_passes_unlooked_at() {
    for first in ["hello", "2", r#"0{"sid":"x"}"#, r#"42["x"]"#] {
        let mut relay = Relay::new(Protocol::SocketIo, QUERY);
        relay.server_says(first);
        assert!(relay.adapter.holdable().unwrap_err().is_final(), "{first}");
        relay.client_says("anything");
        relay.server(OwnedMessage::Binary(vec![0]));
        relay.client(OwnedMessage::Binary(vec![0]));
        assert_eq!(relay.client_gets(), [first, "binary [0]"]);
        assert_eq!(relay.server_gets(), ["anything", "binary [0]"]);
    }
    for first in ["hello", "2probe", "4x", "44{}"] {
        let mut relay = opened();
        relay.client_says(first);
        assert!(relay.adapter.holdable().unwrap_err().is_final(), "{first}");
        assert_eq!(relay.server_gets(), [first]);
    }
    let mut relay = connected();
    relay.client(OwnedMessage::Binary(vec![0]));
    assert!(relay.adapter.holdable().unwrap_err().is_final());
    let mut relay = connected();
    relay.server(OwnedMessage::Binary(vec![0]));
    assert!(relay.adapter.holdable().unwrap_err().is_final());
    let mut relay = opened();
    relay.server_says(r#"40/a,{"sid":"s"}"#);
    assert!(relay.adapter.holdable().unwrap_err().is_final());
}

#[test]
fn a_session_that_began_by_polling_is_a_tunnel() {
    let adapter = |query| {
        let handshake = Handshake {
            path: "/socket.io/",
            query,
            subprotocol: None,
        };
        Protocol::SocketIo.adapter(&handshake, Applications::Unknown)
    };
    let unholdable = adapter("EIO=4&transport=websocket&sid=x").unwrap_err();
    assert!(unholdable.is_final() && unholdable.text().contains("sid="));
    assert!(adapter("EIO=3&transport=websocket").is_err());
    assert!(adapter(QUERY).is_ok());
}

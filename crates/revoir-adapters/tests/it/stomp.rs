//! STOMP, with the frames that npm `@stomp/stompjs` and RabbitMQ's web STOMP send.

use std::time::Duration;

use revoir_adapters::{PROLOGUE_LIMIT, Protocol};
use revoir_codes::CloseCode;

use crate::byte_stream::ByteStream;

const CONNECT: &str =
    "CONNECT\nlogin:guest\npasscode:guest\naccept-version:1.2,1.1,1.0\nheart-beat:2000,2000\n\n\0";
const CONNECTED: &str = "CONNECTED\nserver:RabbitMQ/3.10.8\nsession:session-1\nheart-beat:2000,2000\nversion:1.2\n\n\0\n";

fn connected() -> ByteStream {
    let mut it = ByteStream::new(Protocol::Stomp);
    it.client_text(CONNECT);
    it.server_text(CONNECTED);
    it.expect_server(CONNECT.as_bytes());
    it.expect_client(CONNECTED.as_bytes());
    it
}

fn subscribed(ack: &str) -> ByteStream {
    let mut it = connected();
    it.client_text(&format!(
        "SUBSCRIBE\nack:{ack}\nid:sub-0\ndestination:/topic/a\n\n\0"
    ));
    it.heard_by_server();
    it
}

/// Another server has been greeted, up to CONNECTED.
fn replace(it: &mut ByteStream) {
    it.lose();
    it.heard_by_client();
    it.back();
    it.expect_server(CONNECT.as_bytes());
    it.server_text(&CONNECTED.replace("session-1", "session-2"));
}

fn message(id: &str) -> String {
    format!("MESSAGE\nsubscription:sub-0\nmessage-id:{id}\nack:{id}\ndestination:/topic/a\n\nhi\0")
}

#[test]
fn hello_and_subscriptions_are_said_again() {
    let mut it = connected();
    it.client_text("SUBSCRIBE\nid:sub-0\ndestination:/topic/a\n\n\0");
    it.client_text("SUBSCRIBE\nack:client-individual\nid:mine\ndestination:/topic/b\n\n\0");
    it.client_text("SUBSCRIBE\nreceipt:r1\nid:sub-2\ndestination:/queue/q\n\n\0");
    it.server_text("RECEIPT\nreceipt-id:r1\n\n\0\n");
    it.client_text("UNSUBSCRIBE\nid:sub-0\n\n\0");
    it.heard_by_client();
    it.heard_by_server();
    replace(&mut it);
    it.expect_server(
        b"SUBSCRIBE\nreceipt:revoir-0\nack:client-individual\nid:mine\ndestination:/topic/b\n\n\0\
          SUBSCRIBE\nreceipt:revoir-1\nid:sub-2\ndestination:/queue/q\n\n\0",
    );
    it.client_text("SEND\ndestination:/topic/b\n\nhi\0");
    it.server_text("RECEIPT\nreceipt-id:revoir-0\n\n\0\n");
    it.expect_server(b"");
    it.server_text("RECEIPT\nreceipt-id:revoir-1\n\n\0\n");
    it.expect_server(b"SEND\ndestination:/topic/b\n\nhi\0");
    // The line ends behind them.
    it.expect_client(b"\n\n\n");
    assert!(it.is_ready());
}

#[test]
fn a_subscription_replaces_the_one_of_the_same_name() {
    let mut it = subscribed("auto");
    it.client_text("SUBSCRIBE\nid:sub-0\ndestination:/topic/z\n\n\0");
    it.heard_by_server();
    replace(&mut it);
    it.expect_server(b"SUBSCRIBE\nreceipt:revoir-0\nid:sub-0\ndestination:/topic/z\n\n\0");
}

#[test]
fn what_the_old_server_remembers_is_unholdable() {
    let mut it = connected();
    it.client_text("BEGIN\ntransaction:tx\n\n\0");
    assert_eq!(it.refusal(), Some("a transaction is open"));
    it.client_text("ABORT\ntransaction:tx\n\n\0");
    assert_eq!(it.refusal(), None);
    it.client_text("BEGIN\ntransaction:ty\n\n\0");
    it.client_text("COMMIT\ntransaction:ty\n\n\0");
    assert_eq!(it.refusal(), None);

    it.client_text("SEND\nreceipt:a\\cb\ndestination:/q\n\n\0");
    assert_eq!(it.refusal(), Some("the client awaits a receipt"));
    it.server_text("RECEIPT\nreceipt-id:a\\cb\n\n\0");
    assert_eq!(it.refusal(), None);
}

#[test]
fn messages_are_acknowledged_one_by_one_or_up_to_one() {
    let refusal = Some("a message is not acknowledged");
    for (ack, after_last) in [
        ("client-individual", refusal),
        ("client", None),
        ("auto", None),
    ] {
        let mut it = subscribed(ack);
        it.server_text(&message("1"));
        it.server_text(&message("2"));
        assert_eq!(it.refusal(), refusal.filter(|_| ack != "auto"));
        it.client_text("ACK\nid:2\n\n\0");
        assert_eq!(it.refusal(), after_last);
        it.client_text("NACK\nid:1\n\n\0");
        assert_eq!(it.refusal(), None);
    }
    // Only what was there before it, and only of this subscription.
    let mut it = subscribed("client");
    it.client_text("SUBSCRIBE\nack:client\nid:other\ndestination:/topic/b\n\n\0");
    it.server_text(&message("0").replace("sub-0", "other"));
    it.server_text(&message("1"));
    it.server_text(&message("2"));
    it.client_text("ACK\nid:1\n\n\0");
    it.client_text("ACK\nid:0\n\n\0");
    assert_eq!(it.refusal(), refusal);
    it.client_text("ACK\nid:2\n\n\0");
    assert_eq!(it.refusal(), None);
    it.server_text(&message("0").replace("sub-0", "other"));
    it.server_text(&message("1"));
    it.client_text("ACK\nid:1\n\n\0");
    assert_eq!(it.refusal(), refusal);
    it.client_text("ACK\nid:0\n\n\0");
    assert_eq!(it.refusal(), None);
    // Nothing is owed to what was unsubscribed.
    it.server_text(&message("3"));
    it.client_text("UNSUBSCRIBE\nid:sub-0\n\n\0");
    assert_eq!(it.refusal(), None);
    // 1.1 names the message.
    let mut it = subscribed("client");
    it.server_text("MESSAGE\nsubscription:sub-0\nmessage-id:m\ndestination:/topic/a\n\n\0");
    assert_eq!(it.refusal(), refusal);
    it.client_text("ACK\nsubscription:sub-0\nmessage-id:m\n\n\0");
    assert_eq!(it.refusal(), None);
}

#[test]
fn acknowledgements_that_are_taken_back_are_not_followed() {
    let mut it = subscribed("client-individual");
    it.server_text(&message("1"));
    it.client_text("BEGIN\ntransaction:tx\n\n\0");
    it.client_text("ACK\nid:1\ntransaction:tx\n\n\0");
    it.client_text("ABORT\ntransaction:tx\n\n\0");
    assert!(it.is_over());
}

#[test]
fn temporary_queues_are_not_followed() {
    for frame in [
        "SEND\ndestination:/q\nreply-to:/temp-queue/foo\n\nhi\0",
        "SUBSCRIBE\nid:1\ndestination:/temp-queue/foo\n\n\0",
        "SUBSCRIBE\nid:1\ndestination:/temp-topic/foo\n\n\0",
        "SUBSCRIBE\nid:1\ndestination:/reply-queue/foo\n\n\0",
    ] {
        let mut it = connected();
        it.client_text(frame);
        assert_eq!(it.refusal(), Some("the client uses a temporary queue"));
        assert!(it.is_over());
        it.expect_server(frame.as_bytes());
    }
    let mut it = connected();
    it.client_text("SEND\ndestination:/q\nreply-to:/queue/mine\n\nhi\0");
    assert_eq!(it.refusal(), None);
}

#[test]
fn other_answers_end_the_connection() {
    for (answer, expected) in [
        (
            CONNECTED.replace("2000,", "4000,"),
            "the server grants something else than before",
        ),
        (
            CONNECTED.replace("1.2", "1.1"),
            "the server grants something else than before",
        ),
        (
            "ERROR\nmessage:Bad CONNECT\n\n\0".into(),
            "the server refuses the hello",
        ),
        ("nonsense".into(), "not STOMP 1.1 or 1.2"),
    ] {
        let mut it = subscribed("auto");
        it.lose();
        it.heard_by_client();
        it.back();
        it.server_text(&answer);
        assert_eq!(it.ended(), Some(expected));
        it.expect_client(b"");
    }
    let mut it = subscribed("auto");
    replace(&mut it);
    it.server_text("ERROR\nmessage:not allowed\n\n\0");
    assert_eq!(it.ended(), Some("the server refuses the hello"));
    it.expect_client(b"\n");
}

#[test]
fn goodbyes() {
    let mut it = connected();
    assert!(it.adapter().is_restart(CloseCode::GOING_AWAY, b""));
    assert!(
        !it.adapter()
            .is_restart(CloseCode::NORMAL_CLOSURE, b"STOMP died")
    );
    it.client_text("DISCONNECT\nreceipt:bye\n\n\0");
    assert_eq!(it.refusal(), Some("the client said goodbye"));

    let mut it = connected();
    it.server_text("ERROR\nmessage:kicked\n\n\0");
    it.expect_client(b"ERROR\nmessage:kicked\n\n\0");
    assert!(it.is_over());
}

#[test]
fn heartbeats_are_sent_for_a_server_that_is_away() {
    let mut it = subscribed("auto");
    it.pass(Duration::from_millis(1999));
    it.expect_client(b"");
    it.lose();
    it.expect_client(b"\n");
    it.pass(Duration::from_millis(4500));
    it.expect_client(b"\n\n\n\n");
    // The client's own are for nobody.
    it.client_text("\n");
    it.client_text("SEND\ndestination:/a\n\ntwo\n");
    it.client_text("\n");
    it.client_text("\0");
    it.back();
    it.server_text(CONNECTED);
    it.pass(Duration::from_secs(1));
    it.expect_client(b"\n\n");
    it.heard_by_server();
    it.server_text("RECEIPT\nreceipt-id:revoir-0\n\n\0");
    it.expect_server(b"SEND\ndestination:/a\n\ntwo\n\n\0");
    it.pass(Duration::from_millis(1999));
    it.expect_client(b"");

    // Nobody asked for them.
    for (client, server) in [
        ("0,0", "2000,2000"),
        ("2000,2000", "0,2000"),
        ("9,0", "9,9"),
    ] {
        let mut it = ByteStream::new(Protocol::Stomp);
        it.client_text(&CONNECT.replace("2000,2000", client));
        it.server_text(&CONNECTED.replace("2000,2000", server));
        it.heard_by_client();
        it.pass(Duration::from_secs(60));
        it.expect_client(b"");
        it.lose();
        it.pass(Duration::from_secs(60));
        it.expect_client(b"");
    }
}

#[test]
fn a_server_that_is_silent_is_stood_in_for_a_minute() {
    let mut it = subscribed("auto");
    for _ in 0..2 {
        it.server_text("\n");
        it.heard_by_client();
        it.pass(Duration::from_millis(1999));
        it.expect_client(b"");
        it.pass(Duration::from_millis(1));
        it.expect_client(b"\n");
        it.pass(Duration::from_secs(3));
        it.expect_client(b"\n\n\n");
        it.pass(Duration::from_secs(200));
        it.expect_client(&[b'\n'; 61]);
    }
    // Never inside a frame that goes on in parts.
    let long = format!(
        "MESSAGE\nsubscription:sub-0\nmessage-id:m\n\n{}",
        "x".repeat(70_000)
    );
    it.server_text(&long);
    it.expect_client(long.as_bytes());
    it.pass(Duration::from_secs(100));
    it.expect_client(b"");
    // However often it wants to be heard, a timer is no busy loop.
    let mut it = ByteStream::new(Protocol::Stomp);
    it.client_text(&CONNECT.replace("2000,2000", "1,1"));
    it.server_text(&CONNECTED.replace("2000,2000", "1,1"));
    it.heard_by_client();
    it.pass(Duration::from_secs(3));
    it.expect_client(b"\n\n\n\n\n");
}

/// RabbitMQ does, before it reads what the clients have said meanwhile.
#[test]
fn a_server_that_drops_its_clients_as_it_wakes_does_not_mean_them() {
    let mut it = subscribed("auto");
    let means_them = |it: &ByteStream, code| !it.adapter().is_restart(code, b"");
    it.pass(Duration::from_millis(1999));
    assert!(means_them(&it, CloseCode::NORMAL_CLOSURE));
    it.pass(Duration::from_secs(60));
    assert!(!means_them(&it, CloseCode::NORMAL_CLOSURE));
    assert!(means_them(&it, CloseCode::POLICY_VIOLATION));
    // What it says first may say why.
    it.server_text("\n");
    assert!(means_them(&it, CloseCode::NORMAL_CLOSURE));
    it.pass(Duration::from_secs(60));
    // Its successor was heard of.
    it.lose();
    it.back();
    assert!(means_them(&it, CloseCode::NORMAL_CLOSURE));
}

#[test]
fn a_server_that_goes_during_the_replay_is_replaced_again() {
    let mut it = subscribed("client-individual");
    replace(&mut it);
    it.lose();
    it.back();
    it.heard_by_server();
    it.server_text(CONNECTED);
    // A message that the last server delivered meanwhile cannot be acknowledged.
    it.server_text(&message("1"));
    it.exchange_unasked();
    it.server_text(CONNECTED);
    assert_eq!(it.ended(), Some("a message is not acknowledged"));
}

#[test]
fn frames_in_parts_go_on_whole_and_long_ones_as_they_come() {
    let mut it = subscribed("auto");
    let frame = "SEND\ndestination:/a\ncontent-length:3\n\na\0b\0";
    for part in frame.as_bytes().chunks(5) {
        it.expect_server(b"");
        it.client(part);
    }
    it.expect_server(frame.as_bytes());

    for long in [
        format!(
            "MESSAGE\nsubscription:sub-0\nmessage-id:1\n\n{}\0",
            "x".repeat(3 * PROLOGUE_LIMIT)
        ),
        format!(
            "MESSAGE\nsubscription:sub-0\nmessage-id:1\ncontent-length:{}\n\n{}\0",
            3 * PROLOGUE_LIMIT,
            "\0".repeat(3 * PROLOGUE_LIMIT)
        ),
    ] {
        let mut heard = Vec::new();
        for part in long.as_bytes().chunks(PROLOGUE_LIMIT / 2 + 1) {
            it.server(part);
            heard.extend(it.heard_by_client());
            let is_half = !heard.is_empty() && heard.len() < long.len();
            let expected = is_half.then_some("a long frame is half forwarded");
            assert_eq!(it.refusal(), expected);
        }
        assert!(heard == long.as_bytes());
    }
}

#[test]
fn too_much_is_not_said_again() {
    let mut it = connected();
    for i in 0..200 {
        let selector = "x".repeat(400);
        it.client_text(&format!(
            "SUBSCRIBE\nid:{i}\nselector:{selector}\ndestination:/a\n\n\0"
        ));
    }
    assert_eq!(it.refusal(), Some("there is too much to say again"));
    assert!(it.is_over());
    assert!(it.adapter().memory() < 1000);
}

#[test]
fn what_is_not_stomp_passes_untouched() {
    let mut it = ByteStream::new(Protocol::Stomp);
    assert_eq!(it.refusal(), Some("CONNECTED has not come"));
    it.client_text("{\"hello\":1}");
    it.server_text("{}");
    it.expect_server(b"{\"hello\":1}");
    it.expect_client(b"{}");
    assert!(it.is_over());
    // STOMP 1.0 has no identifiers.
    let mut it = ByteStream::new(Protocol::Stomp);
    it.client_text(CONNECT);
    it.server_text("CONNECTED\nsession:1\n\n\0");
    assert!(it.is_over());
    // What was kept goes on.
    let mut it = connected();
    it.client_text("SEND\nx:y\n");
    it.server_text("MESSAGE\n");
    it.client_text("\0");
    it.expect_server(b"SEND\nx:y\n\0");
    it.expect_client(b"MESSAGE\n");
    assert!(!format!("{:?}", it.adapter()).contains("guest"));
}

#[test]
fn the_rest_of_a_frame_follows_to_the_next_server() {
    let mut it = connected();
    it.client_text("SEND\ndestination:/a\n\none");
    it.lose();
    it.heard_by_client();
    // No heartbeat: the frame goes on.
    it.client_text("\n");
    it.client_text("\0");
    it.back();
    it.heard_by_server();
    it.server_text(CONNECTED);
    it.expect_server(b"SEND\ndestination:/a\n\none\n\0");
}

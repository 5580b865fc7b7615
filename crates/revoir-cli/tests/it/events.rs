//! The events of `connect --json` and `listen --json`, field by field, against docs/json.md.

use revoir::Cause;
use serde_json::{Value, json};

use crate::support::fields::{documented, keys};
use crate::support::{Client, Peer, Process, Server};

/// The events of a connection to `server`.
fn connect(server: impl FnOnce(&mut Peer, &mut Process)) -> Vec<Value> {
    let listener = Server::new();
    let mut process = Process::start(&["connect", &listener.url(), "--json", "--no-reconnect"]);
    let mut peer = listener.open();
    server(&mut peer, &mut process);
    let ended = process.end();
    assert_eq!(ended.stderr, "", "with --json there is no talk");
    let parse = |line: &String| serde_json::from_str(line).unwrap();
    ended.stdout.iter().map(parse).collect()
}

/// The fields common to all events and those of this one.
fn fields(name: &str) -> std::collections::BTreeSet<String> {
    &documented("event") | &documented(name)
}

/// The whole ending, but for the times, which only have to be there.
#[track_caller]
fn assert_ending(actual: &Value, expected: &Value) {
    let mut actual = actual.clone();
    for time in ["t_ms", "open_ms", "idle_ms"] {
        assert!(actual[time].is_u64(), "{time}: {actual}");
        actual[time] = Value::Null;
    }
    let mut whole = json!({
        "event": "ending", "conn": 1, "t_ms": null, "open_ms": null, "idle_ms": null,
        "reason": "", "detail": null, "detail_kind": null, "initiator": null, "sent": null, "received": null,
        "order": null, "in_frame": false, "closed_at": null, "status": null, "retry_after": null, "discarded": 0,
        "unsent": 0, "clean": false, "in_doubt": null,
    });
    let more = expected.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(more);
    assert_eq!(actual, whole);
}

#[test]
fn every_event_has_its_documented_fields_and_no_other() {
    let events = connect(|peer, _| {
        peer.send(1, "héllo".as_bytes());
        peer.send(2, &[0, 255]);
        peer.close(1012, "deploying");
        assert_eq!(peer.closed(), 1012);
        peer.fin();
    });
    let [open, text, binary, ending, decision] = &events[..] else {
        panic!("{events:?}");
    };
    let expected = &fields("open") | &documented("open at a client");
    assert_eq!(keys(open), expected);
    assert!(open["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!((&open["conn"], &open["attempt"]), (&json!(1), &json!(0)));
    assert_eq!(
        (&open["subprotocol"], &open["extensions"]),
        (&Value::Null, &Value::Null)
    );

    assert_eq!(keys(text), fields("message"));
    assert_eq!((&text["kind"], &text["bytes"]), (&json!("text"), &json!(6)));
    assert_eq!(text["text"], "héllo");
    let mut without_text = fields("message");
    without_text.remove("text");
    assert_eq!(keys(binary), without_text);
    assert_eq!(
        (&binary["kind"], &binary["bytes"]),
        (&json!("binary"), &json!(2))
    );

    let expected = &fields("ending") | &documented("ending at a client");
    assert_eq!(keys(ending), expected);

    assert_eq!(keys(decision), fields("decision"));
    let times: Vec<_> = events.iter().map(|event| event["t_ms"].as_u64()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_server_has_two_events_more() {
    let process = Process::start(&["listen", "127.0.0.1:0", "--json"]);
    let listening = process.event("listening");
    assert_eq!(keys(&listening), fields("listening"));
    assert_eq!(listening["conn"], Value::Null);
    let mut client = Client::open(listening["addr"].as_str().unwrap(), "");
    assert_eq!(keys(&process.event("open")), fields("open"));
    client.close(1000);
    assert_eq!(keys(&process.event("ending")), fields("ending"));
    process.signal("TERM");
    assert_eq!(keys(&process.event("drained")), fields("drained"));
    assert_eq!(process.end().stdout, [""; 0]);
}

#[test]
fn closed_by_the_peer() {
    let events = connect(|peer, _| {
        peer.close(1012, "deploying");
        assert_eq!(peer.closed(), 1012);
        peer.fin();
    });
    let expected = json!({
        "code": 1012, "name": "Service Restart", "reason": "deploying",
        "cause": "closed-by-peer", "finish": "answered", "clean": true, "initiator": "remote",
        "sent": {"code": 1012, "reason": ""},
        "received": {"code": 1012, "reason": "deploying"},
        "order": "received-first",
        "text": "1012 Service Restart: the peer closed first (\"deploying\"), we answered",
    });
    assert_ending(&events[1], &expected);
}

#[test]
fn messages_that_were_written_before_the_end_are_in_doubt() {
    let events = connect(|peer, process| {
        process.write("one\ntwo\n");
        assert_eq!((peer.text(), peer.text()), ("one".into(), "two".into()));
        peer.fin();
    });
    let ending = &events[1];
    assert_eq!(
        (&ending["cause"], &ending["in_doubt"]),
        (&json!("eof"), &json!([0, 1]))
    );
}

#[test]
fn an_empty_close_frame_has_no_code() {
    let events = connect(|peer, _| {
        peer.send(8, b"");
        assert_eq!(peer.receive(), (8, vec![]));
        peer.fin();
    });
    let expected = json!({
        "code": 1005, "name": "No Status Rcvd", "cause": "closed-by-peer", "finish": "answered",
        "clean": true, "initiator": "remote", "order": "received-first",
        "sent": {"code": null, "reason": ""}, "received": {"code": null, "reason": ""},
        "text": "1005 No Status Rcvd: the peer closed first, we answered",
    });
    assert_ending(&events[1], &expected);
}

#[test]
fn closed_by_the_user() {
    let events = connect(|peer, process| {
        process.close_stdin();
        assert_eq!(peer.closed(), 1000);
        peer.close(1000, "so long");
        peer.fin();
    });
    let place = events[1]["closed_at"].as_str().unwrap();
    let (file, line) = place.split_once(':').unwrap();
    assert!(
        file.ends_with("connect/conversation.rs") && line.parse::<u32>().is_ok(),
        "{place}"
    );
    let text = events[1]["text"].as_str().unwrap();
    assert!(
        text.starts_with(
            "1000 Normal Closure: we closed with 1000 Normal Closure, the peer answered (called at "
        ),
        "{text}"
    );
    let expected = json!({
        "code": 1000, "name": "Normal Closure", "reason": "so long", "cause": "closed-locally",
        "finish": "answered", "clean": true, "initiator": "local", "order": "sent-first",
        "sent": {"code": 1000, "reason": ""}, "received": {"code": 1000, "reason": "so long"},
        "closed_at": place, "text": text,
    });
    assert_ending(&events[1], &expected);
}

#[test]
fn the_end_of_tcp_inside_a_frame() {
    let events = connect(|peer, _| {
        peer.write(&[0x81, 5, b'h']);
        peer.fin();
    });
    let text = events[1]["text"].as_str().unwrap();
    assert!(
        text.ends_with("s after its last byte, inside a frame"),
        "{text}"
    );
    let expected = json!({
        "code": 1006, "name": "Abnormal Closure", "cause": "eof", "finish": "eof",
        "in_frame": true, "text": text,
    });
    assert_ending(&events[1], &expected);
}

#[test]
fn a_broken_rule_is_named_with_its_section() {
    let events = connect(|peer, _| {
        peer.write(&[0xc1, 0]);
        assert_eq!(peer.closed(), 1002);
        peer.fin();
    });
    let ending = &events[1];
    let rule = "reserved bits 100 are set (RFC 6455 section 5.2)";
    // What comes from a peer that broke a rule is not read any more, nor is its Close frame.
    let expected = json!({
        "code": 1006, "name": "Abnormal Closure", "cause": "protocol-error", "detail": rule,
        "detail_kind": "rule",
        "finish": "eof", "initiator": "local", "sent": {"code": 1002, "reason": rule},
        "text": ending["text"],
    });
    assert_ending(ending, &expected);
}

#[test]
fn a_connection_that_never_opened_has_an_ending_too() {
    let server = Server::new();
    let url = server.url();
    let address = url["ws://".len()..].trim_end_matches("/chat").to_owned();
    drop(server);
    let ended = Process::start(&["connect", &url, "--json", "--no-reconnect"]).end();
    assert_eq!(ended.exit, Some(4));
    let [line, _] = &ended.stdout[..] else {
        panic!("{ended:?}");
    };
    let expected = json!({
        "code": 1006, "name": "Abnormal Closure", "cause": "refused", "detail": address,
        "detail_kind": "text",
        "finish": "none", "text": format!("1006 Abnormal Closure: the TCP connection was refused ({address})"),
    });
    assert_ending(&serde_json::from_str(line).unwrap(), &expected);
}

#[test]
fn the_page_lists_every_cause() {
    let page = include_str!("../../docs/json.md");
    let (_, list) = page.split_once("\n`cause` is one of ").unwrap();
    let (list, _) = list.split_once(".\n").unwrap();
    let listed: Vec<_> = list.split('`').skip(1).step_by(2).collect();
    let ids: Vec<&str> = Cause::ALL.iter().copied().map(Cause::id).collect();
    assert_eq!(listed, ids);
}

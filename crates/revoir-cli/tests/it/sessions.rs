//! `listen --session` and `connect --session`: what is told of sessions, whatever becomes of connections.

use serde_json::{Value, json};

use crate::support::fields::{documented, keys};
use crate::support::{Ended, Process, Relay, Server};

/// A server of sessions, and its address.
fn listen(args: &[&str]) -> (Process, String) {
    let args = [&["listen", "127.0.0.1:0", "--json", "--session"], args].concat();
    let process = Process::start(&args);
    let listening = process.event("listening");
    (process, listening["addr"].as_str().unwrap().to_owned())
}

fn connect(url: &str) -> Process {
    Process::start(&["connect", url, "--json", "--session"])
}

/// The next event that is not one of these.
#[track_caller]
fn next(process: &Process, passing: &[&str], name: &str) -> Value {
    loop {
        let event: Value = serde_json::from_str(&process.line()).unwrap();
        if !passing.contains(&event["event"].as_str().unwrap()) {
            assert_eq!(event["event"], name, "{event}");
            return event;
        }
    }
}

fn fields(name: &str) -> std::collections::BTreeSet<String> {
    &documented("event") | &documented(name)
}

#[track_caller]
fn last(ended: &Ended) -> Value {
    serde_json::from_str(ended.stdout.last().expect("a last event")).unwrap()
}

/// The words of a connection that comes and goes.
const COMING_BACK: &[&str] = &["ending", "decision"];

#[test]
fn a_session_goes_on_over_the_next_connection() {
    let (server, address) = listen(&["--echo"]);
    let relay = Relay::to(&address);
    let mut client = connect(&relay.url());
    let begun = client.event("attached");
    assert_eq!(keys(&begun), fields("attached"));
    assert_eq!(
        (&begun["verdict"], &begun["conn"]),
        (&json!("new"), &json!(1))
    );
    assert_eq!(begun["ttl_ms"], 120_000);
    assert_eq!(server.event("attached")["session"], begun["session"]);

    client.write("one\n");
    let one = client.event("message");
    let with_key = &fields("message") | &documented("message of a session");
    assert_eq!(keys(&one), with_key);
    let key = format!("{}/1", begun["session"].as_str().unwrap());
    assert_eq!((&one["text"], &one["key"]), (&json!("one"), &json!(key)));
    assert_eq!(server.event("message")["text"], "one");

    relay.cut(Some(&address));
    client.write("two\n");
    assert_eq!(client.event("ending")["cause"], "eof");
    assert_eq!(client.event("decision")["retry"], true);
    let resumed = next(&client, COMING_BACK, "attached");
    assert_eq!(resumed["verdict"], "resumed");
    assert_eq!(resumed["session"], begun["session"]);
    assert_eq!(resumed["generation"], 2);
    assert_eq!(client.event("message")["text"], "two");
    assert_eq!(server.event("ending")["conn"], 1);
    assert_eq!(server.event("attached")["verdict"], "resumed");
    assert_eq!(server.event("message")["text"], "two");

    client.close_stdin();
    let ended = client.end();
    assert_eq!((ended.exit, &*ended.stderr), (Some(0), ""));
    let over = last(&ended);
    assert_eq!(keys(&over), fields("session-ending"));
    assert_eq!(
        (&over["cause"], &over["code"]),
        (&json!("closed-locally"), &json!(1000))
    );
    let over = server.event("session-ending");
    assert_eq!(
        (&over["cause"], &over["origin"]),
        (&json!("closed-by-peer"), &json!("application"))
    );
    server.signal("TERM");
    let drained = server.event("drained");
    // The session is over before the connection below it is, whose Close frame may still be on its way.
    let left = ["timeout", "reset", "cut", "unsent"].map(|how| &drained[how]);
    assert_eq!(left, [0; 4]);
    assert_eq!(server.end().exit, Some(0));
}

#[test]
fn what_a_lost_server_may_have_taken_is_returned_and_no_success() {
    let (frozen, address) = listen(&[]);
    let relay = Relay::to(&address);
    let mut client = connect(&relay.url());
    client.event("attached");
    frozen.event("attached");
    frozen.signal("STOP");
    let said = relay.said();
    client.write("hello\n");
    relay.wait_for(said + "hello".len() + 6);
    client.close_stdin();
    let (next_one, address) = listen(&[]);
    relay.cut(Some(&address));
    let fresh = next(&client, COMING_BACK, "attached");
    assert_eq!(fresh["verdict"], "fresh:unknown");
    let returned = client.event("returned");
    assert_eq!(returned["fate"], "in-doubt");
    let expected =
        &(&fields("message") | &documented("message of a session")) | &documented("returned");
    assert_eq!(keys(&returned), expected);
    assert_eq!(returned["text"], "hello");
    let ended = client.end();
    assert_eq!(last(&ended)["cause"], "closed-locally");
    assert_eq!(ended.exit, Some(3));
    assert_eq!(next_one.event("attached")["verdict"], "fresh:unknown");
    assert_eq!(next_one.event("session-ending")["cause"], "closed-by-peer");
}

#[test]
fn a_server_that_stops_says_so_and_its_sessions_are_over() {
    let (server, address) = listen(&["--restart"]);
    let relay = Relay::to(&address);
    let client = connect(&relay.url());
    client.event("attached");
    server.event("attached");
    server.signal("TERM");
    let goaway = client.event("goaway");
    assert_eq!(keys(&goaway), fields("goaway"));
    assert_eq!(
        (&goaway["code"], &goaway["resumable"]),
        (&json!(1012), &json!(false))
    );
    assert_eq!(client.event("ending")["code"], 1012);
    relay.cut(None);
    let over = next(&server, &["ending"], "session-ending");
    assert_eq!(
        (&over["cause"], &over["detail"]),
        (&json!("lost"), &json!("fresh:expired"))
    );
    assert_eq!(server.event("drained")["answered"], 1);
    assert_eq!(server.end().exit, Some(0));
    // There is no connection, so nobody is waited for.
    client.signal("INT");
    let ended = client.end();
    assert_eq!(ended.exit, Some(0));
    assert_eq!(
        ended.stderr,
        "not coming back; messages that nobody acknowledged: 0\n"
    );
}

#[test]
fn close_closes_the_session_and_the_application_agrees_inside_of_it() {
    let (server, address) = listen(&["--close", "4001:bye", "--subprotocol", "chat.v1"]);
    let args = [
        "--subprotocol",
        "chat.v2",
        "--subprotocol",
        "chat.v1",
        "--send",
        "hello",
    ];
    let url = format!("ws://{address}/");
    let client = Process::start(&[&["connect", &url, "--session"], &args[..]].concat());
    let begun = server.event("attached");
    assert_eq!(begun["subprotocol"], "chat.v1");
    server.event("message");
    server.event("session-ending");
    client.note(&format!("connected to {url}"));
    let id = begun["session"].as_str().unwrap();
    client.note(&format!(
        "session new: {id}; kept for 120.0 s without a connection; subprotocol chat.v1"
    ));
    assert_eq!(client.end().stdout, [""; 0]);
}

#[test]
fn a_client_without_sessions_is_served_as_without() {
    let (server, address) = listen(&["--echo"]);
    let mut client = Process::start(&["connect", &format!("ws://{address}/")]);
    client.write("hello\n");
    assert_eq!(client.line(), "hello");
    client.close_stdin();
    assert_eq!(client.end().exit, Some(0));
    for event in ["open", "message", "ending"] {
        server.event(event);
    }
}

#[test]
fn a_server_without_sessions_is_no_place_for_one() {
    let listener = Server::new();
    let client = Process::start(&["connect", &listener.url(), "--session"]);
    let mut peer = listener.open();
    assert_eq!(peer.closed(), 1002);
    peer.close(1002, "");
    let ended = client.end();
    assert_eq!(ended.exit, Some(4));
    let said = "no session: the server does not speak revoir.v1: try it without --session\n";
    assert!(ended.stderr.ends_with(said), "{}", ended.stderr);
}

#[test]
fn a_policy_that_does_not_come_back_ends_the_session() {
    let (server, address) = listen(&[]);
    let relay = Relay::to(&address);
    let url = relay.url();
    let args = ["connect", &url, "--json", "--session", "--no-reconnect"];
    let client = Process::start(&args);
    client.event("attached");
    server.event("attached");
    relay.cut(None);
    assert_eq!(client.event("ending")["cause"], "eof");
    assert_eq!(client.event("decision")["retry"], false);
    assert_eq!(client.event("session-ending")["cause"], "gave-up");
    assert_eq!(client.end().exit, Some(3));
    assert_eq!(server.event("ending")["cause"], "eof");
}

//! `revoir connect` after an ending: whether and when it comes back, and what becomes of lines.

use std::fs;

use serde_json::json;

use crate::support::{Process, Server};

/// A close after which the client comes back as soon as it may.
const SOON: &str = "deploying [after=250ms]";

/// A policy file, and its path.
fn policy(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn it_comes_back_after_a_restart_and_lines_wait_meanwhile() {
    let listener = Server::new();
    let mut process = Process::start(&["connect", &listener.url(), "--json"]);
    let mut peer = listener.open();
    let open = process.event("open");
    assert_eq!((&open["conn"], &open["attempt"]), (&json!(1), &json!(0)));
    peer.close(1012, SOON);
    assert_eq!(peer.closed(), 1012);
    drop(peer);
    assert_eq!(process.event("ending")["conn"], 1);
    process.write("said while away\n");
    let decision = process.event("decision");
    assert_eq!(
        (&decision["conn"], &decision["attempt"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&decision["retry"], &decision["advised"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(decision["delay_ms"], 250);
    assert_eq!(
        (&decision["rule"], &decision["class"]),
        (&json!("code-1012"), &json!("advised"))
    );
    assert_eq!(decision["stop"], json!(null));

    let mut peer = listener.open();
    let open = process.event("open");
    assert_eq!((&open["conn"], &open["attempt"]), (&json!(2), &json!(1)));
    assert_eq!(peer.text(), "said while away");
    process.close_stdin();
    assert_eq!(peer.closed(), 1000);
    peer.close(1000, "");
    drop(peer);
    assert_eq!(process.event("ending")["conn"], 2);
    let ended = process.end();
    assert_eq!((ended.exit, ended.stdout.len()), (Some(0), 0), "{ended:?}");
}

#[test]
fn the_end_of_stdin_while_it_is_away_waits_for_the_next_connection() {
    let listener = Server::new();
    let mut process = Process::start(&["connect", &listener.url(), "--json"]);
    let mut peer = listener.open();
    process.event("open");
    peer.close(1012, SOON);
    assert_eq!(peer.closed(), 1012);
    drop(peer);
    process.event("ending");
    process.write("the last line");
    process.close_stdin();
    let mut peer = listener.open();
    assert_eq!(peer.text(), "the last line");
    assert_eq!(peer.closed(), 1000);
    peer.close(1000, "");
    drop(peer);
    assert_eq!(process.end().exit, Some(0));
}

#[test]
fn a_signal_while_it_is_away_ends_it_without_another_ending() {
    let listener = Server::new();
    let process = Process::start(&[
        "connect",
        &listener.url(),
        "--json",
        "--policy",
        "registered",
    ]);
    let mut peer = listener.open();
    process.event("open");
    peer.close(1012, "");
    assert_eq!(peer.closed(), 1012);
    drop(peer);
    process.event("ending");
    let decision = process.event("decision");
    let delay = decision["delay_ms"].as_u64().unwrap();
    assert!(
        (5_000..=30_000).contains(&delay),
        "as its registration has it: {delay}"
    );
    assert_eq!(decision["class"], "restart");
    process.signal("INT");
    let ended = process.end();
    assert_eq!((ended.exit, ended.stdout.len()), (Some(0), 0), "{ended:?}");
}

#[test]
fn a_connection_that_never_opens_is_4_when_the_attempts_are_used_up() {
    let (_folder, path) = policy("[[rule]]\ncause = \"refused\"\ndelay = [\"250ms\", \"250ms\"]\n");
    let url = Server::new().url();
    let args = [
        "connect",
        &url,
        "--json",
        "--policy",
        &path,
        "--max-attempts",
        "1",
    ];
    let process = Process::start(&args);
    let ending = process.event("ending");
    assert_eq!(
        (&ending["conn"], &ending["cause"]),
        (&json!(1), &json!("refused"))
    );
    let decision = process.event("decision");
    assert_eq!(
        (&decision["retry"], &decision["delay_ms"]),
        (&json!(true), &json!(250))
    );
    assert_eq!(
        (&decision["class"], &decision["rule"]),
        (&json!("custom"), &json!("user-cause-refused"))
    );
    assert_eq!(process.event("ending")["conn"], 2);
    let decision = process.event("decision");
    assert_eq!(
        (&decision["retry"], &decision["delay_ms"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(
        (&decision["class"], &decision["stop"]),
        (&json!("stop"), &json!("max-attempts"))
    );
    assert_eq!(decision["attempt"], 2);
    let ended = process.end();
    assert_eq!((ended.exit, ended.stdout.len()), (Some(4), 0), "{ended:?}");
}

#[test]
fn a_connection_that_was_open_once_is_3_however_it_goes_on() {
    let (_folder, path) = policy("[[rule]]\ncause = \"refused\"\nstop = true\nname = \"gone\"\n");
    let listener = Server::new();
    let process = Process::start(&["connect", &listener.url(), "--json", "--policy", &path]);
    let mut peer = listener.open();
    drop(listener);
    process.event("open");
    peer.close(1012, SOON);
    assert_eq!(peer.closed(), 1012);
    drop(peer);
    process.event("ending");
    process.event("decision");
    assert_eq!(process.event("ending")["cause"], "refused");
    let decision = process.event("decision");
    assert_eq!(
        (&decision["rule"], &decision["stop"]),
        (&json!("gone"), &json!("final"))
    );
    assert_eq!(process.end().exit, Some(3));
}

#[test]
fn a_code_that_asks_for_credentials_stops_and_says_why() {
    let listener = Server::new();
    let process = Process::start(&["connect", &listener.url()]);
    let mut peer = listener.open();
    peer.close(3000, "");
    assert_eq!(peer.closed(), 3000);
    drop(peer);
    let ended = process.end();
    assert_eq!(ended.exit, Some(3));
    let decision = "no further attempt: it needs fresh credentials, and no hook gets them \
                    (rule code-3000)\nWhat to do next: Get a new token";
    assert!(ended.stderr.contains(decision), "{}", ended.stderr);
}

#[test]
fn stderr_has_no_countdown_where_it_is_no_terminal() {
    let listener = Server::new();
    let mut process = Process::start(&["connect", &listener.url()]);
    let mut peer = listener.open();
    peer.close(1012, SOON);
    assert_eq!(peer.closed(), 1012);
    drop(peer);
    let mut peer = listener.open();
    // Without a line to send, the end of stdin ends an attempt that is not open yet.
    peer.send(0x1, b"open");
    assert_eq!(process.line(), "open");
    process.close_stdin();
    assert_eq!(peer.closed(), 1000);
    peer.close(1000, "");
    drop(peer);
    let ended = process.end();
    let lines: Vec<_> = ended.stderr.lines().collect();
    let [connected, ending, decision, again, last] = lines[..] else {
        panic!("{lines:?}");
    };
    assert!(connected.starts_with("connected to ws://127.0.0.1:"));
    assert!(ending.starts_with("1012 Service Restart: the peer closed first"));
    assert_eq!(decision, "attempt 1 in 0.250 s (rule code-1012, advised)");
    assert_eq!(again, connected);
    assert!(last.starts_with("1000 Normal Closure: we closed with 1000"));
}

#[test]
fn a_policy_file_that_is_wrong_is_1_and_names_the_line() {
    let (_folder, path) = policy("base = \"default\"\n\n[[rule]]\ncode = 4001\nwait = \"5s\"\n");
    let ended = Process::start(&["connect", "ws://localhost/", "--policy", &path]).end();
    assert_eq!((ended.exit, ended.stdout.len()), (Some(1), 0));
    let message = format!("error: --policy: {path}:5: unknown field `wait`");
    assert!(ended.stderr.starts_with(&message), "{}", ended.stderr);

    let ended = Process::start(&["connect", "ws://localhost/", "--policy", "/nonexistent"]).end();
    assert_eq!(ended.exit, Some(1));
    assert!(
        ended
            .stderr
            .contains("use `default`, `registered`, or the path"),
        "{}",
        ended.stderr
    );
}

//! `revoir connect`: what is sent and printed, and the exit code.

use std::process::Stdio;

use revoir_proto::extension::Extensions;
use revoir_proto::extension::deflate::DeflateConfig;
use revoir_proto::handshake::{Headers, Origins, ServerConfig};

use crate::support::{Ended, Process, Server, command};

/// Connects once, and plays the server.
fn play(args: &[&str], server: impl FnOnce(&Server, &mut Process)) -> Ended {
    let listener = Server::new();
    let url = listener.url();
    let mut process = Process::start(&[&["connect", &url, "--no-reconnect"], args].concat());
    server(&listener, &mut process);
    process.end()
}

/// The last words on stderr: the ending, and what to do next, around the decision.
fn last_words(ended: &Ended) -> [&str; 2] {
    let lines: Vec<_> = ended.stderr.lines().collect();
    let [.., ending, _, next] = lines[..] else {
        panic!("{ended:?}");
    };
    [ending, next]
}

#[test]
fn lines_are_messages_and_the_end_of_stdin_closes_with_1000() {
    let ended = play(&[], |server, process| {
        process.write("hello\n\nsalut à tous");
        process.close_stdin();
        let mut peer = server.open();
        assert_eq!(peer.text(), "hello");
        assert_eq!(peer.text(), "");
        assert_eq!(peer.text(), "salut à tous");
        assert_eq!(peer.closed(), 1000);
        // What comes before the peer's Close frame is printed.
        peer.send(1, b"one");
        peer.send(1, b"two");
        peer.close(1000, "");
        peer.fin();
    });
    assert_eq!(ended.exit, Some(0));
    assert_eq!(ended.stdout, ["one", "two"]);
    let ending = "1000 Normal Closure: we closed with 1000 Normal Closure, the peer answered";
    assert_eq!(ended.stderr.lines().last(), Some(ending));
}

#[test]
fn send_sends_and_closes_without_stdin() {
    let ended = play(&["--send", "one", "--send", "two"], |server, process| {
        process.write("not this\n");
        let mut peer = server.open();
        assert_eq!((peer.text(), peer.text()), ("one".into(), "two".into()));
        assert_eq!(peer.closed(), 1000);
        peer.close(1000, "");
    });
    assert_eq!(ended.exit, Some(0));
}

#[test]
fn a_line_that_is_not_utf_8_is_named_and_not_sent() {
    let listener = Server::new();
    let mut child = command(&["connect", &listener.url()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"a\n\xff\nb\n").unwrap();
    drop(stdin);
    let mut peer = listener.open();
    assert_eq!((peer.text(), peer.text()), ("a".into(), "b".into()));
    assert_eq!(peer.closed(), 1000);
    peer.close(1000, "");
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("line 2 of stdin was not sent: byte 1 is not UTF-8"),
        "{stderr}"
    );
}

#[test]
fn what_is_asked_for_stands_in_the_request() {
    let args = [
        "--header",
        "Authorization: Bearer abc",
        "-H",
        "X-Trace: 7",
        "--subprotocol",
        "chat.v2",
        "--subprotocol",
        "chat.v1",
        "--origin",
        "https://page.example",
        "--deflate",
        "--json",
    ];
    let ended = play(&args, |server, process| {
        process.close_stdin();
        let mut config = ServerConfig::default();
        config.subprotocols = vec!["chat.v1".to_owned()];
        config.origins = Origins::only(["https://page.example"]);
        config.extensions = Extensions::with_deflate(DeflateConfig::default());
        let (mut peer, request) = server.accept(config);
        assert_eq!(request.resource(), "/chat");
        assert_eq!(
            request.headers().get_str("authorization"),
            Some("Bearer abc")
        );
        assert_eq!(request.headers().get_str("x-trace"), Some("7"));
        assert_eq!(request.origin(), Some("https://page.example"));
        assert_eq!(request.subprotocols(), ["chat.v2", "chat.v1"]);
        peer.write(&request.accept(&Headers::new()).unwrap().response);
        let open = process.event("open");
        assert_eq!(open["subprotocol"], "chat.v1");
        assert_eq!(open["extensions"], "permessage-deflate");
        assert_eq!(peer.closed(), 1000);
        peer.close(1000, "");
    });
    assert_eq!(ended.exit, Some(0), "{ended:?}");
}

#[test]
fn nothing_is_offered_that_nobody_asked_for() {
    play(&[], |server, process| {
        process.close_stdin();
        let (mut peer, request) = server.accept(ServerConfig::default());
        assert_eq!(request.offered_extensions(), []);
        assert_eq!((request.origin(), request.subprotocols().len()), (None, 0));
        peer.write(&request.accept(&Headers::new()).unwrap().response);
        assert_eq!(peer.closed(), 1000);
    });
}

#[test]
fn a_normal_closure_by_the_peer_is_0_and_any_other_3() {
    for (code, exit) in [(1000, 0), (1001, 3), (1012, 3), (4001, 3)] {
        let ended = play(&[], |server, _| {
            let mut peer = server.open();
            peer.close(code, "bye");
            assert_eq!(peer.closed(), code);
            peer.fin();
        });
        assert_eq!(ended.exit, Some(exit), "{code}: {ended:?}");
        let [ending, _] = last_words(&ended);
        assert!(ending.starts_with(&code.to_string()), "{ending}");
        assert!(
            ending.ends_with("the peer closed first (\"bye\"), we answered"),
            "{ending}"
        );
    }
}

#[test]
fn a_person_is_told_what_to_do_next_in_the_own_language() {
    for (lang, words) in [
        ("en", "What to do next: Reconnect after a random 1–5 s"),
        ("fr", "Que faire ensuite\u{a0}: Reconnectez-vous"),
    ] {
        let ended = play(&["--lang", lang], |server, _| {
            let mut peer = server.open();
            peer.close(1012, "");
            assert_eq!(peer.closed(), 1012);
        });
        let [_, next] = last_words(&ended);
        assert!(next.starts_with(words), "{next}");
    }
}

#[test]
fn the_end_of_tcp_without_a_close_frame_is_1006() {
    let ended = play(&[], |server, _| server.open().fin());
    assert_eq!(ended.exit, Some(3));
    let [ending, _] = last_words(&ended);
    assert!(
        ending.starts_with(
            "1006 Abnormal Closure: the peer's TCP stream ended without a Close frame"
        ),
        "{ending}"
    );
}

#[test]
fn a_port_without_a_listener_is_4() {
    let url = Server::new().url();
    let ended = Process::start(&["connect", &url, "--no-reconnect"]).end();
    assert_eq!((ended.exit, ended.stdout.len()), (Some(4), 0));
    assert!(!ended.stderr.contains("limit"), "{ended:?}");
    let [ending, next] = last_words(&ended);
    assert!(
        ending.starts_with("1006 Abnormal Closure: the TCP connection was refused (127.0.0.1:")
    );
    assert!(
        next.starts_with("What to do next: Start the server."),
        "{next}"
    );
}

/// `connect URL </dev/null` of a server that is not there tried for ever.
#[test]
fn nobody_comes_back_with_nothing_left_to_send() {
    let url = Server::new().url();
    let mut process = Process::start(&["connect", &url]);
    process.close_stdin();
    let ended = process.end();
    assert_eq!(ended.exit, Some(4));
    assert!(
        ended.stderr.contains("nothing is left to send"),
        "{ended:?}"
    );
}

/// What was given goes out, even if the first connection ends before it.
#[test]
fn lines_that_wait_are_worth_coming_back() {
    let listener = Server::new();
    let mut process = Process::start(&["connect", &listener.url()]);
    let (mut peer, request) = listener.accept(ServerConfig::default());
    process.write("late\n");
    process.close_stdin();
    let refusal = request.reject(503, &Headers::new(), b"").unwrap();
    peer.write(&refusal);
    peer.fin();
    let mut peer = listener.open();
    assert_eq!(peer.text(), "late");
    assert_eq!(peer.closed(), 1000);
    peer.close(1000, "");
    assert_eq!(process.end().exit, Some(0));
}

#[test]
fn a_refused_handshake_is_4_with_its_status() {
    let refuse = |server: &Server, _: &mut Process| {
        let (mut peer, request) = server.accept(ServerConfig::default());
        peer.write(&request.reject(403, &Headers::new(), b"go away\n").unwrap());
        peer.fin();
    };
    let ended = play(&[], refuse);
    assert_eq!(ended.exit, Some(4));
    let [ending, next] = last_words(&ended);
    assert!(ending.ends_with("the opening handshake was rejected with HTTP 403"));
    assert!(next.contains("Allow the origin"), "{next}");

    let ended = play(&["--json"], refuse);
    assert_eq!((ended.exit, ended.stdout.len()), (Some(4), 2));
    assert!(ended.stdout[0].contains("\"status\":403"));
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_wrong_command_line_is_2_and_says_how_it_is_right() {
    for (args, words) in [
        (&["http://localhost/"][..], "expected ws or wss"),
        (&["http://localhost/"], "a WebSocket has ws:// for http://"),
        (&["localhost:9000"], "a URL looks like ws://"),
        (&["ws://me:pw@localhost/"], "send credentials with --header"),
        (
            &["ws://localhost/", "-H", "Authorization"],
            "a name, a colon and a value",
        ),
        (&["ws://localhost/", "-H", "Upgrade: x"], "Upgrade"),
        (
            &["ws://localhost/", "--ping-interval", "20"],
            "such as 400ms, 20s or 5m",
        ),
        (
            &["wss://localhost/", "--insecure", "--ca", "x"],
            "cannot be used with",
        ),
        (&[], "<URL>"),
    ] {
        let ended = Process::start(&[&["connect"], args].concat()).end();
        assert_eq!((ended.exit, ended.stdout.len()), (Some(2), 0), "{ended:?}");
        assert!(ended.stderr.contains(words), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("try '--help'"), "{}", ended.stderr);
    }
}

#[test]
fn a_mistake_that_shows_late_looks_like_any_other() {
    let ended = Process::start(&["connect", "http://localhost/"]).end();
    let expected = "\
error: got scheme \"http\", expected ws or wss

  tip: a WebSocket has ws:// for http://, and wss:// for https://

Usage: revoir connect [OPTIONS] <URL>

For more information, try '--help'.
";
    assert_eq!(ended.stderr, expected);
}

#[test]
fn a_file_that_cannot_be_used_is_1() {
    for (file, words) in [
        ("/nonexistent.pem", "cannot read /nonexistent.pem"),
        ("Cargo.toml", "unusable pem"),
    ] {
        let ended = Process::start(&["connect", "wss://localhost/", "--ca", file]).end();
        assert_eq!(ended.exit, Some(1));
        assert!(
            ended.stderr.starts_with("error: --ca: "),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains(words) && ended.stderr.contains("hint: "));
    }
}

#[test]
fn a_signal_closes_with_1000() {
    for name in ["INT", "TERM"] {
        let ended = play(&["--json"], |server, process| {
            let mut peer = server.open();
            process.event("open");
            process.signal(name);
            assert_eq!(peer.closed(), 1000);
            peer.close(1000, "");
        });
        assert_eq!(ended.exit, Some(0), "{ended:?}");
        assert!(ended.stdout[0].contains("\"cause\":\"closed-locally\""));
    }
}

#[test]
fn a_signal_while_connecting_gives_up() {
    let listener = Server::new();
    let process = Process::start(&["connect", &listener.url(), "--json"]);
    let (_peer, _request) = listener.accept(ServerConfig::default());
    process.signal("INT");
    let ended = process.end();
    assert_eq!((ended.exit, ended.stdout.len()), (Some(0), 0), "{ended:?}");
}

#[test]
fn a_closed_pipe_closes_with_1000_and_is_0() {
    let listener = Server::new();
    let mut child = command(&["connect", &listener.url()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut peer = listener.open();
    peer.send(1, b"nobody reads this");
    assert_eq!(peer.closed(), 1000);
    peer.close(1000, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn bytes_go_into_a_pipe_as_they_are() {
    let listener = Server::new();
    let child = command(&["connect", &listener.url()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peer = listener.open();
    peer.send(2, b"\x00\xff\n");
    peer.send(2, b"\x1b[0m");
    peer.close(1000, "");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"\x00\xff\n\x1b[0m");
}

#[test]
fn a_message_over_the_limit_is_closed_with_1009() {
    let ended = play(&["--max-message", "8"], |server, _| {
        let mut peer = server.open();
        peer.send(1, b"eight by");
        peer.send(1, b"and nine.");
        assert_eq!(peer.closed(), 1009);
        peer.close(1009, "");
    });
    assert_eq!(
        (ended.exit, ended.stdout),
        (Some(3), vec!["eight by".to_owned()])
    );
}

#[test]
fn silence_is_pinged_after_the_interval() {
    play(&["--ping-interval", "10ms"], |server, process| {
        let mut peer = server.open();
        let (opcode, payload) = peer.receive();
        assert_eq!(opcode, 9);
        peer.send(10, &payload);
        process.close_stdin();
        while peer.receive().0 != 8 {}
        peer.close(1000, "");
    });
}

//! `revoir listen`: what it does with connections, and what it prints.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::support::{Client, Pem, Process, command, field};

/// A server on a free port, and its address.
fn listen(args: &[&str]) -> (Process, String) {
    let process = Process::start(&[&["listen", "127.0.0.1:0", "--json"], args].concat());
    let address = process.event("listening")["addr"]
        .as_str()
        .unwrap()
        .to_owned();
    (process, address)
}

/// Stops the server, when no connection is open.
fn stop(process: Process) {
    process.signal("TERM");
    let ended = process.end();
    assert_eq!((ended.exit, &*ended.stderr), (Some(0), ""), "{ended:?}");
}

#[test]
fn messages_are_printed_and_not_sent_back() {
    let (process, address) = listen(&[]);
    let mut client = Client::open(&address, "");
    process.event("open");
    client.send(1, b"hello");
    assert_eq!(process.event("message")["text"], "hello");
    client.close(1000);
    assert_eq!(client.closed(), (1000, String::new()));
    drop(client);
    assert_eq!(process.event("ending")["cause"], "closed-by-peer");
    stop(process);
}

#[test]
fn echo_sends_every_message_back() {
    let (process, address) = listen(&["--echo"]);
    let mut client = Client::open(&address, "");
    client.send(1, b"hello");
    client.send(2, b"\x00\xff");
    assert_eq!(client.receive(), (1, b"hello".to_vec()));
    assert_eq!(client.receive(), (2, b"\x00\xff".to_vec()));
    client.close(4001);
    assert_eq!(client.closed().0, 4001);
    drop(client);
    for event in ["open", "message", "message", "ending"] {
        process.event(event);
    }
    stop(process);
}

/// To a gateway in mode `auto`, which would not pass that on.
#[test]
fn its_101_says_that_clients_may_be_held() {
    let (process, address) = listen(&[]);
    let mut client = Client::tcp(&address);
    let head = client.request("");
    assert_eq!(field(&head, "revoir-hold"), Some("yes"), "{head}");
    client.close(1000);
    assert_eq!(client.closed().0, 1000);
    drop(client);
    process.event("open");
    process.event("ending");
    stop(process);
}

#[test]
fn connections_are_counted_from_1_also_those_that_never_open() {
    let (process, address) = listen(&[]);
    let mut first = Client::open(&address, "");
    assert_eq!(process.event("open")["conn"], 1);
    let head = Client::tcp(&address).request("Origin: https://evil.example\r\n");
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    let refused = process.event("ending");
    assert_eq!(
        (&refused["conn"], &refused["finish"]),
        (&2.into(), &"none".into())
    );
    assert_eq!(refused["cause"], "handshake-rejected");
    drop(Client::tcp(&address));
    let gone = process.event("ending");
    assert_eq!(
        (&gone["conn"], &gone["cause"]),
        (&3.into(), &"handshake-eof".into())
    );
    first.close(1000);
    assert_eq!(first.closed().0, 1000);
    drop(first);
    assert_eq!(process.event("ending")["conn"], 1);
    stop(process);
}

#[test]
fn the_opening_tells_who_it_is_and_what_was_agreed_on() {
    let (process, address) = listen(&["--subprotocol", "chat.v1", "--deflate"]);
    let fields = "Sec-WebSocket-Protocol: chat.v2, chat.v1\r\n\
                  Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n";
    let client = Client::open(&address, fields);
    let open = process.event("open");
    assert!(open["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(open["subprotocol"], "chat.v1");
    assert_eq!(
        open["extensions"],
        "permessage-deflate; server_no_context_takeover"
    );
    drop(client);
    assert_eq!(process.event("ending")["cause"], "eof");
    stop(process);
}

#[test]
fn pages_of_the_named_origins_are_let_in() {
    for (origin, status) in [
        ("https://page.example", "101"),
        ("https://a.example", "101"),
        ("https://evil.example", "403"),
    ] {
        let (_process, address) = listen(&["--origin", "https://page.example"]);
        let head = Client::tcp(&address).request(&format!("Origin: {origin}\r\n"));
        assert_eq!(&head[9..12], status, "{origin}");
    }
    let (_process, address) = listen(&["--origin", "*"]);
    let head = Client::tcp(&address).request("Origin: https://evil.example\r\n");
    assert_eq!(&head[9..12], "101");
}

#[test]
fn close_ends_the_connection_after_the_first_message() {
    let (process, address) = listen(&["--echo", "--close", "4001:bye: now"]);
    let mut client = Client::open(&address, "");
    client.send(1, b"hello");
    assert_eq!(client.receive(), (1, b"hello".to_vec()));
    assert_eq!(client.closed(), (4001, "bye: now".to_owned()));
    client.close(4001);
    drop(client);
    process.event("open");
    process.event("message");
    assert_eq!(process.event("ending")["cause"], "closed-locally");
    stop(process);
}

#[test]
fn close_after_ends_the_connection_in_time() {
    let (process, address) = listen(&["--close", "1012", "--close-after", "10ms"]);
    let mut client = Client::open(&address, "");
    assert_eq!(client.closed(), (1012, String::new()));
    client.close(1012);
    drop(client);
    process.event("open");
    assert_eq!(process.event("ending")["clean"], true);
    stop(process);
}

#[test]
fn limits_and_deadlines_close_with_their_codes() {
    let (_process, address) = listen(&["--max-message", "4"]);
    let mut client = Client::open(&address, "");
    client.send(1, b"hello");
    assert_eq!(client.closed().0, 1009);

    let (_process, address) = listen(&["--idle-timeout", "10ms", "--ping-interval", "0"]);
    assert_eq!(Client::open(&address, "").closed().0, 1001);

    let (_process, address) = listen(&["--ping-interval", "10ms"]);
    assert_eq!(Client::open(&address, "").receive().0, 9);
}

#[test]
fn a_signal_closes_all_and_the_last_line_counts() {
    for (signal, args, code) in [
        ("TERM", &[][..], 1001),
        ("INT", &[], 1001),
        ("TERM", &["--restart"], 1012),
    ] {
        let (process, address) = listen(args);
        let mut clients = [Client::open(&address, ""), Client::open(&address, "")];
        process.event("open");
        process.event("open");
        process.signal(signal);
        for client in &mut clients {
            assert_eq!(client.closed().0, code);
            client.close(code);
        }
        drop(clients);
        process.event("ending");
        process.event("ending");
        let drained = process.event("drained");
        assert_eq!(
            (&drained["conn"], &drained["connections"]),
            (&().into(), &2.into())
        );
        assert_eq!(
            (&drained["answered"], &drained["unsent"]),
            (&2.into(), &0.into())
        );
        let ended = process.end();
        assert_eq!((ended.exit, ended.stdout.len()), (Some(0), 0), "{ended:?}");
    }
}

#[test]
fn a_peer_that_does_not_answer_is_cut_in_time_and_was_told() {
    let (process, address) = listen(&["--drain", "200ms"]);
    let mut client = Client::open(&address, "");
    process.event("open");
    process.signal("TERM");
    assert_eq!(client.closed().0, 1001);
    let ending = process.event("ending");
    assert_eq!(
        (&ending["cause"], &ending["code"]),
        (&"drained".into(), &1006.into())
    );
    assert_eq!(ending["sent"]["code"], 1001);
    let drained = process.event("drained");
    assert_eq!(
        (&drained["cut"], &drained["unsent"]),
        (&1.into(), &0.into())
    );
    assert_eq!(process.end().exit, Some(0));
}

#[test]
fn a_second_signal_shortens_the_time() {
    let (process, address) = listen(&["--drain", "1h"]);
    let mut client = Client::open(&address, "");
    process.event("open");
    process.signal("TERM");
    assert_eq!(client.closed().0, 1001);
    process.signal("TERM");
    assert_eq!(process.event("ending")["cause"], "drained");
    assert_eq!(process.event("drained")["cut"], 1);
    assert_eq!(process.end().exit, Some(0));
}

#[test]
fn a_client_is_told_when_to_return_and_a_new_one_to_wait() {
    let (process, address) = listen(&["--restart"]);
    let mut client = Client::open(&address, "");
    process.event("open");
    process.signal("TERM");
    let (code, reason) = client.closed();
    assert_eq!(code, 1012);
    let slot = reason.strip_prefix("service restart [after=").unwrap();
    assert!(slot.ends_with("ms]"), "{reason}");
    // The first one has not answered, so the server is still there.
    let head = Client::tcp(&address).request("");
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("\r\nRetry-After: "), "{head}");
    client.close(1012);
    drop(client);
    process.event("ending");
    process.event("ending");
    assert_eq!(process.event("drained")["refused"], 1);
    assert_eq!(process.end().exit, Some(0));
}

#[test]
fn an_address_that_cannot_be_used_is_1_or_2() {
    let (_process, address) = listen(&[]);
    let ended = Process::start(&["listen", &address]).end();
    assert_eq!(ended.exit, Some(1));
    let message = format!("error: cannot listen on {address}: ");
    assert!(ended.stderr.starts_with(&message), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: another program listens there"));

    let ended = Process::start(&["listen", "nonsense"]).end();
    assert_eq!(ended.exit, Some(2));
    assert!(
        ended
            .stderr
            .contains("invalid value 'nonsense' for '[ADDR]': expected an address and a port"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_code_that_may_not_be_sent_is_no_code_to_close_with() {
    for code in ["1006", "1010", "999", "bye"] {
        let ended = Process::start(&["listen", "--close", code]).end();
        assert_eq!(ended.exit, Some(2), "{code}");
        assert!(ended.stderr.contains("invalid value"), "{}", ended.stderr);
    }
}

#[test]
fn the_log_has_a_line_for_everything() {
    let process = Process::start(&["listen", "127.0.0.1:0"]);
    let listening = process.line();
    let (_, address) = listening.split_once("listening on ws://").unwrap();
    let mut client = Client::open(address.trim_end_matches('/'), "");
    assert!(process.line().contains(" #1 opened from 127.0.0.1:"));
    client.send(1, "sal\u{7}ut\n".as_bytes());
    assert!(
        process
            .line()
            .ends_with(" #1 text, 7 bytes: sal\\u{7}ut\\n")
    );
    client.send(2, b"\x00\xff");
    assert!(process.line().ends_with(" #1 binary, 2 bytes: 00 ff"));
    client.close(1000);
    assert_eq!(client.closed().0, 1000);
    drop(client);
    let ending = process.line();
    assert!(
        ending.ends_with(": 1000 Normal Closure: the peer closed first, we answered"),
        "{ending}"
    );
    process.signal("TERM");
    let ended = process.end();
    assert!(
        ended.stdout[0].contains("stopped: 0 connections"),
        "{ended:?}"
    );
}

#[test]
fn tls_is_trusted_with_ca_and_insecure_and_not_otherwise() {
    let pem = Pem::new();
    let (cert, key) = (pem.cert(), pem.key());
    let (process, address) = listen(&["--echo", "--tls-cert", &cert, "--tls-key", &key]);
    let url = format!("wss://localhost:{}", address.rsplit(':').next().unwrap());

    let once = ["connect", &url, "--send", "x", "--no-reconnect"];
    let untrusted = Process::start(&[&once, &["--json"][..]].concat()).end();
    assert_eq!(untrusted.exit, Some(4));
    assert!(
        untrusted.stdout[0].contains("\"code\":1015"),
        "{untrusted:?}"
    );
    assert!(untrusted.stdout[0].contains("\"cause\":\"tls-failed\""));
    let ending = process.event("ending");
    assert_eq!(
        (&ending["cause"], &ending["code"]),
        (&"tls-failed".into(), &1015.into())
    );

    for trust in [&["--insecure"][..], &["--ca", &cert]] {
        let trusted = Process::start(&[&once, trust].concat()).end();
        assert_eq!(
            (trusted.exit, &trusted.stdout[..]),
            (Some(0), &["x".to_owned()][..])
        );
        let warned = trusted.stderr.contains("is not checked (--insecure)");
        assert_eq!(warned, trust == ["--insecure"]);
        for event in ["open", "message", "ending"] {
            process.event(event);
        }
    }
    stop(process);
}

#[test]
fn an_authority_may_come_by_a_pipe() {
    let pem = Pem::new();
    let (cert, key) = (pem.cert(), pem.key());
    let (process, address) = listen(&["--tls-cert", &cert, "--tls-key", &key]);
    let url = format!("wss://localhost:{}", address.rsplit(':').next().unwrap());
    let mut child = command(&["diagnose", &url, "--json", "--ca", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&std::fs::read(&cert).unwrap()).unwrap();
    drop(stdin);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    drop(process);
}

#[test]
fn a_hangup_reads_the_certificate_again() {
    let pem = Pem::new();
    let (cert, key) = (pem.cert(), pem.key());
    let (process, address) = listen(&["--echo", "--tls-cert", &cert, "--tls-key", &key]);
    let url = format!("wss://localhost:{}", address.rsplit(':').next().unwrap());
    let once = [
        "connect",
        &url,
        "--send",
        "x",
        "--ca",
        &cert,
        "--no-reconnect",
    ];
    let connect = || Process::start(&once).end();
    assert_eq!(connect().exit, Some(0));
    pem.renew();
    assert_eq!(
        connect().exit,
        Some(4),
        "the server still shows the old one"
    );
    process.signal("HUP");
    process.note("the certificate was read again");
    assert_eq!(connect().exit, Some(0));
}

#[test]
fn a_certificate_that_cannot_be_used_is_1() {
    let pem = Pem::new();
    let (cert, key) = (pem.cert(), pem.key());
    for (cert, key, words) in [
        (
            "/nonexistent.pem",
            &*key,
            "--tls-cert: cannot read /nonexistent.pem",
        ),
        (
            &cert,
            "/nonexistent.pem",
            "--tls-key: cannot read /nonexistent.pem",
        ),
        (&cert, &cert, "unusable"),
    ] {
        let ended = Process::start(&["listen", "--tls-cert", cert, "--tls-key", key]).end();
        assert_eq!(ended.exit, Some(1));
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    let ended = Process::start(&["listen", "--tls-cert", &cert]).end();
    assert_eq!(ended.exit, Some(2), "both or neither");
}

#[test]
fn a_closed_pipe_stops_the_server_with_0() {
    let mut child = command(&["listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    let (_, address) = line.trim_end().split_once("ws://").unwrap();
    let mut client = Client::open(address.trim_end_matches('/'), "");
    // A process that another test is about to start may have the pipe for a moment: then a later line finds it
    // closed.
    let closed = loop {
        client.send(1, b"x");
        match client.receive() {
            (8, payload) => break payload,
            _ => continue,
        }
    };
    assert_eq!(closed[..2], 1001_u16.to_be_bytes());
    client.close(1001);
    drop(client);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

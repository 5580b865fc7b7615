//! `serve` as its operator sees it: the access log, and `ctl`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::support::fields::{documented, keys};
use crate::support::{Client, Peer, Process, Server, command, run};

/// A gateway and its backend.
struct Gateway {
    process: Process,
    backend: Server,
    address: String,
}

impl Gateway {
    fn start(args: &[&str]) -> Self {
        let backend = Server::new();
        let upstream = backend.url();
        let upstream = upstream.strip_suffix("/chat").unwrap();
        let common = ["serve", "--listen", "127.0.0.1:0", "--upstream", upstream];
        let common = [&common[..], &["--route-mode", "hold"]].concat();
        let process = Process::start(&[&common[..], args].concat());
        let note = process.next_note();
        let address = note.strip_prefix("listening on ").expect(&note);
        let address = address.split(',').next().unwrap().to_owned();
        Self {
            process,
            backend,
            address,
        }
    }

    /// Where `ctl` finds it.
    fn socket(&self) -> String {
        let note = self.process.next_note();
        let place = note.strip_prefix("admin interface at ").expect(&note);
        place.to_owned()
    }

    fn connect(&self) -> (Client, Peer) {
        let address = self.address.clone();
        let fields = "User-Agent: node\r\nCookie: session=secret\r\n";
        let client = thread::spawn(move || Client::open(&address, fields));
        let peer = self.backend.open();
        (client.join().unwrap(), peer)
    }

    /// The next line of stdout.
    fn logged(&self) -> Value {
        let line = self.process.line();
        serde_json::from_str(&line).expect(&line)
    }

    /// `ctl` with XDG_RUNTIME_DIR as it is for the gateway.
    fn ctl(&self, args: &[&str]) -> Output {
        let mut command = command(&[&["ctl"], args].concat());
        command.env("XDG_RUNTIME_DIR", self.process.runtime_dir());
        command.output().unwrap()
    }

    fn ctl_json(&self, args: &[&str]) -> Value {
        let output = self.ctl(&[args, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn end(client: &mut Client, peer: &mut Peer, code: u16) {
    client.close(code);
    assert_eq!(peer.closed(), code);
    peer.close(code, "");
    assert_eq!(client.closed().0, code);
}

#[test]
fn the_access_log_prints_documented_objects() {
    let gateway = Gateway::start(&["--json"]);
    let (mut client, mut peer) = gateway.connect();
    peer.close(1012, "deploying");
    assert_eq!(peer.closed(), 1012);
    let mut peer = gateway.backend.open();
    client.send(1, b"still here");
    assert_eq!(peer.text(), "still here");
    end(&mut client, &mut peer, 1000);
    let line = gateway.logged();
    assert_eq!(keys(&line), documented("connection"));
    assert_eq!(keys(&line["from_client"]), documented("sum"));
    for side in ["client", "backend"] {
        assert_eq!(keys(&line[side]), documented("ending"), "{side}");
        assert_eq!(line[side]["code"], 1000, "{line}");
    }
    assert_eq!((&line["holds"], &line["backends"]), (&json!(1), &json!(2)));
    assert!(!line.to_string().contains("secret"), "{line}");

    let head = Client::tcp(&gateway.address).request("Sec-WebSocket-Key: another\r\n");
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    let line = gateway.logged();
    assert_eq!(keys(&line), documented("request"));
    assert_eq!(
        (&line["status"], &line["websocket"]),
        (&json!(400), &json!(true))
    );
}

#[test]
fn the_access_log_is_for_people_too() {
    let gateway = Gateway::start(&[]);
    let (mut client, mut peer) = gateway.connect();
    client.send(1, b"one");
    assert_eq!(peer.text(), "one");
    end(&mut client, &mut peer, 1000);
    let line = gateway.process.line();
    assert!(line.contains(" /chat: "), "{line}");
    assert!(
        line.contains(", 1 message (17 bytes) from the client, "),
        "{line}"
    );
    assert!(line.contains(", route /, request "), "{line}");
    let endings = "; client: 1000 Normal Closure: the peer closed first, we answered; backend: 1000 \
                   Normal Closure: we closed with 1000 Normal Closure, the peer answered";
    assert!(line.ends_with(endings), "{line}");
}

#[test]
fn what_is_not_wanted_is_not_logged() {
    for (logs, lines) in [("none", 0), ("connections", 1)] {
        let gateway = Gateway::start(&["--access-log", logs]);
        let (mut client, mut peer) = gateway.connect();
        end(&mut client, &mut peer, 1000);
        Client::tcp(&gateway.address).write(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n");
        gateway.process.signal("TERM");
        assert_eq!(gateway.process.end().stdout.len(), lines, "{logs}");
    }
}

#[test]
fn a_stdout_that_nobody_reads_holds_up_neither_requests_nor_the_end() {
    let mut gateway = command(&["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
        .args(["--upstream", "ws://127.0.0.1:1", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut note = String::new();
    let mut stderr = BufReader::new(gateway.stderr.take().unwrap());
    stderr.read_line(&mut note).unwrap();
    let address = note.strip_prefix("listening on ").expect(&note);
    let address = address.split(',').next().unwrap();
    // More lines than any pipe holds: each one has a User-Agent of 512 bytes.
    let user_agent = "x".repeat(512);
    for _ in 0..300 {
        let fields = format!("Sec-WebSocket-Key: another\r\nUser-Agent: {user_agent}\r\n");
        let head = Client::tcp(address).request(&fields);
        assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    }
    let kill = format!("kill -s TERM {}", gateway.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(gateway.wait().unwrap().code(), Some(0));
}

#[test]
fn ctl_shows_and_ends_connections() {
    let gateway = Gateway::start(&["--json"]);
    gateway.socket();
    let (mut client, mut peer) = gateway.connect();
    let listed = gateway.ctl_json(&["list"]);
    assert_eq!(keys(&listed), documented("listed"));
    assert_eq!(listed["user_agent"], "node");
    let status = gateway.ctl_json(&["status"]);
    assert_eq!(keys(&status), documented("status"));
    assert_eq!(keys(&status["upstreams"][0]), documented("upstream"));
    assert_eq!(status["connections"], 1);

    let id = listed["id"].as_str().unwrap();
    let table = gateway.ctl(&["list"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.lines().nth(1).unwrap().starts_with(id), "{table}");
    let ended = gateway.ctl_json(&["end", id, "--code", "4000", "--reason", "enough"]);
    assert_eq!(keys(&ended), documented("ended"));
    assert_eq!(client.closed(), (4000, "enough".to_owned()));
    assert_eq!(peer.closed(), 4000);
    client.close(4000);
    peer.close(4000, "");
    assert_eq!(gateway.logged()["id"], id);

    let again = gateway.ctl(&["end", "17", "--code", "4000"]);
    assert_eq!(again.status.code(), Some(1));
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(
        said.starts_with("error: there is no such connection\nhint: "),
        "{said}"
    );
}

#[test]
fn ctl_drains_as_a_signal_does() {
    let gateway = Gateway::start(&["--json"]);
    let place = gateway.socket();
    let (mut client, mut peer) = gateway.connect();
    let begun = gateway.ctl_json(&["drain", "--restart", "--admin", &place]);
    assert_eq!(begun, json!({"connections": 1}));
    assert_eq!(keys(&begun), documented("drain"));
    let (code, reason) = client.closed();
    assert_eq!(code, 1012);
    assert!(reason.contains("[after="), "{reason}");
    client.close(1012);
    assert_eq!(peer.closed(), 1012);
    peer.close(1012, "");
    let socket = gateway.process.runtime_dir().join("revoir/admin.sock");
    assert!(place.ends_with(socket.to_str().unwrap()), "{place}");
    let runtime = gateway.process.runtime_dir().to_owned();
    let ended = gateway.process.end();
    assert_eq!(ended.exit, Some(0), "{ended:?}");
    // The line of the last connection is not lost.
    assert!(
        ended
            .stdout
            .iter()
            .any(|line| line.contains("\"connection\"")),
        "{ended:?}"
    );
    drop(runtime);
}

#[test]
fn ctl_says_what_is_wrong() {
    let missing = run(&["ctl", "status", "--admin", "unix:/nonexistent/admin.sock"]);
    assert!(missing.starts_with("exit: 1\n"), "{missing}");
    assert!(
        missing.contains("no gateway listens at unix:/nonexistent/admin.sock"),
        "{missing}"
    );
    assert!(missing.contains("hint: start `revoir serve`"), "{missing}");
    for (code, part) in [
        ("1006", "never sent in a Close frame"),
        ("1010", "for clients only"),
        ("2000", "may not stand in a Close frame; use 1000-1003, "),
        ("bye", "expected a number"),
    ] {
        let said = run(&["ctl", "end", "5f3a90c1-17", "--code", code]);
        assert!(said.starts_with("exit: 2\n"), "{said}");
        assert!(said.contains(part), "{said}");
    }
    let said = run(&["ctl", "end", "../x", "--code", "4000"]);
    assert!(said.starts_with("exit: 2\n"), "{said}");
}

#[test]
fn an_admin_interface_is_not_opened_to_other_machines_by_mistake() {
    let serve = ["serve", "--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0"];
    let said = run(&serve);
    assert!(said.starts_with("exit: 1\n"), "{said}");
    assert!(said.contains("--metrics 0.0.0.0:0"), "{said}");
    assert!(said.contains("--admin-host"), "{said}");
    // With a name it is no mistake.
    let process = Process::start(&[&serve[..], &["--admin-host", "gateway"]].concat());
    process.next_note();
    assert!(
        process
            .next_note()
            .starts_with("admin interface at http://0.0.0.0:")
    );
    process.signal("TERM");
    assert_eq!(process.end().exit, Some(0));
}

#[test]
fn a_plain_request_in_flight_is_answered_after_sigterm() {
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = format!("ws://{}", backend.local_addr().unwrap());
    let serve = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream];
    let process = Process::start(&[&serve[..], &["--metrics", "127.0.0.1:0"]].concat());
    let note = process.next_note();
    let metrics = loop {
        let note = process.next_note();
        if let Some(at) = note.strip_prefix("metrics at http://") {
            break at.strip_suffix("/metrics").expect(&note).to_owned();
        }
    };
    let address = note.strip_prefix("listening on ").expect(&note);
    let mut client = TcpStream::connect(address.split(',').next().unwrap()).unwrap();
    client
        .write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let (mut asked, _) = backend.accept().unwrap();
    let mut head = BufReader::new(asked.try_clone().unwrap()).lines();
    while !head.next().unwrap().unwrap().is_empty() {}
    process.signal("TERM");
    // A drain has begun once it is not ready any more.
    let mut ready = String::new();
    while !ready.starts_with("HTTP/1.1 503 ") {
        ready.clear();
        let mut probe = TcpStream::connect(&metrics).unwrap();
        let ask = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        probe.write_all(ask).unwrap();
        probe.read_to_string(&mut ready).unwrap();
    }
    asked
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("ok"), "{answer}");
    assert_eq!(process.end().exit, Some(0));
}

#[test]
fn the_access_log_names_the_client_behind_a_proxy_and_its_request() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoir.toml");
    std::fs::write(&path, "trusted-proxies = [\"127.0.0.0/8\"]\n").unwrap();
    let gateway = Gateway::start(&["--json", "--config", path.to_str().unwrap()]);
    let address = gateway.address.clone();
    let fields = "X-Forwarded-For: 192.0.2.7\r\nX-Request-Id: 7f3a-1\r\n";
    let client = thread::spawn(move || Client::open(&address, fields));
    let mut peer = gateway.backend.open();
    end(&mut client.join().unwrap(), &mut peer, 1000);
    let line = gateway.logged();
    for (field, expected) in [
        ("client_ip", "192.0.2.7"),
        ("request_id", "7f3a-1"),
        ("route", "/"),
    ] {
        assert_eq!(line[field], expected, "{field}: {line}");
    }
    assert!(
        line["peer"].as_str().unwrap().starts_with("127.0.0.1:"),
        "{line}"
    );
    assert!(line["handshake_ms"].is_u64(), "{line}");

    // What is no request has a line as well.
    let mut client = TcpStream::connect(&gateway.address).unwrap();
    client.write_all(b"no HTTP\x9b\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let line = gateway.logged();
    assert_eq!(keys(&line), documented("request"));
    assert_eq!(
        (&line["status"], &line["method"]),
        (&json!(400), &json!(""))
    );
    assert_eq!(
        (&line["request_id"], &line["route"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn ctl_asks_where_the_environment_says_and_nowhere_else() {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = command(&["ctl", "status"]);
    command.env("XDG_RUNTIME_DIR", elsewhere.path());
    let asked = command.output().unwrap();
    assert_eq!(asked.status.code(), Some(1));
    let said = String::from_utf8(asked.stderr).unwrap();
    let socket = elsewhere.path().join("revoir/admin.sock");
    let problem = format!("error: no gateway listens at unix:{} (", socket.display());
    assert!(said.starts_with(&problem), "{said}");
    assert!(!said.contains(" or unix:"), "{said}");
}

#[test]
fn a_backup_is_named_as_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoir.toml");
    let text = "listen = [\"127.0.0.1:0\"]\n[[route]]\nupstreams = [\"ws://127.0.0.1:1\"]\n\
                backups = [\"ws://127.0.0.1:2\"]\n";
    std::fs::write(&path, text).unwrap();
    let process = Process::start(&["serve", "--config", path.to_str().unwrap()]);
    let note = process.next_note();
    assert!(
        note.ends_with(", in front of 127.0.0.1:1, 127.0.0.1:2 (backup)"),
        "{note}"
    );
    process.next_note();
    let mut command = command(&["ctl", "status"]);
    command.env("XDG_RUNTIME_DIR", process.runtime_dir());
    let status = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(status.contains("backup         127.0.0.1:2: "), "{status}");
    process.signal("TERM");
    let ended = process.end();
    assert!(
        ended
            .stderr
            .starts_with("0 connections; 0 requests refused; "),
        "{ended:?}"
    );
}

//! What `serve` says on stderr when something goes wrong.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

use crate::support::fields::{documented, keys};
use crate::support::{Process, nobody};

/// Where it listens, after which it says where its admin interface is.
fn started(process: &Process) -> String {
    let note = process.next_note();
    process.next_note();
    let address = note.strip_prefix("listening on ").expect(&note);
    address.split(',').next().unwrap().to_owned()
}

/// The status of the answer to a GET.
fn get(address: &str) -> String {
    let mut client = TcpStream::connect(address).unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    client.write_all(request).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Answers one request, on a new connection.
fn answer(backend: &TcpListener, with: &[u8]) {
    let (mut stream, _) = backend.accept().unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    stream.write_all(with).unwrap();
}

/// Reads the head of a request.
fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
}

/// A backend that says how many requests it has, and answers them all once that is said.
struct Backend {
    address: String,
    asked: Receiver<TcpStream>,
}

impl Backend {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, asked) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                read_head(&mut stream);
                if sender.send(stream).is_err() {
                    return;
                }
            }
        });
        Self { address, asked }
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

#[cfg(unix)]
#[test]
fn where_files_run_out_whoever_is_in_is_served_and_the_others_are_told() {
    const CLIENTS: usize = 100;
    let backend = Backend::start();
    let upstream = format!("ws://{}", backend.address);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream];
    let process = Process::with_files(60, &serve);
    let address = started(&process);
    let note = process.next_note();
    let rest = note.strip_prefix("this process may have 60 files open, which is enough for ");
    let (room, way_out) = rest.expect(&note).split_once(' ').unwrap();
    let room: usize = room.parse().unwrap();
    assert!(
        (10..25).contains(&room) && way_out.contains("ulimit -n"),
        "{note}"
    );
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut client = TcpStream::connect(&address).unwrap();
            thread::spawn(move || {
                // Whoever is turned away may be so before it has asked.
                let _ = client.write_all(REQUEST);
                let mut answer = Vec::new();
                let _ = client.read_to_end(&mut answer);
                String::from_utf8(answer).unwrap()
            })
        })
        .collect();
    let in_it: Vec<_> = (0..room).map(|_| backend.asked.recv().unwrap()).collect();
    let line = process.next_note();
    for part in [
        " error: no more clients are taken",
        "ulimit -n",
        " limit=60 ",
        &format!(" clients={room}"),
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    // One second later, and not one line for each attempt.
    let line = process.next_note();
    assert!(line.contains(" more like this: no more clients"), "{line}");
    for mut stream in in_it {
        stream.write_all(NO_CONTENT).unwrap();
    }
    let mut served = 0;
    for client in clients {
        let answer = client.join().unwrap();
        match answer.starts_with("HTTP/1.1 204 ") {
            true => served += 1,
            false => assert!(
                answer.starts_with("HTTP/1.1 503 ") && answer.contains("Retry-After: "),
                "{answer:?}"
            ),
        }
    }
    assert_eq!(served, room);
    process.signal("TERM");
    let ended = process.end();
    assert_eq!(ended.exit, Some(0));
    assert!(
        !ended.stderr.contains("cannot be reached"),
        "{}",
        ended.stderr
    );
}

/// How many sockets a process has open.
#[cfg(target_os = "linux")]
fn sockets(process: &Process) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap();
    // One may be closed meanwhile.
    let links = open.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    links
        .filter(|link| link.to_string_lossy().starts_with("socket:"))
        .count()
}

/// The number that the next file of a process gets.
#[cfg(target_os = "linux")]
fn next_file(process: &Process) -> usize {
    let open = std::path::PathBuf::from(format!("/proc/{}/fd", process.id()));
    let is_open = |number: &usize| open.join(number.to_string()).symlink_metadata().is_ok();
    (0..).find(|number| !is_open(number)).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_dial_without_a_file_for_it_is_no_fault_of_the_upstream() {
    let backend = Backend::start();
    let upstream = format!("ws://{}", backend.address);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream];
    let process = Process::start(&serve);
    let address = started(&process);
    let before = sockets(&process);
    let mut client = TcpStream::connect(&address).unwrap();
    while sockets(&process) == before {
        thread::yield_now();
    }
    let limit = next_file(&process);
    process.limit_files(limit);
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut answer = [0; 512];
    let count = client.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..count]);
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.to_lowercase().contains("retry-after: "), "{answer}");
    let line = process.next_note();
    for part in [
        " error: no connection to an upstream can be made, because this process",
        "ulimit -n",
        "os error 24",
        &format!(" limit={limit}"),
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    // It is not left alone: it never was away.
    process.limit_files(64);
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    backend.asked.recv().unwrap().write_all(NO_CONTENT).unwrap();
    let mut answer = [0; 512];
    let count = client.read(&mut answer).unwrap();
    assert!(answer[..count].starts_with(b"HTTP/1.1 204 "));
    drop(client);
    process.signal("TERM");
    let ended = process.end();
    assert!(!ended.stderr.contains("reached"), "{}", ended.stderr);
}

#[test]
fn an_upstream_that_is_away_is_told_of_once_and_again_when_it_is_back() {
    let address = nobody().to_string();
    let upstream = format!("ws://{address}");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream];
    let process = Process::start(&serve);
    let gateway = started(&process);
    for _ in 0..3 {
        assert_eq!(get(&gateway), "503");
    }
    let line = process.next_note();
    let upstream = format!(" warn: the upstream cannot be reached upstream={address} error=");
    assert!(line.contains(&upstream), "{line}");
    assert!(line.contains("refused"), "{line}");
    let backend = TcpListener::bind(&address).unwrap();
    let client = thread::spawn(move || get(&gateway));
    answer(&backend, b"HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(client.join().unwrap(), "204");
    let line = process.next_note();
    let back = format!(" warn: the upstream is reached again upstream={address}");
    assert!(line.ends_with(&back), "{line}");
}

/// The system connects in the name of a process that is being killed, and has just been away for others.
#[test]
fn an_upstream_that_breaks_off_is_not_reached_again() {
    let address = nobody().to_string();
    let upstream = format!("ws://{address}");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream];
    let process = Process::start(&serve);
    let gateway = started(&process);
    assert_eq!(get(&gateway), "503");
    let line = process.next_note();
    assert!(
        line.contains(" warn: the upstream cannot be reached "),
        "{line}"
    );
    let backend = TcpListener::bind(&address).unwrap();
    let client = thread::spawn(move || crate::support::Client::tcp(&gateway).request(""));
    read_head(&mut backend.accept().unwrap().0);
    drop(backend);
    let line = process.next_note();
    assert!(line.contains(" warn: the backend broke off: "), "{line}");
    process.signal("TERM");
    assert!(client.join().unwrap().starts_with("HTTP/1.1 503 "));
    let ended = process.end();
    assert!(!ended.stderr.contains("reached again"), "{}", ended.stderr);
}

#[test]
fn every_line_may_be_json() {
    let address = nobody().to_string();
    let upstream = format!("ws://{address}");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream];
    let process = Process::start(&[&serve[..], &["--log-format", "json"]].concat());
    let next = || -> Value { serde_json::from_str(&process.next_note()).unwrap() };
    let note = next();
    assert_eq!(keys(&note), documented("log"));
    assert_eq!(
        (&note["event"], &note["level"]),
        (&"log".into(), &"info".into())
    );
    let listening = note["message"].as_str().unwrap();
    let gateway = listening.strip_prefix("listening on ").unwrap();
    let gateway = gateway.split(',').next().unwrap();
    next();
    assert_eq!(get(gateway), "503");
    let line = next();
    assert_eq!(line["level"], "warn");
    assert_eq!(line["upstream"], address);
    assert!(
        line["error"].as_str().unwrap().contains("refused"),
        "{line}"
    );
    process.signal("TERM");
    let ended = process.end();
    for line in ended.stderr.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["event"], "log");
    }
}

#[test]
fn nothing_is_said_that_is_not_wanted() {
    let upstream = format!("ws://{}", nobody());
    let serve = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream];
    let process = Process::start(&[&serve[..], &["--log", "off"]].concat());
    assert_eq!(get(&started(&process)), "503");
    process.signal("TERM");
    let ended = process.end();
    assert_eq!(ended.exit, Some(0));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn a_nonsense_answer_of_an_upstream_is_told_of() {
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = backend.local_addr().unwrap();
    let upstream = format!("ws://{address}");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream];
    let process = Process::start(&serve);
    let gateway = started(&process);
    let client = thread::spawn(move || crate::support::Client::tcp(&gateway).request(""));
    answer(
        &backend,
        b"HTTP/1.1 101 \x9b31m\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    );
    assert!(client.join().unwrap().starts_with("HTTP/1.1 502 "));
    let line = process.next_note();
    assert!(
        line.contains(" warn: the backend's handshake is invalid: "),
        "{line}"
    );
    assert!(line.contains(&format!("upstream={address}")), "{line}");
    assert!(!line.contains(char::is_control), "{line}");
}

#[test]
fn metrics_at_an_address_in_use_fail_before_anything_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--metrics", &taken];
    let process = Process::start(&serve);
    let ended = process.end();
    assert_eq!(ended.exit, Some(1));
    assert!(
        ended.stderr.starts_with("error: --metrics: "),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_malformed_proxy_header_is_told_from_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoir.toml");
    let text = "listen = ['127.0.0.1:0']\n[proxy-protocol]\nfrom = ['127.0.0.1']\n\
                [[route]]\nupstreams = ['ws://127.0.0.1:1']\n";
    std::fs::write(&path, text).unwrap();
    let process = Process::start(&["serve", "--config", path.to_str().unwrap()]);
    let gateway = started(&process);
    for (sent, said) in [
        (&b"PROXY TCP4 nonsense\r\n"[..], "is malformed"),
        (
            b"PROXY TCP4 192.0",
            "closed before its PROXY header was whole",
        ),
    ] {
        let mut client = TcpStream::connect(&gateway).unwrap();
        client.write_all(sent).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let line = process.next_note();
        assert!(line.contains(" warn: ") && line.contains(said), "{line}");
    }
}

#[test]
fn several_listeners_are_one_line_and_each_upstream_is_named_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("revoir.toml");
    let text = "listen = ['127.0.0.1:0', 'unix:a.sock']\n\
                [[route]]\nupstreams = ['ws://127.0.0.1:1']\n\
                [[route]]\npath = '/b'\nupstreams = ['ws://127.0.0.1:1', 'ws://127.0.0.1:2']\n";
    std::fs::write(&path, text).unwrap();
    let process = Process::start(&["serve", "--config", path.to_str().unwrap()]);
    let note = process.next_note();
    assert!(note.contains(" and unix:"), "{note}");
    assert!(
        note.ends_with("a.sock, in front of 127.0.0.1:1, 127.0.0.1:2"),
        "{note}"
    );
}

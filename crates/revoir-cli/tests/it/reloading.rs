//! `serve` that reads its configuration again.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::fields::{documented, keys};
use crate::support::{Client, Peer, Process, Server, command};

/// A gateway with a file.
struct Gateway {
    process: Process,
    address: String,
    path: PathBuf,
    _directory: TempDir,
}

impl Gateway {
    /// `file` without where it listens.
    fn start(file: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("revoir.toml");
        fs::write(&path, text(file)).unwrap();
        let config = path.to_str().unwrap();
        let process = Process::start(&["serve", "--config", config, "--access-log", "none"]);
        let note = process.next_note();
        let address = note.strip_prefix("listening on ").expect(&note);
        let address = address.split(',').next().unwrap().to_owned();
        let note = process.next_note();
        assert!(note.starts_with("admin interface at "), "{note}");
        Self {
            process,
            address,
            path,
            _directory: directory,
        }
    }

    fn write(&self, file: &str) {
        fs::write(&self.path, text(file)).unwrap();
    }

    /// Has it read the file again by a signal. What it says of that.
    fn hang_up(&self) -> String {
        self.process.signal("HUP");
        self.process.next_note()
    }

    fn reload(&self, args: &[&str]) -> Output {
        let mut command = command(&[&["ctl", "reload"], args].concat());
        command.env("XDG_RUNTIME_DIR", self.process.runtime_dir());
        command.output().unwrap()
    }

    fn connect(&self, backend: &Server) -> (Client, Peer) {
        let address = self.address.clone();
        let client = thread::spawn(move || Client::open(&address, ""));
        let peer = backend.open();
        (client.join().unwrap(), peer)
    }
}

fn text(file: &str) -> String {
    format!("listen = ['127.0.0.1:0']\n{file}")
}

/// A route to these.
fn route(backends: &[&Server], more: &str) -> String {
    let urls = backends.iter().map(|backend| backend.url());
    let urls: Vec<_> = urls
        .map(|url| format!("'{}'", url.strip_suffix("/chat").unwrap()))
        .collect();
    format!(
        "{more}\n[[route]]\nmode = 'hold'\nupstreams = [{}]\n",
        urls.join(", ")
    )
}

#[test]
fn a_drain_is_as_the_file_says_now() {
    let backend = Server::new();
    let gateway = Gateway::start(&route(&[&backend], ""));
    let (mut client, mut peer) = gateway.connect(&backend);
    gateway.write(&route(&[&backend], "[drain]\nrestart = true"));
    let said = gateway.hang_up();
    let expected =
        "reloaded: 1 route as before, 0 changed, 0 new; 0 connections to move, 0 to come back";
    assert_eq!(said, expected);
    gateway.process.signal("TERM");
    let (code, reason) = client.closed();
    assert_eq!(code, 1012, "{reason}");
    client.close(1012);
    assert_eq!(peer.closed(), 1012);
    peer.close(1012, "");
    assert_eq!(gateway.process.end().exit, Some(0));
}

#[test]
fn what_needs_a_restart_is_said() {
    let backend = Server::new();
    let gateway = Gateway::start(&route(&[&backend], ""));
    let more = "access-log = 'connections'\nlog-format = 'json'\n[admin]\nhosts = ['a.example']";
    gateway.write(&route(&[&backend], more));
    let said = gateway.hang_up();
    // The command line says what is logged.
    assert!(
        said.ends_with("; a restart is needed for log-format, admin.hosts"),
        "{said}"
    );
    let answer = gateway.reload(&["--json"]);
    assert_eq!(answer.status.code(), Some(0), "{answer:?}");
    let line: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(keys(&line), documented("reloaded"));
    assert_eq!(line["needs_restart"], json!(["log-format", "admin.hosts"]));
    assert_eq!(gateway.process.next_note(), said);
    let answer = gateway.reload(&[]);
    assert_eq!(
        String::from_utf8(answer.stdout).unwrap(),
        said.clone() + "\n"
    );
    assert_eq!(gateway.process.next_note(), said);
}

#[test]
fn a_file_with_a_mistake_changes_nothing_and_ctl_says_so() {
    let backend = Server::new();
    let gateway = Gateway::start(&route(&[&backend], ""));
    let (mut client, mut peer) = gateway.connect(&backend);
    gateway.write("[limits]\nsockets = 'some'");
    let answer = gateway.reload(&[]);
    assert_eq!(answer.status.code(), Some(1), "{answer:?}");
    let said = String::from_utf8(answer.stderr).unwrap();
    assert!(said.contains("limits.sockets"), "{said}");
    client.send(1, b"still here");
    assert_eq!(peer.text(), "still here");
}

#[test]
fn upstreams_come_and_go_and_clients_stay() {
    let (first, second) = (Server::new(), Server::new());
    let gateway = Gateway::start(&route(&[&first], ""));
    let (mut client, mut peer) = gateway.connect(&first);
    gateway.write(&route(&[&first, &second], ""));
    let said = gateway.hang_up();
    assert!(
        said.contains("1 changed, 0 new; 0 connections to move"),
        "{said}"
    );
    client.send(1, b"one");
    assert_eq!(peer.text(), "one");
    let (mut other, mut other_peer) = gateway.connect(&second);
    gateway.write(&route(&[&second], ""));
    let answer = gateway.reload(&[]);
    let said = String::from_utf8(answer.stdout).unwrap();
    assert!(
        said.contains("; 1 connection to move, 0 to come back"),
        "{said}"
    );
    assert_eq!(peer.closed(), 1001);
    client.send(1, b"two");
    peer.close(1001, "");
    let mut peer = second.open();
    assert_eq!(peer.text(), "two");
    peer.send(1, b"answer");
    assert_eq!(client.receive(), (1, b"answer".to_vec()));
    other.send(1, b"never moved");
    assert_eq!(other_peer.text(), "never moved");
}

//! `revoir serve` without a backend, and a client that shows all of an answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::{Ended, Process};

/// A server of the reference on a port of its own.
#[derive(Debug)]
pub(crate) struct Reference {
    process: Process,
    address: String,
}

/// An answer as it travelled.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reference {
    pub(crate) fn start() -> Self {
        let process = Process::start(&["serve", "--listen", "127.0.0.1:0"]);
        let note = process.next_note();
        let address = note
            .strip_prefix("the reference is at http://")
            .and_then(|rest| rest.strip_suffix('/'));
        let address = address.expect(&note).to_owned();
        Self { process, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.parse().unwrap()
    }

    /// Asks for a path, with more fields, each a line with its end.
    pub(crate) fn get(&self, path: &str, fields: &str) -> Response {
        self.ask("GET", path, fields)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, fields: &str) -> Response {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{fields}\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let body = bytes.split_off(end + 4);
        let head = String::from_utf8(bytes).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Response { status, head, body }
    }

    /// A connection that is kept open after one answer.
    pub(crate) fn stay(&self) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!("HEAD /en/ HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).unwrap();
        let mut first = [0; 15];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        stream
    }

    /// Sends a signal, and waits for the end.
    pub(crate) fn stop(self, signal: &str) -> Ended {
        self.process.signal(signal);
        self.process.end()
    }
}

impl Response {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.field("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap()
    }
}

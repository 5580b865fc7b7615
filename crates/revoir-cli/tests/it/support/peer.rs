//! A server that speaks bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use revoir_proto::handshake::{Headers, Request, ServerConfig, ServerHandshake};

use super::ports::listen;

/// It only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port that takes connections.
#[derive(Debug)]
pub(crate) struct Server(TcpListener);

impl Server {
    pub(crate) fn new() -> Self {
        Self(listen())
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/chat", self.0.local_addr().expect("it is bound"))
    }

    /// The next client, and what it asks for.
    pub(crate) fn accept(&self, config: ServerConfig) -> (Peer, Request) {
        let (mut stream, _) = self.0.accept().expect("a client");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut handshake = ServerHandshake::new(Arc::new(config));
        let mut input = BytesMut::new();
        loop {
            let mut bytes = [0; 1024];
            let count = stream.read(&mut bytes).expect("a request");
            input.extend_from_slice(&bytes[..count]);
            if let Some(request) = handshake.handle_input(&mut input).expect("a request") {
                return (Peer(stream), request);
            }
        }
    }

    /// The next client, with an open connection.
    pub(crate) fn open(&self) -> Peer {
        let (mut peer, request) = self.accept(ServerConfig::default());
        let acceptance = request.accept(&Headers::new()).expect("no headers");
        peer.write(&acceptance.response);
        peer
    }
}

/// The server's end of one connection.
#[derive(Debug)]
pub(crate) struct Peer(TcpStream);

impl Peer {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("somebody reads");
    }

    /// Sends a short frame, with FIN.
    pub(crate) fn send(&mut self, opcode: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).expect("a short payload");
        assert!(length < 126);
        self.write(&[&[0x80 | opcode, length], payload].concat());
    }

    pub(crate) fn close(&mut self, code: u16, reason: &str) {
        self.send(8, &[&code.to_be_bytes(), reason.as_bytes()].concat());
    }

    /// The opcode and the payload of the next short frame.
    pub(crate) fn receive(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 6];
        self.0.read_exact(&mut head).expect("a frame");
        let [first, length, mask @ ..] = head;
        assert!((0x80..0x80 + 126).contains(&length), "a short masked frame");
        let mut payload = vec![0; usize::from(length & 0x7f)];
        self.0.read_exact(&mut payload).expect("a payload");
        for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
        (first & 0x0f, payload)
    }

    /// The text of the next frame.
    pub(crate) fn text(&mut self) -> String {
        let (opcode, payload) = self.receive();
        assert_eq!(opcode, 1);
        String::from_utf8(payload).expect("UTF-8")
    }

    /// The code of the next frame, which is a Close frame.
    pub(crate) fn closed(&mut self) -> u16 {
        let (opcode, payload) = self.receive();
        assert_eq!(opcode, 8);
        u16::from_be_bytes([payload[0], payload[1]])
    }

    /// Ends TCP.
    pub(crate) fn fin(&self) {
        self.0.shutdown(Shutdown::Both).expect("a socket");
    }
}

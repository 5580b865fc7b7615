//! A client that speaks bytes, and files for TLS.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

/// It only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client's end of a connection.
#[derive(Debug)]
pub(crate) struct Client(TcpStream);

impl Client {
    /// TCP, and nothing else yet.
    pub(crate) fn tcp(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Self(stream)
    }

    /// An open connection; `fields` are added to the request.
    pub(crate) fn open(address: &str, fields: &str) -> Self {
        let mut client = Self::tcp(address);
        let head = client.request(fields);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client
    }

    /// The head of the answer to a request.
    pub(crate) fn request(&mut self, fields: &str) -> String {
        self.write(
            format!(
                "GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Version: 13\r\n{fields}\r\n"
            )
            .as_bytes(),
        );
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).expect("an answer");
            head.extend(byte);
        }
        String::from_utf8(head).expect("UTF-8")
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("somebody reads");
    }

    /// Sends a short frame, with FIN and a mask of zeros.
    pub(crate) fn send(&mut self, opcode: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).expect("a short payload");
        assert!(length < 126);
        self.write(&[&[0x80 | opcode, 0x80 | length, 0, 0, 0, 0], payload].concat());
    }

    pub(crate) fn close(&mut self, code: u16) {
        self.send(8, &code.to_be_bytes());
    }

    /// The opcode and the payload of the next short frame.
    pub(crate) fn receive(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).expect("a frame");
        assert!(head[1] < 126, "a short frame without a mask");
        let mut payload = vec![0; usize::from(head[1])];
        self.0.read_exact(&mut payload).expect("a payload");
        (head[0] & 0x0f, payload)
    }

    /// Code and reason of the next frame, which is a Close frame.
    pub(crate) fn closed(&mut self) -> (u16, String) {
        let (opcode, payload) = self.receive();
        assert_eq!(opcode, 8);
        let (code, reason) = payload.split_first_chunk().expect("a code");
        let reason = String::from_utf8(reason.to_vec()).expect("UTF-8");
        (u16::from_be_bytes(*code), reason)
    }
}

/// A certificate for `localhost` that vouches for itself, and its key, in files.
#[derive(Debug)]
pub(crate) struct Pem {
    folder: tempfile::TempDir,
}

impl Pem {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let pem = Self { folder };
        pem.renew();
        pem
    }

    /// Writes another certificate and key.
    pub(crate) fn renew(&self) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let made = made.expect("a certificate");
        fs::write(self.path("cert.pem"), made.cert.pem()).expect("a file");
        fs::write(self.path("key.pem"), made.signing_key.serialize_pem()).expect("a file");
    }

    pub(crate) fn cert(&self) -> String {
        self.path("cert.pem").display().to_string()
    }

    pub(crate) fn key(&self) -> String {
        self.path("key.pem").display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

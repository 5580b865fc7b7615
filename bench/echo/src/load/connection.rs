//! One connection of the load.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, ensure};

use crate::load::script::Script;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The answer to that key (RFC 6455 section 1.3).
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const HEAD_LIMIT: usize = 4096;

#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    /// Bytes sent, in the endless stream of messages.
    sent: u64,
    /// Bytes that should have been sent.
    due: u64,
    /// Bytes received, in the endless stream of echoes.
    received: u64,
}

/// Connects, and opens a WebSocket if one is wanted.
pub(super) fn handshake(server: SocketAddr, is_websocket: bool) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    if is_websocket {
        stream.write_all(REQUEST)?;
        let mut head = Vec::with_capacity(512);
        while !head.ends_with(b"\r\n\r\n") {
            let mut bytes = [0; 512];
            let count = stream.read(&mut bytes)?;
            ensure!(count > 0 && head.len() < HEAD_LIMIT, "no handshake");
            head.extend_from_slice(&bytes[..count]);
        }
        let head = String::from_utf8(head).context("the answer is not text")?;
        ensure!(head.starts_with("HTTP/1.1 101 "), "refused: {head}");
        ensure!(head.contains(ACCEPT), "wrong Sec-WebSocket-Accept: {head}");
    }
    stream.set_nonblocking(true)?;
    Ok(stream)
}

impl Connection {
    /// Connections begin with different messages, so that an echo on the wrong one is noticed.
    pub(super) fn new(stream: TcpStream, number: usize, script: &Script) -> Self {
        let sent = number as u64 * script.request.message;
        Self {
            stream,
            sent,
            due: sent,
            received: number as u64 * script.reply.message,
        }
    }

    /// Sends so many messages more.
    pub(super) fn send(&mut self, script: &Script, messages: usize) -> Result<()> {
        self.due += messages as u64 * script.request.message;
        self.send_rest(script)
    }

    /// Sends what is due, as far as the socket takes it.
    pub(super) fn send_rest(&mut self, script: &Script) -> Result<()> {
        while self.sent < self.due {
            let rest = script
                .request
                .piece(self.sent, (self.due - self.sent) as usize);
            match self.stream.write(rest) {
                Ok(count) => self.sent += count as u64,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("a message could not be sent"),
            }
        }
        Ok(())
    }

    /// Reads what is there, compares it, and returns how many echoes it completes.
    pub(super) fn receive(&mut self, script: &Script, buffer: &mut [u8]) -> Result<usize> {
        let before = self.received / script.reply.message;
        loop {
            let count = match self.stream.read(buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("an echo could not be read"),
            };
            ensure!(count > 0, "the server closed a connection");
            let expected = script.reply.piece(self.received, count);
            ensure!(buffer[..count] == *expected, "an echo is wrong");
            self.received += count as u64;
            // A short read has emptied the socket: what comes later is a new event.
            if count < buffer.len() {
                break;
            }
        }
        Ok((self.received / script.reply.message - before) as usize)
    }
}

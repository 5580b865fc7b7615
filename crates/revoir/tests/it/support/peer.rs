//! [`Peer`]: the other end, which speaks bytes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::BytesMut;
use revoir::handshake::Headers;
use revoir::{Acceptor, Client, Config, ConnectionInfo, Ending, Observer, WebSocket};
use revoir_proto::handshake::{ServerConfig, ServerHandshake};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::frames::{Frame, Sort};
use super::wire::{Stream, Wire, pair};

/// Which side is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Client, Self::Server];

    pub(crate) fn config(self) -> Config {
        match self {
            Self::Client => Config::client(),
            Self::Server => Config::server(),
        }
    }
}

/// How the other direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    Fin,
    Error,
}

/// The raw peer of an open connection.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) stream: Stream,
    ours: Side,
    received: Vec<u8>,
    after: After,
    /// Where a repeated write goes on.
    cut: usize,
}

/// Opens a connection as `side` over `wire`.
pub(crate) async fn open(side: Side, wire: Wire) -> (WebSocket, Peer) {
    open_with(side, wire, side.config()).await
}

pub(crate) async fn open_with(side: Side, wire: Wire, config: Config) -> (WebSocket, Peer) {
    let (near, far) = pair(wire).await;
    open_over(side, near, far, config).await
}

pub(crate) async fn open_over(
    side: Side,
    near: Stream,
    far: Stream,
    config: Config,
) -> (WebSocket, Peer) {
    let mut peer = Peer::new(far, side);
    let socket = match side {
        Side::Server => {
            let acceptor = Acceptor::new().with_config(config);
            let (socket, ()) = tokio::join!(acceptor.accept(near), peer.request());
            socket.unwrap()
        }
        Side::Client => {
            let client = Client::new().with_config(config);
            let connecting = client.connect_over("ws://localhost/", near);
            let (socket, ()) = tokio::join!(connecting, peer.answer());
            socket.unwrap()
        }
    };
    (socket, peer)
}

impl Peer {
    /// A raw peer of a `side` that has not shaken hands.
    pub(crate) fn new(stream: Stream, ours: Side) -> Self {
        Self {
            stream,
            ours,
            received: Vec::new(),
            after: After::Fin,
            cut: 0,
        }
    }

    /// The opening handshake of a client.
    pub(crate) async fn request(&mut self) {
        const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n";
        self.write(REQUEST.as_bytes()).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "));
    }

    /// The opening handshake of a server.
    pub(crate) async fn answer(&mut self) {
        self.answer_with(b"").await;
    }

    /// The same, with `behind` in the same write.
    pub(crate) async fn answer_with(&mut self, behind: &[u8]) {
        let mut handshake = ServerHandshake::new(Arc::new(ServerConfig::default()));
        let mut input = BytesMut::new();
        loop {
            assert_ne!(self.stream.read_buf(&mut input).await.unwrap(), 0);
            if let Some(request) = handshake.handle_input(&mut input).unwrap() {
                let acceptance = request.accept(&Headers::new()).unwrap();
                return self.write(&[&acceptance.response, behind].concat()).await;
            }
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Writes as much of `bytes` as there is room for, and forgets the rest only between frames:
    /// `bytes` repeats.
    pub(crate) async fn write_what_fits(&mut self, bytes: &[u8]) {
        let start = std::mem::take(&mut self.cut);
        let mut writing = std::pin::pin!(self.stream.write(&bytes[start..]));
        let written = std::future::poll_fn(|cx| match writing.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result.unwrap_or(0)),
            Poll::Pending => Poll::Ready(0),
        });
        let written = written.await;
        self.cut = (start + written) % bytes.len();
    }

    /// Whether all of `bytes` could be written.
    pub(crate) async fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    pub(crate) async fn send(&mut self, frame: &Frame) {
        let bytes = self.bytes(frame);
        self.write(&bytes).await;
    }

    /// `frame` as the peer writes it.
    pub(crate) fn bytes(&self, frame: &Frame) -> Vec<u8> {
        frame.bytes(self.ours == Side::Server)
    }

    /// Reads `count` bytes for the next frame.
    pub(crate) async fn read_some(&mut self, count: usize) {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).await.unwrap();
        self.received.extend(bytes);
    }

    /// The next frame; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            let masked = self.ours == Side::Client;
            if let Some(frame) = Frame::take(&mut self.received, masked) {
                return Some(frame);
            }
            match self.stream.read_buf(&mut self.received).await {
                Ok(0) => self.after = After::Fin,
                Ok(_) => continue,
                Err(_) => self.after = After::Error,
            }
            return None;
        }
    }

    /// Everything we sent, and how our direction ended. The peer of a client closes TCP first,
    /// once it has seen a Close frame (RFC 6455 section 7.1.1).
    pub(crate) async fn rest(&mut self) -> (Vec<Frame>, After) {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            let closes = frame.sort == Sort::Close;
            frames.push(frame);
            if closes && self.ours == Side::Client {
                self.fin().await;
            }
        }
        if self.after == After::Fin {
            // A client answers the server's FIN with its own.
            self.fin().await;
        }
        assert!(
            self.received.is_empty(),
            "half a frame: {:?}",
            self.received
        );
        (frames, self.after)
    }

    /// Has us see a TCP reset.
    pub(crate) fn reset(&mut self) {
        self.stream.reset();
        if !matches!(self.stream, Stream::Memory(_)) {
            self.stream = Stream::Memory(super::memory::pair(1).0);
        }
    }

    pub(crate) async fn fin(&mut self) {
        match self.stream.shutdown().await {
            // We may be gone by then.
            Ok(()) | Err(_) => {}
        }
    }
}

/// Endings that an observer has seen, in order.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    endings: Mutex<Vec<Ending>>,
    opened: AtomicUsize,
    more: Notify,
}

impl Observer for Seen {
    fn opened(&self, _: &ConnectionInfo<'_>) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self, _: &ConnectionInfo<'_>, ending: &Ending) {
        self.endings.lock().unwrap().push(ending.clone());
        self.more.notify_one();
    }
}

impl Seen {
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    #[cfg(feature = "axum")]
    pub(crate) fn all(&self) -> Vec<Ending> {
        self.endings.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.endings.lock().unwrap().len()
    }

    /// The first ending, once there is one.
    pub(crate) async fn ending(&self) -> Ending {
        loop {
            if let Some(ending) = self.endings.lock().unwrap().first() {
                return ending.clone();
            }
            self.more.notified().await;
        }
    }
}

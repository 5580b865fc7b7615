//! [`WebSocket`]: both halves in one.

use std::any::Any;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_sink::Sink;
use revoir_proto::extension::AgreedExtensions;
use revoir_proto::{
    BinaryPayload, Ending, Message, Reason, Role, SendCode, State, TextPayload, UsageError,
};

use crate::below::tcp;
#[cfg(feature = "rustls")]
use crate::below::{server_name, tls};
use crate::driver::{Shared, TrySendError};
#[cfg(feature = "rustls")]
use crate::tls::rustls::pki_types::CertificateDer;
use crate::websocket::{Closed, Closer, Draining, Reader, Writer};

/// An open connection.
///
/// Pongs, keepalive and closing need no calls: see the [crate's front page](crate) for what drives
/// a connection. Dropped without a close, it sends 1000 as a client and 1001 as a server, and its
/// [`Ending`] still reaches the observer and the log.
///
/// [`close`](Self::close) waits for the socket to be gone:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use revoir::{Cause, CloseCode, Reason, SendCode};
///
/// let (near, far) = tokio::io::duplex(1024);
/// let server = tokio::spawn(revoir::accept(far));
/// let client = revoir::Client::new().connect_over("ws://example/chat", near).await?;
/// let mut server = server.await??;
///
/// let ending = client.close(SendCode::SERVICE_RESTART, Reason::new("bye")?).await;
/// assert_eq!(ending.cause, Cause::ClosedLocally);
/// assert!(ending.is_clean());
///
/// let ending = server.recv().await.unwrap_err();
/// assert_eq!(ending.code(), CloseCode::SERVICE_RESTART);
/// assert_eq!(ending.reason(), "bye");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WebSocket {
    reader: Reader,
    writer: Writer,
}

impl WebSocket {
    pub(crate) fn new(socket: Shared) -> Self {
        Self {
            reader: Reader::new(Arc::clone(&socket)),
            writer: Writer::new(socket),
        }
    }

    /// The next message; see [`Reader::recv`].
    ///
    /// # Errors
    ///
    /// The [`Ending`], once no message is left: a clean one too.
    ///
    /// # Cancel safety
    ///
    /// No message is lost when the future is dropped.
    pub fn recv(&mut self) -> impl Future<Output = Result<Message, Arc<Ending>>> {
        self.reader.recv()
    }

    /// Queues a message and starts to write it; see [`Writer::send`], and [`Writer`] for what `Ok`
    /// means.
    ///
    /// # Errors
    ///
    /// The [`Ending`], if the connection is over or closing.
    ///
    /// # Cancel safety
    ///
    /// A message is queued whole, or not at all.
    pub fn send<M: Into<Message>>(
        &mut self,
        message: M,
    ) -> impl Future<Output = Result<(), Arc<Ending>>> + use<'_, M> {
        self.writer.send(message)
    }

    /// [`send`](Self::send) without waiting: the message is queued now, or given back.
    ///
    /// # Errors
    ///
    /// [`TrySendError`]: the queue is at its limit, or the connection is over or closing.
    pub fn try_send(&mut self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.writer.try_send(message)
    }

    /// [`send`](Self::send), for text.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As for [`send`](Self::send).
    pub fn send_text<P: TextPayload>(
        &mut self,
        text: P,
    ) -> impl Future<Output = Result<(), Arc<Ending>>> {
        self.writer.send_text(text)
    }

    /// [`send`](Self::send), for binary data.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As for [`send`](Self::send).
    pub fn send_binary<P: BinaryPayload>(
        &mut self,
        payload: P,
    ) -> impl Future<Output = Result<(), Arc<Ending>>> {
        self.writer.send_binary(payload)
    }

    /// [`send`](Self::send) without the write; see [`Writer::feed`].
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As for [`send`](Self::send).
    pub fn feed(&mut self, message: Message) -> impl Future<Output = Result<(), Arc<Ending>>> {
        self.writer.feed(message)
    }

    /// Waits until everything sent was handed to the operating system; see [`Writer::flush`].
    ///
    /// # Errors
    ///
    /// The [`Ending`], if the connection ended before.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub fn flush(&mut self) -> impl Future<Output = Result<(), Arc<Ending>>> {
        self.writer.flush()
    }

    /// Sends a ping, now; see [`Writer::ping`].
    ///
    /// # Errors
    ///
    /// [`UsageError`]: the connection is not open, the queue is at its limit, or `payload` has
    /// more than 125 bytes.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.writer.ping(payload)
    }

    /// Starts the closing handshake, now; the future waits until the socket is gone. See
    /// [`Closer::close`].
    ///
    /// # Cancel safety
    ///
    /// The call has its effect even if the future is dropped at once.
    #[track_caller]
    pub fn close(&self, code: SendCode, reason: Reason) -> Closed {
        self.closer().close(code, reason)
    }

    /// Waits until the connection has ended, for whatever cause.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub fn closed(&self) -> Closed {
        Closed::new(Arc::clone(&self.reader.socket))
    }

    /// Waits until a drain of the server reaches the connection, or it begins to close for another
    /// cause; see [`Draining`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub fn draining(&self) -> Draining {
        Draining::new(Arc::clone(&self.reader.socket))
    }

    /// [`close`](Self::close), for who does not wait; see [`Closer::start_close`].
    #[track_caller]
    pub fn start_close(&self, code: SendCode, reason: Reason) {
        self.closer().start_close(code, reason);
    }

    /// Ends the connection at once; see [`Closer::abort`].
    #[track_caller]
    pub fn abort(&self) -> Closed {
        self.closer().abort()
    }

    /// A handle that closes, and tells how the connection ended, from any task.
    #[must_use]
    pub fn closer(&self) -> Closer {
        Closer::new(Arc::clone(&self.reader.socket))
    }

    /// Why the connection ended, once it has.
    #[must_use]
    pub fn ending(&self) -> Option<Arc<Ending>> {
        self.reader.socket.ending()
    }

    /// The state in the words of RFC 6455.
    #[must_use]
    pub fn state(&self) -> State {
        self.reader.socket.read(|machine| machine.core.state())
    }

    /// The round trip that the last keepalive ping measured.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.reader.socket.read(|machine| machine.core.rtt())
    }

    /// Which side this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.reader.socket.role()
    }

    /// The subprotocol that the opening handshake agreed on.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.reader.socket.subprotocol()
    }

    /// The extensions that the opening handshake agreed on. Their text is that of the header, for
    /// logs: `permessage-deflate; server_no_context_takeover`.
    #[must_use]
    pub fn extensions(&self) -> AgreedExtensions {
        self.reader.socket.extensions()
    }

    /// Where the other side is, if that is known: over TCP, or told by an HTTP server. Also once the
    /// connection is over.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.reader.socket.peer_addr()
    }

    /// The address of this side, over TCP, while the connection is open.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        let local = |stream: &dyn Any| tcp(stream)?.local_addr().ok();
        self.reader.socket.below(local)
    }

    /// The certificates that the other side has shown, its own first, while the connection is open. A
    /// client shows one if the server [asks for it](crate::tls::ServerTls::from_config).
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn peer_certificates(&self) -> Option<Vec<CertificateDer<'static>>> {
        self.reader.socket.below(|stream| {
            let shown = tls(stream)?.peer_certificates()?;
            Some(shown.iter().map(|it| it.clone().into_owned()).collect())
        })
    }

    /// The name that a client has asked for in TLS (SNI), while the connection is open.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn server_name(&self) -> Option<String> {
        let name = |stream: &dyn Any| server_name(stream).map(str::to_owned);
        self.reader.socket.below(name)
    }

    /// How many bytes wait to be written; see [`Limits::queue`](crate::websocket::Limits::queue).
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.reader.socket.queued_bytes()
    }

    /// Both halves, for two tasks. Both see the same [`Ending`]. When both are dropped without a
    /// close, the connection closes as if this handle was dropped.
    #[must_use]
    pub fn split(self) -> (Reader, Writer) {
        self.reader.socket.split();
        (self.reader, self.writer)
    }
}

/// The last item is the [`Ending`]; see [`Reader`].
impl Stream for WebSocket {
    type Item = Result<Message, Arc<Ending>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.reader).poll_next(cx)
    }
}

/// See [`Writer`].
impl Sink<Message> for WebSocket {
    type Error = Arc<Ending>;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        Pin::new(&mut self.writer).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Arc<Ending>> {
        Pin::new(&mut self.writer).start_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        Pin::new(&mut self.writer).poll_close(cx)
    }
}

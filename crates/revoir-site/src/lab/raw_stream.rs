//! [`RawStream`]: what lies below a connection that an HTTP server has handed over.

use std::fmt;
use std::io;
use std::pin::Pin;

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// How to get at the stream below a request. The server of the pages knows what it has given to
/// hyper. `None` where it is something else: such a connection is reset at once.
pub type TakeOver = fn(Upgraded) -> Option<RawStream>;

/// The stream below a connection, down to TCP, so that it can be reset.
#[derive(Debug)]
pub struct RawStream {
    below: Box<dyn Below>,
    /// What the HTTP server had read beyond the request.
    pub(super) read: Bytes,
}

/// Bytes both ways.
pub(super) trait Io: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Io for S {}

trait Below: fmt::Debug + Send {
    fn io(&mut self) -> Pin<&mut dyn Io>;
    fn reset(self: Box<Self>) -> io::Result<()>;
}

struct Resettable<S> {
    stream: S,
    reset: fn(S) -> io::Result<()>,
}

impl RawStream {
    /// `read` is what the server had read beyond the request. `reset` ends TCP with a reset, below
    /// TLS if that is there.
    pub fn new<S>(stream: S, read: Bytes, reset: fn(S) -> io::Result<()>) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self {
            below: Box::new(Resettable { stream, reset }),
            read,
        }
    }

    /// The stream of a server that gives tokio's TCP to hyper, such as `axum::serve`.
    #[must_use]
    pub fn of_tcp(upgraded: Upgraded) -> Option<Self> {
        // The server that also speaks HTTP/2 wraps what it is given.
        let (stream, read) = match auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded) {
            Ok(parts) => (parts.io, parts.read_buf),
            Err(upgraded) => {
                let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
                (parts.io, parts.read_buf)
            }
        };
        let reset = |stream: TcpStream| stream.set_zero_linger();
        Some(Self::new(stream.into_inner(), read, reset))
    }

    pub(super) fn io(&mut self) -> Pin<&mut dyn Io> {
        self.below.io()
    }

    pub(super) fn reset(self) -> io::Result<()> {
        self.below.reset()
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Below for Resettable<S> {
    fn io(&mut self) -> Pin<&mut dyn Io> {
        let stream: Pin<&mut S> = Pin::new(&mut self.stream);
        stream
    }

    fn reset(self: Box<Self>) -> io::Result<()> {
        (self.reset)(self.stream)
    }
}

impl<S> fmt::Debug for Resettable<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resettable").finish_non_exhaustive()
    }
}

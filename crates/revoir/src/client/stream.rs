//! [`ServerStream`]: a byte stream to a server.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use revoir_proto::Ending;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::client::proxy::Proxy;
use crate::client::url::Target;
use crate::client::{Client, ConnectError};

/// A byte stream to a server: TCP, or what a proxy has opened. Of
/// [`Client::connect_stream`](crate::Client::connect_stream).
pub struct ServerStream(pub(super) Way);

/// What it is made of.
pub(super) enum Way {
    Plain(TcpStream),
    /// TLS to an https proxy, with any TLS to the server in it. Whatever it is made of, one type.
    #[cfg(feature = "rustls")]
    Secure(Box<dyn Bytes>),
}

pub(super) trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Bytes for S {}

impl Client {
    /// Goes as far as TCP: connects to the host of `url`, through the proxy if the client has one, and
    /// hands the stream over. For a program that speaks TLS and the handshake itself, or a test that
    /// wants to see the bytes.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect). The observer is not told.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up.
    pub async fn connect_stream<U>(&self, url: U) -> Result<ServerStream, ConnectError>
    where
        U: TryInto<Target>,
        U::Error: Into<ConnectError>,
    {
        let target = url.try_into().map_err(Into::into)?;
        let proxy = self.proxies.to(&target)?;
        Ok(ServerStream(self.reach(&target, proxy).await?))
    }

    /// TCP to `target`, or what `proxy` opens.
    pub(super) async fn reach(
        &self,
        target: &Target,
        proxy: Option<&Proxy>,
    ) -> Result<Way, Ending> {
        match proxy {
            None => Ok(Way::Plain(self.tcp(&target.host, target.port).await?)),
            Some(proxy) => self.tunnel(proxy, target).await,
        }
    }
}

impl ServerStream {
    fn inner(&mut self) -> Pin<&mut dyn Bytes> {
        match &mut self.0 {
            Way::Plain(stream) => Pin::new(stream),
            #[cfg(feature = "rustls")]
            Way::Secure(stream) => Pin::new(stream),
        }
    }
}

impl AsyncRead for ServerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(cx, into)
    }
}

impl AsyncWrite for ServerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            Way::Plain(stream) => stream.is_write_vectored(),
            #[cfg(feature = "rustls")]
            Way::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(cx)
    }
}

impl fmt::Debug for ServerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = match &self.0 {
            Way::Plain(_) => "tcp",
            #[cfg(feature = "rustls")]
            Way::Secure(_) => "tls to a proxy",
        };
        f.debug_tuple("ServerStream").field(&over).finish()
    }
}

//! Streams below the suite: TCP, TLS above it, or whatever a test puts there.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ConnectionCommon, ServerConfig, SideData};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

/// Application data that no key of the connection has sealed.
const NO_RECORD: [u8; 45] = {
    let mut record = [0; 45];
    record[0] = 23;
    record[1] = 3;
    record[2] = 3;
    record[4] = 40;
    record
};

/// A byte stream that can also be reset.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {
    /// Ends the stream with RST once it is dropped.
    fn reset(&mut self);
}

impl Transport for TcpStream {
    fn reset(&mut self) {
        // Without it the stream ends with FIN, which the record shows.
        let _ = self.set_zero_linger();
    }
}

/// A boxed [`Transport`].
pub type BoxTransport = Box<dyn Transport>;

impl Transport for BoxTransport {
    fn reset(&mut self) {
        (**self).reset();
    }
}

/// How the suite speaks TLS.
#[derive(Clone, Debug)]
pub enum Tls {
    /// To a server.
    Client(Arc<ClientConfig>, ServerName<'static>),
    /// To a client.
    Server(Arc<ServerConfig>),
}

/// One connection, with TLS or without.
pub(crate) enum Wire {
    Plain(BoxTransport),
    Tls(Box<TlsStream<BoxTransport>>),
}

impl Wire {
    /// Begins TLS.
    pub(crate) async fn secure(transport: BoxTransport, tls: &Tls) -> io::Result<Self> {
        let stream = match tls {
            Tls::Client(config, name) => {
                let connector = TlsConnector::from(config.clone());
                TlsStream::Client(connector.connect(name.clone(), transport).await?)
            }
            Tls::Server(config) => {
                TlsStream::Server(TlsAcceptor::from(config.clone()).accept(transport).await?)
            }
        };
        Ok(Self::Tls(Box::new(stream)))
    }

    /// Ends writing: close_notify under TLS, and FIN.
    pub(crate) async fn fin(&mut self) -> io::Result<()> {
        self.shutdown().await
    }

    /// Ends writing with FIN alone, without close_notify.
    pub(crate) async fn cut(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown().await,
            Self::Tls(stream) => stream.get_mut().0.shutdown().await,
        }
    }

    /// Writes below TLS.
    pub(crate) async fn write_below(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                let below = stream.get_mut().0;
                below.write_all(bytes).await?;
                below.flush().await
            }
        }
    }

    /// Sends a fatal TLS alert: the one with which our TLS answers garbage, so it is fed some.
    pub(crate) async fn alert(&mut self) -> io::Result<()> {
        let Self::Tls(stream) = self else {
            return Ok(());
        };
        let (below, sealed) = match &mut **stream {
            TlsStream::Client(stream) => {
                let (below, session) = stream.get_mut();
                (below, provoked(session)?)
            }
            TlsStream::Server(stream) => {
                let (below, session) = stream.get_mut();
                (below, provoked(session)?)
            }
        };
        below.write_all(&sealed).await?;
        below.shutdown().await
    }

    /// Ends the stream with RST once it is dropped.
    pub(crate) fn reset(&mut self) {
        match self {
            Self::Plain(stream) => stream.reset(),
            Self::Tls(stream) => stream.get_mut().0.reset(),
        }
    }
}

/// What our TLS answers to garbage.
fn provoked<Side: SideData>(session: &mut ConnectionCommon<Side>) -> io::Result<Vec<u8>> {
    let mut sealed = Vec::new();
    session.read_tls(&mut &NO_RECORD[..])?;
    let _ = session.process_new_packets();
    while session.wants_write() {
        session.write_tls(&mut sealed)?;
    }
    Ok(sealed)
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

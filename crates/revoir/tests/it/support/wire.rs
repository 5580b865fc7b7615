//! [`Wire`]: memory, TCP, or TLS over TCP.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use revoir::tls::ClientTls;
use revoir::tls::rustls::pki_types::ServerName;
use revoir::tls::rustls::pki_types::pem::PemObject;
use revoir::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use revoir::tls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::memory::{self, End};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Memory,
    Tcp,
    Tls,
}

impl Wire {
    pub(crate) const ALL: [Self; 3] = [Self::Memory, Self::Tcp, Self::Tls];
}

/// One end of a wire.
#[derive(Debug)]
pub(crate) enum Stream {
    Memory(End),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Our end as a server, and the client at the other one.
pub(crate) async fn pair(wire: Wire) -> (Stream, Stream) {
    match wire {
        Wire::Memory => {
            let (near, far) = memory::pair(64 * 1024);
            (Stream::Memory(near), Stream::Memory(far))
        }
        Wire::Tcp => {
            let (near, far) = tcp_pair().await;
            (Stream::Tcp(near), Stream::Tcp(far))
        }
        Wire::Tls => {
            let (near, far) = tcp_pair().await;
            let name = ServerName::try_from("localhost").unwrap();
            let (near, far) = tokio::join!(
                TlsAcceptor::from(server_config()).accept(near),
                TlsConnector::from(client_config()).connect(name, far)
            );
            let boxed = |stream| Stream::Tls(Box::new(stream));
            (boxed(near.unwrap().into()), boxed(far.unwrap().into()))
        }
    }
}

pub(crate) async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, connected) = tokio::join!(listener.accept(), TcpStream::connect(address));
    let (near, far) = (accepted.unwrap().0, connected.unwrap());
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    (near, far)
}

/// A certificate for `localhost` and 127.0.0.1, which signs itself, and its key.
pub(crate) fn pem() -> &'static (String, String) {
    static PEM: OnceLock<(String, String)> = OnceLock::new();
    PEM.get_or_init(new_pem)
}

/// Another one.
pub(crate) fn new_pem() -> (String, String) {
    let names = ["localhost", "127.0.0.1"].map(String::from);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

pub(crate) fn trusting() -> ClientTls {
    ClientTls::with_roots(pem().0.as_bytes()).unwrap()
}

pub(crate) fn server_config() -> Arc<ServerConfig> {
    let (certificate, key) = pem();
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(revoir::tls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

fn client_config() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(pem().0.as_bytes()).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(revoir::tls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Memory(_) => panic!("memory has no TCP"),
            Self::Tcp(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }

    /// Has the other end see a reset: of TCP, once this is dropped.
    pub(crate) fn reset(&self) {
        if let Self::Memory(end) = &self {
            end.fail(ErrorKind::ConnectionReset);
            return;
        }
        SockRef::from(self.tcp())
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }

    /// Has the system take little more than is read at the other end.
    pub(crate) fn shrink_buffers(&self) {
        let socket = SockRef::from(self.tcp());
        socket.set_send_buffer_size(16 * 1024).unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
    }

    /// Ends TCP and not TLS.
    pub(crate) fn truncate(&self) {
        match self {
            Self::Memory(end) => end.fail(ErrorKind::UnexpectedEof),
            Self::Tcp(_) | Self::Tls(_) => {
                let socket = SockRef::from(self.tcp());
                socket.shutdown(std::net::Shutdown::Write).unwrap();
            }
        }
    }

    pub(crate) fn end(&self) -> &End {
        match self {
            Self::Memory(end) => end,
            Self::Tcp(_) | Self::Tls(_) => panic!("not in memory"),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Memory(end) => Pin::new(end).poll_read(cx, into),
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, into),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Memory(end) => Pin::new(end).poll_write(cx, bytes),
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Memory(end) => Pin::new(end).poll_flush(cx),
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Memory(end) => Pin::new(end).poll_shutdown(cx),
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

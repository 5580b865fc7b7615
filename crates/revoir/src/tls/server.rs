//! [`ServerTls`]: a server's certificate, which may be replaced while the server runs.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use crate::tls::TlsError;

/// A server's certificate and key. Clones share them, so that
/// [`replace_pem`](Self::replace_pem) on one reaches a running server.
///
/// # Client certificates
///
/// A server that asks clients for a certificate is one [`from_config`](Self::from_config). rustls verifies
/// what they show; who may come in, and by which name (SNI), is decided before the connection opens:
///
/// ```
/// use std::sync::Arc;
///
/// use revoir::http::StatusCode;
/// use revoir::tls::ServerTls;
/// use revoir::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
/// use revoir::tls::rustls::server::WebPkiClientVerifier;
/// use revoir::tls::rustls::{RootCertStore, ServerConfig, crypto::ring};
/// use revoir::{Ending, Incoming, Server, WebSocket};
///
/// fn asking(
///     chain: Vec<CertificateDer<'static>>,
///     key: PrivateKeyDer<'static>,
///     authorities: RootCertStore,
/// ) -> Result<ServerTls, Box<dyn std::error::Error>> {
///     let provider = Arc::new(ring::default_provider());
///     let roots = Arc::new(authorities);
///     let clients = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
///         // Without this, a client that shows none does not get through the TLS handshake.
///         .allow_unauthenticated()
///         .build()?;
///     let config = ServerConfig::builder_with_provider(provider)
///         .with_safe_default_protocol_versions()?
///         .with_client_cert_verifier(clients)
///         .with_single_cert(chain, key)?;
///     Ok(ServerTls::from_config(Arc::new(config)))
/// }
///
/// async fn serve(server: Server, tls: ServerTls) {
///     let decide = |incoming: Incoming| async move {
///         match incoming.peer_certificates() {
///             Some(_) => incoming.run(feed),
///             None => incoming.refuse(StatusCode::FORBIDDEN, "who are you?\n"),
///         }
///     };
///     server.with_tls(tls).serve_incoming(decide).await;
/// }
///
/// async fn feed(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
///     socket.send("welcome").await?;
///     socket.recv().await.map(drop)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ServerTls {
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

impl ServerTls {
    /// A certificate chain, the server's own first, and its key, both in PEM.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if they are malformed or do not belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Ok(Self::from_config(config(certificates, key)?))
    }

    /// Whatever rustls can do: client certificates, another provider, a choice by name.
    #[must_use]
    pub fn from_config(config: Arc<ServerConfig>) -> Self {
        Self {
            current: Arc::new(RwLock::new(config)),
        }
    }

    /// Uses another certificate from the next connection on. Open ones are not touched.
    ///
    /// # Errors
    ///
    /// As for [`from_pem`](Self::from_pem); the certificate in use then stays.
    pub fn replace_pem(&self, certificates: &[u8], key: &[u8]) -> Result<(), TlsError> {
        self.replace(config(certificates, key)?);
        Ok(())
    }

    /// Uses another configuration from the next connection on.
    pub fn replace(&self, config: Arc<ServerConfig>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// What rustls is told for the next connection, for one that this crate does not accept.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        TlsAcceptor::from(self.config()).accept(stream).await
    }
}

fn config(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(key)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // RFC 6455 is spoken over HTTP/1.1 only.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

//! [`ClientTls`]: whom a client trusts.

use std::sync::{Arc, LazyLock};

use revoir_proto::Ending;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::tls::fault::refused;
use crate::tls::pinned::Pinned;
use crate::tls::unverified::Unverified;
use crate::tls::{TlsError, failed};

/// Whom a client trusts, and by which provider. Clones are cheap.
#[derive(Clone, Debug)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
}

impl ClientTls {
    /// Trusts the roots of the platform, or Mozilla's where the platform has none. The platform's
    /// are read once per process, by the first call, which blocks for some milliseconds. This is
    /// the default.
    #[must_use]
    pub fn platform() -> Self {
        static PLATFORM: LazyLock<ClientTls> =
            LazyLock::new(|| ClientTls::with_store(ClientTls::platform_roots()));
        PLATFORM.clone()
    }

    /// Trusts only the certificates in `roots`, in PEM: what authorities among them have signed, and a
    /// server that shows one of them as its own, whatever that is marked for.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if there is none, or one is malformed.
    pub fn with_roots(roots: &[u8]) -> Result<Self, TlsError> {
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(roots).collect::<Result<_, _>>()?;
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone())?;
        }
        if store.is_empty() {
            return Err(TlsError::Pem(
                tokio_rustls::rustls::pki_types::pem::Error::NoItemsFound,
            ));
        }
        let provider = Arc::new(ring::default_provider());
        let verifier = Pinned::new(certificates, store.clone(), provider)?;
        Ok(Self::with_store(store).verified_by(Arc::new(verifier)))
    }

    /// Trusts everybody: anyone on the way can read and change everything. For tests only.
    #[must_use]
    pub fn insecure() -> Self {
        let provider = Arc::new(ring::default_provider());
        Self::with_store(RootCertStore::empty()).verified_by(Arc::new(Unverified(provider)))
    }

    /// Trusts as `config` says, with the provider it has. Its ALPN protocols stay as they are:
    /// none, or `http/1.1`.
    #[must_use]
    pub fn from_config(config: Arc<ClientConfig>) -> Self {
        Self { config }
    }

    /// What rustls is told, for a stream that this crate does not connect.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    fn verified_by(mut self, verifier: Arc<dyn ServerCertVerifier>) -> Self {
        Arc::make_mut(&mut self.config)
            .dangerous()
            .set_certificate_verifier(verifier);
        self
    }

    fn with_store(roots: RootCertStore) -> Self {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports the default versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        // RFC 6455 is spoken over HTTP/1.1 only.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            config: Arc::new(config),
        }
    }

    /// The certificates that [`platform`](Self::platform) trusts, for a configuration of one's own.
    /// Reading them blocks for some milliseconds.
    #[must_use]
    pub fn platform_roots() -> RootCertStore {
        let mut store = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(target: "revoir", %error, "a root certificate of the platform is unusable");
        }
        let (added, _) = store.add_parsable_certificates(found.certs);
        if added == 0 {
            tracing::debug!(target: "revoir", "the platform has no root certificates");
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        store
    }

    pub(crate) async fn connect<S>(&self, host: &str, stream: S) -> Result<TlsStream<S>, Ending>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
        let connector = TlsConnector::from(self.config());
        let connected = connector.connect(name, stream).await;
        connected.map_err(|error| refused(&error))
    }
}

impl Default for ClientTls {
    fn default() -> Self {
        Self::platform()
    }
}

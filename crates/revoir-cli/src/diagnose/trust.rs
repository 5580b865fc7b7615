//! [`Trust`]: who is trusted, with a verifier that remembers what it was shown.

use std::sync::{Arc, Mutex, PoisonError};

use revoir::tls::rustls::client::WebPkiServerVerifier;
use revoir::tls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use revoir::tls::rustls::crypto::ring;
use revoir::tls::rustls::pki_types::pem::PemObject;
use revoir::tls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use revoir::tls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// Who is trusted.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    roots: Arc<RootCertStore>,
    /// Whether a certificate that is not accepted is only noted.
    insecure: bool,
}

impl Trust {
    /// Whom the platform trusts; with `insecure`, everybody else too.
    pub(crate) fn platform(insecure: bool) -> Self {
        Self {
            roots: Arc::new(revoir::tls::ClientTls::platform_roots()),
            insecure,
        }
    }

    /// Only the certificates in `pem`; `Err` says what is wrong with them.
    pub(crate) fn only(pem: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        if roots.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        Ok(Self {
            roots: Arc::new(roots),
            insecure: false,
        })
    }

    /// A configuration whose verifier tells `witnessed` what it was shown.
    pub(super) fn config(
        &self,
        alpn: &[&str],
        witnessed: &Witnessed,
    ) -> Result<Arc<ClientConfig>, Error> {
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::clone(&self.roots);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        let verifier = Remembering {
            verifier,
            insecure: self.insecure,
            witnessed: witnessed.clone(),
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Arc::new(config))
    }
}

/// What a server has shown.
#[derive(Clone, Debug, Default)]
pub(super) struct ShownChain {
    /// The server's own certificate first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// The first reason not to accept it.
    pub(super) refused: Option<CertificateError>,
}

/// The place where the verifier leaves what it was shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Witnessed(Arc<Mutex<ShownChain>>);

impl Witnessed {
    pub(super) fn shown(&self) -> ShownChain {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Verifies as usual, and remembers. With `insecure` it accepts what it has found fault with.
#[derive(Debug)]
struct Remembering {
    verifier: Arc<WebPkiServerVerifier>,
    insecure: bool,
    witnessed: Witnessed,
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let result = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let chain = std::iter::once(end_entity).chain(intermediates);
        let mut shown = self
            .witnessed
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        shown.chain = chain
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        shown.refused = match &result {
            Err(Error::InvalidCertificate(error)) => Some(error.clone()),
            _ => None,
        };
        match result {
            Err(Error::InvalidCertificate(_)) if self.insecure => {
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

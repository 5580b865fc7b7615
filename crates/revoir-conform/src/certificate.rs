//! TLS of the suite: a certificate of its own for `localhost`, made anew for each run, and trust in
//! any other.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime,
};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme,
};

use crate::case::Role;
use crate::wire::Tls;

/// A certificate for `localhost`, in files for adapters.
#[derive(Clone, Debug)]
pub struct Certificate {
    folder: PathBuf,
    server: Arc<ServerConfig>,
}

impl Certificate {
    /// Makes one, and writes `cert.pem`, `key.pem` and `ca.pem` to this folder.
    ///
    /// # Errors
    ///
    /// If the files cannot be written.
    pub fn write(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        let wrong = |error: rcgen::Error| io::Error::other(error.to_string());
        let root_key = KeyPair::generate().map_err(wrong)?;
        let mut root = CertificateParams::new(Vec::new()).map_err(wrong)?;
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.distinguished_name
            .push(DnType::CommonName, "revoir conform");
        let root_certificate = root.self_signed(&root_key).map_err(wrong)?;
        let issuer = Issuer::from_params(&root, &root_key);
        let key = KeyPair::generate().map_err(wrong)?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).map_err(wrong)?;
        params
            .extended_key_usages
            .push(ExtendedKeyUsagePurpose::ServerAuth);
        params.use_authority_key_identifier_extension = true;
        let made = params.signed_by(&key, &issuer).map_err(wrong)?;
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("cert.pem"), made.pem())?;
        std::fs::write(folder.join("key.pem"), key.serialize_pem())?;
        std::fs::write(folder.join("ca.pem"), root_certificate.pem())?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let rustls = |error: Error| io::Error::other(error.to_string());
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(rustls)?
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], der)
            .map_err(rustls)?;
        Ok(Self {
            folder,
            server: Arc::new(server),
        })
    }

    /// TLS of the suite as a server.
    pub(crate) fn as_server(&self) -> Tls {
        Tls::Server(self.server.clone())
    }

    /// What an adapter is told of it.
    pub(crate) fn environment(&self, role: Role) -> Vec<(String, String)> {
        let file = |name: &str, file: &str| {
            (
                name.to_owned(),
                self.folder.join(file).display().to_string(),
            )
        };
        match role {
            Role::Server => vec![
                file("CONFORM_CERT", "cert.pem"),
                file("CONFORM_KEY", "key.pem"),
            ],
            Role::Client => vec![file("CONFORM_CA", "ca.pem")],
        }
    }
}

/// TLS of the suite as a client: it looks at no certificate.
pub(crate) fn trust_anything() -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Anything(provider.signature_verification_algorithms);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Takes any certificate.
#[derive(Debug)]
struct Anything(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

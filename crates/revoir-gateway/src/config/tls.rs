//! [`TlsConfig`]: the `[tls]` of the file.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use revoir::tls::rustls::crypto::CryptoProvider;
use revoir::tls::rustls::crypto::ring;
use revoir::tls::rustls::pki_types::pem::PemObject;
use revoir::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use revoir::tls::rustls::server::WebPkiClientVerifier;
use revoir::tls::rustls::server::danger::ClientCertVerifier;
use revoir::tls::rustls::sign::CertifiedKey;
use revoir::tls::rustls::{RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};

use crate::config::error::ConfigError;
use crate::front::ByName;

/// What clients are shown, and what they have to show.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TlsConfig {
    /// The chain, in PEM. It is shown to who asks for a name that none of the others has.
    pub cert: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
    /// Others, for the names that stand in them.
    #[serde(default)]
    pub more: Vec<CertificateFiles>,
    /// Whether clients show certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientCertConfig>,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CertificateFiles {
    /// The chain, in PEM.
    pub cert: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// Which certificates clients show.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientCertConfig {
    /// The roots that vouch for them, in PEM.
    pub ca: PathBuf,
    /// Whether there is no connection without one.
    #[serde(default = "ClientCertConfig::default_required")]
    pub required: bool,
}

type Unusable = Box<dyn Error + Send + Sync>;

impl TlsConfig {
    /// One certificate for everybody.
    pub fn new(cert: PathBuf, key: PathBuf) -> Self {
        Self {
            cert,
            key,
            more: Vec::new(),
            client: None,
        }
    }

    /// Reads the files into what rustls is told.
    ///
    /// # Errors
    ///
    /// The first file that cannot be used, with the key that names it.
    pub fn server(&self) -> Result<Arc<ServerConfig>, ConfigError> {
        let provider = Arc::new(ring::default_provider());
        let mut all = ByName::new(certified("tls", &self.cert, &self.key, &provider)?);
        for (index, files) in self.more.iter().enumerate() {
            let table = format!("tls.more[{index}]");
            if !all.add(certified(&table, &files.cert, &files.key, &provider)?) {
                let error = "it has no DNS name that a client could ask for".into();
                return Err(unusable(format!("{table}.cert"), &files.cert)(error));
            }
        }
        let verifier = match &self.client {
            Some(client) => client.verifier(&provider)?,
            None => WebPkiClientVerifier::no_client_auth(),
        };
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("tls.cert".to_owned(), &self.cert)(error.into()))?;
        let mut config = builder
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(all));
        // RFC 6455 is spoken over HTTP/1.1 only.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// All of its paths.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let more = self.more.iter_mut();
        let more = more.flat_map(|files| [&mut files.cert, &mut files.key]);
        let client = self.client.iter_mut().map(|client| &mut client.ca);
        [&mut self.cert, &mut self.key]
            .into_iter()
            .chain(more)
            .chain(client)
    }
}

impl ClientCertConfig {
    const fn default_required() -> bool {
        true
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, ConfigError> {
        let unusable = |error| ConfigError::Roots {
            key: "tls.client.ca",
            path: self.ca.clone(),
            error,
        };
        let roots = roots(&self.ca).map_err(unusable)?;
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let builder = match self.required {
            true => builder,
            false => builder.allow_unauthenticated(),
        };
        builder.build().map_err(|error| unusable(error.into()))
    }
}

fn certified(
    table: &str,
    cert: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, ConfigError> {
    let of_cert = || unusable(format!("{table}.cert"), cert);
    let chain = chain(cert).map_err(of_cert())?;
    let private = private(key).map_err(unusable(format!("{table}.key"), key))?;
    let certified = CertifiedKey::from_der(chain, private, provider);
    certified.map_err(|error| of_cert()(error.into()))
}

fn unusable(key: String, path: &Path) -> impl Fn(Unusable) -> ConfigError {
    let path = path.to_owned();
    move |error| ConfigError::Certificate {
        key: key.clone(),
        path: path.clone(),
        error,
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let pem = fs::read(path)?;
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>()?;
    match chain.is_empty() {
        true => Err("it has no certificate in PEM".into()),
        false => Ok(chain),
    }
}

fn private(path: &Path) -> Result<PrivateKeyDer<'static>, Unusable> {
    Ok(PrivateKeyDer::from_pem_slice(&fs::read(path)?)?)
}

fn roots(path: &Path) -> Result<RootCertStore, Unusable> {
    let mut store = RootCertStore::empty();
    for root in chain(path)? {
        store.add(root)?;
    }
    Ok(store)
}

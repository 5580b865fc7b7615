//! [`CertificateFiles`]: what a TLS server shows.

use std::path::{Path, PathBuf};

use revoir::tls::{ServerTls, TlsError};

use crate::commands::settings;
use crate::exit::Failure;

/// The certificate in its files, to be read again while the server runs.
#[derive(Debug)]
pub(super) struct CertificateFiles {
    chain: PathBuf,
    key: PathBuf,
    tls: ServerTls,
}

impl CertificateFiles {
    pub(super) fn new(chain: PathBuf, key: PathBuf) -> Result<Self, Failure> {
        let (chain_pem, key_pem) = read(&chain, &key)?;
        let tls = ServerTls::from_pem(&chain_pem, &key_pem);
        let tls = tls.map_err(|error| unusable(&chain, &error))?;
        Ok(Self { chain, key, tls })
    }

    pub(super) fn tls(&self) -> ServerTls {
        self.tls.clone()
    }

    /// Reads the files again. If they cannot be used, the certificate stays as it is.
    pub(super) fn reload(&self) -> Result<(), Failure> {
        let (chain_pem, key_pem) = read(&self.chain, &self.key)?;
        let replaced = self.tls.replace_pem(&chain_pem, &key_pem);
        replaced.map_err(|error| unusable(&self.chain, &error))
    }
}

fn read(chain: &Path, key: &Path) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    Ok((
        settings::read("--tls-cert", chain)?,
        settings::read("--tls-key", key)?,
    ))
}

fn unusable(chain: &Path, error: &TlsError) -> Failure {
    Failure::Impossible {
        problem: format!("--tls-cert: {}: {error}", chain.display()),
        hint: "use a PEM file with the certificate followed by its chain, and one with its private key".to_owned(),
    }
}

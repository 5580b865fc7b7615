//! [`TlsError`]: certificates and keys that cannot be used.

use std::error::Error;
use std::fmt;

use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem;

/// Certificates or a key that cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// The PEM text holds no certificate, no key, or something malformed.
    Pem(pem::Error),
    /// rustls refuses them: the key does not belong to the certificate, for example.
    Rustls(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(error) => write!(f, "unusable pem: {error}"),
            Self::Rustls(error) => write!(f, "unusable certificate or key: {error}"),
        }
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Pem(error) => Some(error),
            Self::Rustls(error) => Some(error),
        }
    }
}

impl From<pem::Error> for TlsError {
    fn from(error: pem::Error) -> Self {
        Self::Pem(error)
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Rustls(error)
    }
}

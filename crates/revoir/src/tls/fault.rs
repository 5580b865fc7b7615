//! What went wrong in a TLS handshake, from the words of rustls.

use std::io::{self, ErrorKind};

use revoir_proto::{Cause, Detail, Ending, TlsFault};
use tokio_rustls::rustls::{CertificateError, Error};

/// The ending of a client whose TLS handshake failed.
pub(super) fn refused(error: &io::Error) -> Ending {
    let fault = match rustls_error(error) {
        Some(error) => fault_of(error),
        None => match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                TlsFault::HungUp
            }
            _ => TlsFault::Other,
        },
    };
    let text = error.to_string().into();
    Ending::never_opened(Cause::TlsFailed, Detail::Tls { fault, text })
}

fn rustls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn fault_of(error: &Error) -> TlsFault {
    match error {
        Error::InvalidMessage(_) => TlsFault::NotTls,
        Error::AlertReceived(_) => TlsFault::Alert,
        Error::PeerIncompatible(_) => TlsFault::NothingInCommon,
        error if is_authority_as_server(error) => TlsFault::AuthorityAsServer,
        Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                TlsFault::UnknownIssuer
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFault::WrongName
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                TlsFault::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsFault::NotYetValid
            }
            CertificateError::Revoked => TlsFault::Revoked,
            _ => TlsFault::Other,
        },
        _ => TlsFault::Other,
    }
}

/// Whether a server showed the certificate of an authority as its own. The verifier's error is not
/// in the public types of rustls; its name is in the text.
pub(super) fn is_authority_as_server(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

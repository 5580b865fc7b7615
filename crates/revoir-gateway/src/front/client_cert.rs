//! [`ClientCert`]: the certificate that a client has shown, as the backend is told of it.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use revoir::tls::rustls::pki_types::CertificateDer;
use ring::digest::{SHA256, digest};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::Decode as _;

const FINGERPRINT: HeaderName = HeaderName::from_static("revoir-client-cert-fingerprint");
const SUBJECT: HeaderName = HeaderName::from_static("revoir-client-cert-subject");

/// A certificate that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientCert {
    /// SHA-256 of all of it, in hexadecimal digits.
    fingerprint: String,
    /// As RFC 4514 writes it, in ASCII.
    subject: Option<String>,
}

impl ClientCert {
    pub(crate) fn new(der: &CertificateDer<'_>) -> Self {
        let digest = digest(&SHA256, der);
        let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        let parsed = CertificateInner::<Raw>::from_der(der).ok();
        let subject = parsed.map(|parsed| parsed.tbs_certificate().subject().to_string());
        Self {
            fingerprint: digits.collect(),
            subject: subject.map(|subject| in_ascii(&subject)),
        }
    }

    /// Puts it into the fields of a request, which have none of these names.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let subject = self.subject.as_ref();
        for (name, text) in [
            (FINGERPRINT, Some(&self.fingerprint)),
            (SUBJECT, subject.filter(|subject| !subject.is_empty())),
        ] {
            // Both are printable ASCII.
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(text).ok()) {
                headers.insert(name, value);
            }
        }
    }
}

/// A name of RFC 4514 with every byte that is not printable ASCII as `\` and two digits (section 2.4).
fn in_ascii(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\{byte:02x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    #[test]
    fn a_certificate_is_told_by_its_fingerprint_and_its_subject() {
        let mut params = CertificateParams::default();
        for (kind, value) in [
            (DnType::OrganizationName, "Café, Inc"),
            (DnType::CommonName, "ann\r\nX-User: root"),
        ] {
            params.distinguished_name.push(kind, value);
        }
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let mut headers = HeaderMap::new();
        ClientCert::new(made.der()).write(&mut headers);
        let subject = headers[SUBJECT].to_str().unwrap();
        assert!(subject.contains("O=Caf\\c3\\a9\\, Inc"), "{subject}");
        assert!(subject.contains("CN=ann\\0d\\0aX-User: root"), "{subject}");
        assert_eq!(headers[FINGERPRINT].len(), 64);
        assert_eq!(headers.len(), 2);
    }
}

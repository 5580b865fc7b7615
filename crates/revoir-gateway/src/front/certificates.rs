//! [`ByName`]: which certificate a client is shown.

use std::collections::HashMap;
use std::sync::Arc;

use revoir::tls::rustls::server::{ClientHello, ResolvesServerCert};
use revoir::tls::rustls::sign::CertifiedKey;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Certificates by the names that stand in them (RFC 6125 section 6.4.3: `*.` is one label). Who asks
/// for no name, or for another, is shown the first.
#[derive(Debug)]
pub(crate) struct ByName {
    first: Arc<CertifiedKey>,
    exact: HashMap<String, Arc<CertifiedKey>>,
    /// By what follows `*.`.
    wildcard: HashMap<String, Arc<CertifiedKey>>,
}

impl ByName {
    pub(crate) fn new(first: CertifiedKey) -> Self {
        let first = Arc::new(first);
        let mut all = Self {
            first: Arc::clone(&first),
            exact: HashMap::new(),
            wildcard: HashMap::new(),
        };
        all.enter(&first);
        all
    }

    /// Takes another one in. The names that have a certificate already keep it. Returns whether it
    /// has a name at all.
    pub(crate) fn add(&mut self, certificate: CertifiedKey) -> bool {
        self.enter(&Arc::new(certificate))
    }

    fn enter(&mut self, certificate: &Arc<CertifiedKey>) -> bool {
        let names = names(certificate);
        let has_names = !names.is_empty();
        for name in names {
            let (all, name) = match name.strip_prefix("*.") {
                Some(parent) => (&mut self.wildcard, parent.to_owned()),
                None => (&mut self.exact, name),
            };
            all.entry(name).or_insert_with(|| Arc::clone(certificate));
        }
        has_names
    }

    fn find(&self, name: &str) -> &Arc<CertifiedKey> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let by_wildcard = || {
            let (_, parent) = name.split_once('.')?;
            self.wildcard.get(parent)
        };
        let found = self.exact.get(&name).or_else(by_wildcard);
        found.unwrap_or(&self.first)
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().map(|name| self.find(name));
        Some(Arc::clone(named.unwrap_or(&self.first)))
    }
}

/// The DNS names in a certificate.
fn names(certificate: &CertifiedKey) -> Vec<String> {
    let der = certificate.cert.first();
    let parsed = der.and_then(|der| CertificateInner::<Raw>::from_der(der).ok());
    let extension = parsed.and_then(|parsed| {
        let extension = parsed.tbs_certificate().get_extension::<SubjectAltName>();
        extension.ok().flatten().map(|(_, names)| names)
    });
    let names = extension.map_or_else(Vec::new, |names| names.0);
    let names = names.into_iter().filter_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.to_string().to_ascii_lowercase()),
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use revoir::tls::rustls::crypto::ring;
    use revoir::tls::rustls::pki_types::PrivateKeyDer;

    use super::*;

    fn certificate(names: &[&str]) -> CertifiedKey {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = ring::default_provider();
        CertifiedKey::from_der(vec![made.cert.der().clone()], key, &provider).unwrap()
    }

    #[test]
    fn a_name_finds_its_certificate_a_wildcard_or_the_first() {
        let mut all = ByName::new(certificate(&["a.example"]));
        assert!(all.add(certificate(&["B.example", "*.b.example", "A.example"])));
        assert!(all.add(certificate(&["x.b.example"])));
        assert!(!all.add(certificate(&["192.0.2.1"])), "no name to ask for");
        let shown = |name| names(all.find(name)).remove(0);
        for (name, expected) in [
            ("a.example", "a.example"),
            ("A.EXAMPLE.", "a.example"),
            ("b.example", "b.example"),
            ("y.b.example", "b.example"),
            ("x.b.example", "x.b.example"),
            ("z.y.b.example", "a.example"),
            ("other", "a.example"),
            ("", "a.example"),
        ] {
            assert_eq!(shown(name), expected, "{name}");
        }
    }
}

//! [`Certificate`]: what stands in a certificate; [`Fault`]: what is wrong with it.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use revoir::tls::rustls::CertificateError;
use revoir::tls::rustls::client::verify_server_name;
use revoir::tls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use revoir::tls::rustls::server::ParsedCertificate;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

use crate::diagnose::trust::ShownChain;

/// What stands in a certificate, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) subject: String,
    pub(super) issuer: String,
    /// The hosts it is for.
    pub(super) names: Vec<String>,
    /// Seconds since 1970.
    not_before: i64,
    not_after: i64,
    self_signed: bool,
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Expired {
        on: String,
    },
    NotYetValid {
        from: String,
    },
    WrongName {
        names: Vec<String>,
    },
    SelfSigned,
    UnknownIssuer {
        issuer: String,
    },
    /// Another rule, in the verifier's words.
    Other(String),
}

impl Certificate {
    pub(super) fn read(der: &CertificateDer<'_>) -> Self {
        // `Raw`: a rule that a certificate breaks is the verifier's to tell; here it is only read.
        let Ok(certificate) = CertificateInner::<Raw>::from_der(der) else {
            return Self::default();
        };
        let certificate = certificate.tbs_certificate();
        let names = match certificate.get_extension::<SubjectAltName>() {
            Ok(Some((_, names))) => names.0.iter().filter_map(host).collect(),
            Ok(None) | Err(_) => Vec::new(),
        };
        Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names,
            not_before: seconds(certificate.validity().not_before),
            not_after: seconds(certificate.validity().not_after),
            self_signed: certificate.subject() == certificate.issuer(),
        }
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, issuer) = (self.names.join(", "), &self.issuer);
        write!(f, "certificate for {names} by {issuer:?}")?;
        write!(f, ", valid until {}", day(self.not_after))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { on } => write!(f, "it expired on {on}"),
            Self::NotYetValid { from } => write!(f, "it is valid from {from} only"),
            Self::WrongName { names } => {
                write!(f, "it is for {}, not for this host", names.join(", "))
            }
            Self::SelfSigned => f.write_str("it vouches for itself"),
            Self::UnknownIssuer { issuer } => write!(f, "nobody trusted vouches for {issuer:?}"),
            Self::Other(rule) => f.write_str(rule),
        }
    }
}

/// Every fault, not only the first one that the verifier stops at.
pub(super) fn faults(
    shown: &ShownChain,
    chain: &[Certificate],
    name: &ServerName<'_>,
    now: UnixTime,
) -> Vec<Fault> {
    let (Some(der), Some(leaf)) = (shown.chain.first(), chain.first()) else {
        return Vec::new();
    };
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let mut faults = Vec::new();
    for certificate in chain {
        if now > certificate.not_after {
            let on = day(certificate.not_after);
            faults.push(Fault::Expired { on });
        }
        if now < certificate.not_before {
            let from = day(certificate.not_before);
            faults.push(Fault::NotYetValid { from });
        }
    }
    let parsed = ParsedCertificate::try_from(der);
    if parsed.is_ok_and(|parsed| verify_server_name(&parsed, name).is_err()) {
        let names = leaf.names.clone();
        faults.push(Fault::WrongName { names });
    }
    match &shown.refused {
        Some(CertificateError::UnknownIssuer) if leaf.self_signed => faults.push(Fault::SelfSigned),
        Some(CertificateError::UnknownIssuer) => {
            let issuer = leaf.issuer.clone();
            faults.push(Fault::UnknownIssuer { issuer });
        }
        // A certificate that may sign others and vouches for itself.
        Some(_) if leaf.self_signed && faults.is_empty() => faults.push(Fault::SelfSigned),
        Some(other) if faults.is_empty() => faults.push(Fault::Other(format!("{other:?}"))),
        Some(_) | None => {}
    }
    faults.dedup();
    faults
}

fn host(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => {
            let four = <[u8; 4]>::try_from(bytes.as_bytes()).map(IpAddr::from);
            let six = <[u8; 16]>::try_from(bytes.as_bytes()).map(IpAddr::from);
            four.or(six).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// Seconds since 1970; X.509 in DER has no time before.
fn seconds(time: Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
}

/// The day of a time in seconds since 1970, as `2026-11-25`.
fn day(timestamp: i64) -> String {
    let seconds = u64::try_from(timestamp).unwrap_or(0);
    match UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) {
        Some(time) if seconds <= END_OF_TIME => {
            let text = humantime::format_rfc3339_seconds(time).to_string();
            text.chars().take(10).collect()
        }
        _ => "the end of time".to_owned(),
    }
}

/// 9999-12-31T23:59:59Z: the last second that a certificate can name, which means "never"
/// (RFC 5280, 4.1.2.5).
const END_OF_TIME: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(params: &rcgen::CertificateParams, refused: Option<CertificateError>) -> ShownChain {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        ShownChain {
            chain: vec![certificate.der().clone()],
            refused,
        }
    }

    fn faults_of(shown: &ShownChain, host: &str, days: u64) -> Vec<Fault> {
        let chain: Vec<_> = shown.chain.iter().map(Certificate::read).collect();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(days * 86_400));
        faults(shown, &chain, &name, now)
    }

    #[test]
    fn every_fault_of_a_certificate_is_found_at_once() {
        let mut params = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 2, 1);
        let shown = shown(&params, Some(CertificateError::UnknownIssuer));
        let expired = Fault::Expired {
            on: "2020-02-01".to_owned(),
        };
        let names = vec!["a.example".to_owned()];
        let wrong = Fault::WrongName { names };
        // 18263 days after 1970 it is 2020-01-02.
        assert_eq!(faults_of(&shown, "a.example", 18_263), [Fault::SelfSigned]);
        assert_eq!(
            faults_of(&shown, "b.example", 20_000),
            [expired, wrong, Fault::SelfSigned]
        );
        let early = faults_of(&shown, "a.example", 18_000);
        assert_eq!(
            early[0],
            Fault::NotYetValid {
                from: "2020-01-01".to_owned()
            }
        );
    }

    #[test]
    fn days_are_written_as_dates() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(1_700_000_000), "2023-11-14");
        assert_eq!(day(i64::MAX), "the end of time");
    }
}

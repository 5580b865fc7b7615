//! The TLS handshake: what was agreed, whose certificate it is, and every fault in it.

mod certificate;

use std::io::{self, ErrorKind};
use std::time::Duration;

use revoir::tls::rustls::pki_types::{ServerName, UnixTime};
use revoir::tls::rustls::{AlertDescription, Error as TlsError, ProtocolVersion};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::diagnose::log::short;
use crate::diagnose::stream::{Stream, Tap};
use crate::diagnose::trust::Witnessed;
use crate::diagnose::{Log, LookPlan, Outcome, StepId};
use certificate::Certificate;
pub(crate) use certificate::Fault;

/// What became of the TLS handshake.
#[derive(Debug)]
pub(crate) struct TlsSeen {
    /// What is wrong with the certificate, also where it was accepted all the same.
    pub(super) faults: Vec<Fault>,
    /// Why there is no TLS.
    pub(super) failure: Option<TlsFailure>,
}

/// Why there is no TLS.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TlsFailure {
    /// The certificate was not accepted; its faults say why.
    Certificate,
    /// What came back is not TLS: its first bytes.
    NotTls(Vec<u8>),
    /// The server ended it with an alert.
    Alert(String),
    /// The server does not speak HTTP/1.1 here.
    NoHttp1,
    /// TCP ended inside the handshake.
    Eof,
    Reset,
    Late,
    /// A rule of TLS was broken.
    Broken(String),
}

impl TlsFailure {
    /// Whether the server may be one without TLS.
    pub(super) fn may_be_plain(&self) -> bool {
        match self {
            Self::NotTls(_) | Self::Eof | Self::Reset | Self::Late => true,
            Self::Certificate | Self::Alert(_) | Self::NoHttp1 | Self::Broken(_) => false,
        }
    }
}

/// Speaks TLS on `tcp`, and offers HTTP/1.1 alone.
pub(super) async fn secure(
    tcp: Stream,
    plan: &LookPlan,
    log: &Log<'_>,
) -> (TlsSeen, Option<Stream>) {
    let begin = Instant::now();
    let handshake = shake(tcp, plan, &["http/1.1"]).await;
    let took = begin.elapsed();
    let leaf = handshake.chain.first();
    let faults = handshake.faults;
    let mut text = String::new();
    let (failure, stream) = match handshake.result {
        Ok(stream) => {
            text += &agreed(&stream);
            (None, Some(Box::new(stream) as Stream))
        }
        Err(failure) => {
            text += &failure_text(&failure, plan.limit);
            (Some(failure), None)
        }
    };
    if let Some(leaf) = leaf {
        text += &format!(
            "; {leaf}, with {} more in the chain",
            handshake.chain.len() - 1
        );
    }
    for fault in &faults {
        text += &format!("; {fault}");
    }
    let outcome = match (&failure, faults.is_empty()) {
        (None, true) => Outcome::Passed,
        (None, false) => Outcome::Noted,
        (Some(_), _) => Outcome::Failed,
    };
    if outcome == Outcome::Noted {
        text += "; accepted all the same (--insecure)";
    }
    log.step(StepId::Tls, outcome, took, &text);
    (TlsSeen { faults, failure }, stream)
}

/// What the server chooses when it may have HTTP/2, as browsers offer it. Without a word if there is
/// no answer: the handshake that counts was another one.
pub(super) async fn choice(tcp: Stream, plan: &LookPlan, log: &Log<'_>) -> Option<String> {
    let begin = Instant::now();
    let handshake = shake(tcp, plan, &["h2", "http/1.1"]).await;
    let took = begin.elapsed();
    let stream = handshake.result.ok()?;
    let chosen = alpn(&stream).unwrap_or_else(|| "nothing".to_owned());
    let text = format!("offered h2 and http/1.1, the server chooses {chosen}");
    let outcome = match chosen.as_str() {
        "h2" => Outcome::Noted,
        _ => Outcome::Passed,
    };
    log.step(StepId::Alpn, outcome, took, &text);
    Some(chosen)
}

/// TLS once more, on a further connection. Only a failure is worth a word.
pub(super) async fn secure_again(
    tcp: Stream,
    id: StepId,
    plan: &LookPlan,
    log: &Log<'_>,
) -> Option<Stream> {
    let begin = Instant::now();
    match shake(tcp, plan, &["http/1.1"]).await.result {
        Ok(stream) => Some(Box::new(stream)),
        Err(failure) => {
            let text = format!(
                "no further connection: {}",
                failure_text(&failure, plan.limit)
            );
            log.step(id, Outcome::Failed, begin.elapsed(), &text);
            None
        }
    }
}

/// Whether somebody speaks TLS there, whatever the certificate.
pub(super) async fn is_spoken(tcp: Stream, plan: &LookPlan) -> bool {
    let handshake = shake(tcp, plan, &["http/1.1"]).await;
    matches!(
        handshake.result,
        Ok(_) | Err(TlsFailure::Certificate | TlsFailure::Alert(_) | TlsFailure::NoHttp1)
    )
}

struct Handshake {
    result: Result<TlsStream<Tap<Stream>>, TlsFailure>,
    chain: Vec<Certificate>,
    faults: Vec<Fault>,
}

async fn shake(tcp: Stream, plan: &LookPlan, alpn: &[&str]) -> Handshake {
    let (tap, first) = Tap::new(tcp);
    let name = ServerName::try_from(plan.target.host.clone());
    let witnessed = Witnessed::default();
    let config = plan.trust.config(alpn, &witnessed);
    let (Ok(name), Ok(config)) = (name, config) else {
        // A host that TLS cannot name, or a provider without protocols: neither comes from the peer.
        let failure = TlsFailure::Broken(format!("no TLS for the host {:?}", plan.target.host));
        return Handshake {
            result: Err(failure),
            chain: Vec::new(),
            faults: Vec::new(),
        };
    };
    let connecting = TlsConnector::from(config).connect(name.clone(), tap);
    let result = match timeout(plan.limit, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(classify(&error, &first.bytes())),
        Err(_) if is_foreign(&first.bytes()) => Err(TlsFailure::NotTls(first.bytes())),
        Err(_) => Err(TlsFailure::Late),
    };
    let shown = witnessed.shown();
    let chain: Vec<_> = shown.chain.iter().map(Certificate::read).collect();
    let faults = certificate::faults(&shown, &chain, &name, UnixTime::now());
    Handshake {
        result,
        chain,
        faults,
    }
}

/// What the TLS library says, in words that tell causes apart.
fn classify(error: &io::Error, first: &[u8]) -> TlsFailure {
    if is_foreign(first) {
        return TlsFailure::NotTls(first.to_vec());
    }
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match (inner, error.kind()) {
        (Some(TlsError::InvalidCertificate(_)), _) => TlsFailure::Certificate,
        (Some(TlsError::AlertReceived(AlertDescription::NoApplicationProtocol)), _) => {
            TlsFailure::NoHttp1
        }
        (Some(TlsError::AlertReceived(alert)), _) => TlsFailure::Alert(format!("{alert:?}")),
        (Some(other), _) => TlsFailure::Broken(other.to_string()),
        (None, ErrorKind::UnexpectedEof) => TlsFailure::Eof,
        (None, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => TlsFailure::Reset,
        (None, _) => TlsFailure::Broken(error.to_string()),
    }
}

/// Whether bytes are there that do not begin a TLS record (RFC 8446 section 5.1).
fn is_foreign(first: &[u8]) -> bool {
    first
        .first()
        .is_some_and(|kind| !(0x14..=0x17).contains(kind))
}

fn agreed(stream: &TlsStream<Tap<Stream>>) -> String {
    let (_, session) = stream.get_ref();
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS",
    };
    match alpn(stream) {
        Some(protocol) => format!("{version}, ALPN {protocol}"),
        None => format!("{version}, the server ignores ALPN"),
    }
}

fn alpn(stream: &TlsStream<Tap<Stream>>) -> Option<String> {
    let (_, session) = stream.get_ref();
    let protocol = session.alpn_protocol()?;
    Some(String::from_utf8_lossy(protocol).into_owned())
}

fn failure_text(failure: &TlsFailure, limit: Duration) -> String {
    match failure {
        TlsFailure::Certificate => "the certificate is not accepted".to_owned(),
        TlsFailure::NotTls(first) => {
            let start = &first[..first.len().min(24)];
            format!(
                "the answer is not TLS: {:?}",
                String::from_utf8_lossy(start)
            )
        }
        TlsFailure::Alert(alert) => format!("the server ended it with the alert {alert}"),
        TlsFailure::NoHttp1 => "the server does not offer HTTP/1.1 (ALPN)".to_owned(),
        TlsFailure::Eof => "TCP ended inside the TLS handshake".to_owned(),
        TlsFailure::Reset => "TCP was reset inside the TLS handshake".to_owned(),
        TlsFailure::Late => format!("the TLS handshake was not done within {}", short(limit)),
        TlsFailure::Broken(rule) => format!("TLS failed: {rule}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_tls_is_told_from_one_that_fails() {
        let error = io::Error::new(ErrorKind::InvalidData, TlsError::HandshakeNotComplete);
        let http = b"HTTP/1.1 400 Bad Request";
        assert_eq!(classify(&error, http), TlsFailure::NotTls(http.to_vec()));
        assert!(matches!(
            classify(&error, b"\x16\x03\x01"),
            TlsFailure::Broken(_)
        ));
        let eof = io::Error::from(ErrorKind::UnexpectedEof);
        assert_eq!(classify(&eof, b""), TlsFailure::Eof);
        assert!(TlsFailure::Eof.may_be_plain() && !TlsFailure::NoHttp1.may_be_plain());
    }
}

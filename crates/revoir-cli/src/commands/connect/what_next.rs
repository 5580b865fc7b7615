//! What the user can do about an ending.

use revoir::client::ConnectError;
use revoir::ending::{Detail, DetailKind};
use revoir::handshake::HandshakeError;
use revoir::{Cause, Ending};
use revoir_codes::catalog::causes::causes;
use revoir_codes::catalog::{Locale, explain};

/// For a connection that never opened, how to fix its cause; else the advice for the code.
pub(super) fn what_next(ending: &Ending, locale: &'static Locale) -> String {
    let known = cause(ending).and_then(|id| causes(locale).find(|(facts, _)| facts.id == id));
    let text = match (exactly(ending, locale), known) {
        (Some(text), _) => text,
        (None, Some((_, text))) => locale.paragraph(text.fix),
        (None, None) => explain(ending.code(), locale).text.next.to_owned(),
    };
    format!(
        "{}{}{text}",
        locale.labels.what_next,
        locale.phrases().colon
    )
}

/// Where more is known than the reference tells apart: which fault of TLS it was, or that it was a
/// proxy. In English only.
fn exactly(ending: &Ending, locale: &Locale) -> Option<String> {
    let is_known = matches!(
        ending.detail.kind(),
        Some(DetailKind::Tls(_) | DetailKind::Proxy)
    );
    if !is_known || locale.tag != "en" {
        return None;
    }
    let error = ConnectError::from(ending.clone());
    let mut text = error.advice()?.to_owned();
    text[..1].make_ascii_uppercase();
    Some(text + ".")
}

/// The cause in the reference, one that `diagnose` names, that stands behind a connection that never opened.
fn cause(ending: &Ending) -> Option<&'static str> {
    let status = ending.response.as_ref().map(|response| response.status);
    match (ending.cause, status) {
        // What becomes of the way to a proxy, or what it refuses, says nothing of the server.
        _ if ending.detail.kind() == Some(DetailKind::Proxy) => None,
        (Cause::Dns, _) => Some("dns"),
        (Cause::Refused, _) => Some("refused"),
        (Cause::ConnectTimeout | Cause::Unreachable, _) => Some("blackhole"),
        (Cause::HandshakeEof | Cause::HandshakeReset, _) => Some("handshake-cut"),
        (Cause::HandshakeTimeout, _) => Some("handshake-silent"),
        (Cause::TlsFailed, _) => Some("tls"),
        (Cause::HandshakeRejected, Some(401 | 403)) => Some("http-401-403"),
        (Cause::HandshakeRejected, Some(200 | 426)) => Some("proxy-not-upgrading"),
        (Cause::HandshakeRejected, Some(300..=399)) => Some("redirect"),
        (Cause::HandshakeRejected, Some(400 | 404 | 405 | 410)) => Some("http-404-path"),
        (Cause::HandshakeRejected, Some(500..=599)) => Some("http-5xx"),
        (Cause::HandshakeInvalid, _) => match &ending.detail {
            Detail::Handshake(error) => Some(match **error {
                HandshakeError::NotHttp { .. } => "scheme-mismatch",
                _ => "accept-key",
            }),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use revoir::ending::TlsFault;
    use revoir::handshake::{Headers, Refused};

    use super::*;

    fn next(cause: Cause, detail: Detail) -> String {
        what_next(&Ending::never_opened(cause, detail), Locale::english())
    }

    #[test]
    fn a_connection_that_never_opened_is_fixed_at_its_cause() {
        assert!(next(Cause::Refused, Detail::None).contains("Start the server."));
        assert!(next(Cause::Dns, Detail::None).contains("Correct the host name"));
        let not_http = HandshakeError::NotHttp { byte: 0x15 };
        let detail = Detail::Handshake(Box::new(not_http));
        assert!(
            next(Cause::HandshakeInvalid, detail).contains("Make the scheme and the port match.")
        );
    }

    #[test]
    fn every_cause_of_a_connection_that_did_not_come_to_be_is_one_of_the_reference() {
        // A status, or what was wrong with the answer, says which of several it is.
        let told_by_the_answer = [Cause::HandshakeRejected, Cause::HandshakeInvalid];
        for of in Cause::ALL.iter().copied().filter(|of| !of.was_open()) {
            let ending = Ending::never_opened(of, Detail::None);
            let known = cause(&ending).map(|id| causes(Locale::english()).any(|it| it.0.id == id));
            match told_by_the_answer.contains(&of) {
                true => assert_eq!(known, None, "{of:?}"),
                false => assert_eq!(known, Some(true), "{of:?}"),
            }
        }
    }

    #[test]
    fn each_fault_of_tls_has_its_own_advice() {
        let mut all: Vec<String> = TlsFault::ALL
            .iter()
            .copied()
            .map(|fault| {
                let text = "InvalidCertificate(CaUsedAsEndEntity)".into();
                next(Cause::TlsFailed, Detail::Tls { fault, text })
            })
            .collect();
        assert!(all.iter().all(|text| !text.contains("CaUsed")), "{all:?}");
        all.sort();
        all.dedup();
        assert_eq!(all.len(), TlsFault::ALL.len());
    }

    #[test]
    fn a_proxy_that_refuses_is_not_the_servers_origin_check() {
        let detail = Detail::Proxy("proxy 10.0.0.1:3128: it refused CONNECT".into());
        let mut ending = Ending::from(Refused::new(403, Headers::new()));
        ending.detail = detail;
        let next = what_next(&ending, Locale::english());
        assert!(next.contains("The proxy does not allow it"), "{next}");
        let detail = Detail::Proxy("proxy 10.0.0.1:3128".into());
        let ending = Ending::never_opened(Cause::Refused, detail);
        for locale in Locale::all() {
            assert!(
                !what_next(&ending, locale).contains("`0.0.0.0`"),
                "{}",
                locale.tag
            );
        }
    }

    #[test]
    fn any_other_ending_has_the_advice_for_its_code() {
        let next = next(Cause::Eof, Detail::None);
        assert!(
            next.contains("Reconnect with exponential backoff"),
            "{next}"
        );
    }

    #[test]
    fn every_cause_named_here_is_in_the_reference() {
        for id in [
            "dns",
            "refused",
            "blackhole",
            "tls",
            "http-401-403",
            "proxy-not-upgrading",
            "redirect",
            "http-404-path",
            "http-5xx",
            "scheme-mismatch",
            "accept-key",
        ] {
            assert!(
                causes(Locale::english()).any(|(facts, _)| facts.id == id),
                "{id}"
            );
        }
    }
}

//! Which header fields pass through the gateway (RFC 9110 section 7.6), and which it writes itself.

use hyper::HeaderMap;
use hyper::header::{CONNECTION, HOST, HeaderName};

use crate::front::source::{Source, is_claim};

/// Fields that concern one connection only (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Fields that only the gateway may write.
const OURS: &str = "revoir-";

/// Fields of the client and of its opening handshake: whatever else writes them would be believed.
const OF_CLIENTS: [&str; 7] = [
    "authority",
    "cookie",
    "expect",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
];
const OF_HANDSHAKES: [&str; 2] = ["sec-websocket-", "proxy-"];

/// Whether only the gateway, or a proxy that is trusted, may write a field.
fn is_trusted(name: &str) -> bool {
    let mut beginnings = [OURS, "x-request-id", "x-real-ip"].into_iter();
    beginnings.any(|beginning| name.starts_with(beginning)) || is_claim(name)
}

/// Whether an auth hook may set a field: it is not of the connection, not of the client, and not the
/// gateway's own. `_` counts as `-`, as CGI has it.
pub(crate) fn may_be_granted(name: &HeaderName) -> bool {
    let meant = name.as_str().replace('_', "-");
    let mut beginnings = OF_HANDSHAKES.iter();
    !is_trusted(&meant)
        && !HOP_BY_HOP.contains(&&*meant)
        && !OF_CLIENTS.contains(&&*meant)
        && !beginnings.any(|beginning| meant.starts_with(beginning))
}

/// Takes away what concerns one connection only, with everything that Connection names.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // A client must not be able to take Host away.
        .filter(|name| *name != HOST)
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Makes the header fields of a client's request into those of the gateway's: without what concerns
/// one connection, without what only the gateway may write, and with where it comes from.
pub(crate) fn rewrite_request(headers: &mut HeaderMap, source: &Source) {
    strip_hop_by_hop(headers);
    let ours: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with(OURS) || is_twin(name.as_str()))
        .cloned()
        .collect();
    for name in ours {
        headers.remove(name);
    }
    source.write(headers);
}

/// Whether a backend that makes variables of fields, as CGI does (RFC 3875 section 4.1.18), takes
/// it for one that only the gateway or a trusted proxy may write: `X_Forwarded_For` for example.
fn is_twin(name: &str) -> bool {
    name.contains('_') && is_trusted(&name.replace('_', "-"))
}

/// Whether `name` is `own`, or becomes it in a backend that makes variables of fields.
pub(crate) fn is_twin_of(name: &HeaderName, own: &HeaderName) -> bool {
    let variable = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => byte,
        false => b'_',
    };
    let (name, own) = (name.as_str().bytes(), own.as_str().bytes());
    name.map(variable).eq(own.map(variable))
}

/// The value of Host without its port.
pub(crate) fn without_port(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        // A colon in an IPv6 address stands in its brackets.
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    // It says only that the name is whole.
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hyper::header::HeaderValue;

    use super::*;
    use crate::net::{Peer, Peers};

    #[test]
    fn a_host_is_known_by_its_name_without_port_and_dot() {
        for (host, name) in [
            ("a.example", "a.example"),
            ("a.example:80", "a.example"),
            ("a.example.", "a.example"),
            ("a.example.:80", "a.example"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::try_from(*value).unwrap(),
            );
        }
        headers
    }

    #[test]
    fn what_concerns_one_connection_does_not_pass() {
        let mut got = headers(&[
            ("Host", "a.example"),
            ("Connection", "keep-alive, X-Secret, Host"),
            ("Keep-Alive", "timeout=5"),
            ("X-Secret", "1"),
            ("TE", "trailers"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),
            ("X-Kept", "2"),
        ]);
        strip_hop_by_hop(&mut got);
        assert_eq!(got, headers(&[("Host", "a.example"), ("X-Kept", "2")]));
    }

    #[test]
    fn what_only_the_gateway_may_write_does_not_pass() {
        let mut got = headers(&[
            ("Revoir-Resume", "conn=1"),
            ("revoir-anything", "1"),
            ("Revoir_Resume", "conn=1"),
            ("X_Forwarded_For", "6.6.6.6"),
            ("X-Forwarded_Proto", "https"),
            ("X_Real_IP", "6.6.6.6"),
            ("X_Request_Id", "1"),
            ("X-Real_IP-2", "6.6.6.6"),
            ("x_kept", "1"),
        ]);
        let peer = Peer::Tcp((Ipv4Addr::LOCALHOST, 1).into());
        rewrite_request(&mut got, &Source::new(peer, false, &Peers::default()));
        assert!(got.keys().all(|name| !name.as_str().starts_with(OURS)));
        assert_eq!(got["x-forwarded-for"], "127.0.0.1");
        let mut underscored = got.keys().filter(|name| name.as_str().contains('_'));
        assert_eq!(underscored.next().map(HeaderName::as_str), Some("x_kept"));
        assert_eq!(underscored.next(), None);
    }

    #[test]
    fn a_hook_sets_nothing_that_others_are_believed_for() {
        let name = |name: &str| HeaderName::try_from(name).unwrap();
        for granted in ["X-User", "x_role", "Authorization", "X-Forward", "Revoir"] {
            assert!(may_be_granted(&name(granted)), "{granted}");
        }
        for others in [
            "Connection",
            "Transfer_Encoding",
            "Forwarded",
            "X-Forwarded-User",
            "X_Forwarded_For",
            "X-Real-IP",
            "X_Request_Id",
            "Revoir-Conn",
            "Sec-WebSocket-Protocol",
            "Proxy-Authorization",
            "Content_Length",
            "Cookie",
            "Host",
        ] {
            assert!(!may_be_granted(&name(others)), "{others}");
        }
    }
}

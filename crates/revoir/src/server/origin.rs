//! Which web pages may connect (RFC 6455 sections 4.2.2 and 10.2).

use revoir_proto::handshake::{HandshakeError, Origins, Request};

/// Refuses a page from another host, unless its origin is in `allowed`.
///
/// Without this any page that a user visits can connect with the user's cookies. A request without
/// an Origin does not come from a browser.
pub(super) fn check(request: &Request, allowed: &Origins) -> Result<(), HandshakeError> {
    let Some(origin) = request.headers().get("origin") else {
        return Ok(());
    };
    if allowed.allow(origin) || is_same_host(origin, request.host()) {
        return Ok(());
    }
    let got = String::from_utf8_lossy(origin).into_owned();
    Err(HandshakeError::OriginNotAllowed { got })
}

/// Whether the page that a request comes from may make it, as [`Acceptor`](crate::Acceptor) decides
/// for handshakes: the page is from the host that is asked, or its origin is in `allowed`. A request
/// without an Origin does not come from a page.
///
/// Browsers send Origin with every request that changes something, so this protects other routes of
/// an HTTP server too.
#[must_use]
pub fn is_origin_allowed(headers: &http::HeaderMap, allowed: &Origins) -> bool {
    use http::header::{HOST, ORIGIN};

    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin.as_bytes();
    allowed.allow(origin) || host.is_some_and(|host| is_same_host(origin, host))
}

/// Whether `origin` has the host and port of `host`, where a missing port is the one of the
/// origin's scheme.
fn is_same_host(origin: &[u8], host: &str) -> bool {
    // A browser writes scheme, host, and the port unless it is the scheme's own; nothing else.
    let Some((scheme, page)) = std::str::from_utf8(origin)
        .ok()
        .and_then(|origin| origin.split_once("://"))
    else {
        return false;
    };
    let default = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    match (host_and_port(page, default), host_and_port(host, default)) {
        (Some((page, its)), Some((asked, port))) => page.eq_ignore_ascii_case(asked) && its == port,
        _ => false,
    }
}

fn host_and_port(authority: &str, default: u16) -> Option<(&str, u16)> {
    let is_other = |byte: u8| matches!(byte, b'@' | b'/' | b'?' | b'#' | b'\\' | 0..=b' ');
    if authority.bytes().any(is_other) {
        return None;
    }
    // The colons of an IPv6 address stand in brackets.
    let ports_from = authority.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match authority[ports_from..].split_once(':') {
        Some((host, port)) => (&authority[..ports_from + host.len()], port),
        None => (authority, ""),
    };
    let port = match port {
        "" => default,
        port => port.parse().ok()?,
    };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_host_and_port_are_the_same() {
        for (origin, host) in [
            ("http://example.com", "example.com"),
            ("http://example.com", "EXAMPLE.com:80"),
            ("https://example.com", "example.com:443"),
            ("http://localhost:9000", "localhost:9000"),
            ("http://[::1]:9", "[::1]:9"),
        ] {
            assert!(is_same_host(origin.as_bytes(), host), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://evil.example", "example.com"),
            ("http://example.com.evil.example", "example.com"),
            ("http://localhost:3000", "localhost:9000"),
            ("https://example.com", "example.com:80"),
            ("null", "null"),
            ("", ""),
            ("file://", ""),
            ("ftp://example.com", "example.com"),
            ("http://user@example.com@evil.example", "example.com"),
            ("http://evil.example@example.com", "example.com"),
        ] {
            assert!(!is_same_host(origin.as_bytes(), host), "{origin} {host}");
        }
        assert!(!is_same_host(b"http://\xff", "\u{fffd}"));
    }

    #[test]
    fn a_request_of_a_page_is_from_the_same_host_or_an_allowed_one() {
        let allowed = Origins::only(["https://friend.example"]);
        for (host, origin, expected) in [
            (Some("example.com"), None, true),
            (None, None, true),
            (Some("example.com"), Some("http://example.com"), true),
            (Some("example.com"), Some("https://friend.example"), true),
            (None, Some("https://friend.example"), true),
            (Some("example.com"), Some("http://evil.example"), false),
            (Some("example.com"), Some("null"), false),
            (None, Some("http://example.com"), false),
        ] {
            let mut headers = http::HeaderMap::new();
            for (name, value) in [("host", host), ("origin", origin)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            let is_allowed = is_origin_allowed(&headers, &allowed);
            assert_eq!(is_allowed, expected, "{host:?} {origin:?}");
        }
    }
}

//! Which web pages may connect (RFC 6455 sections 4.2.2 and 10.2).

use revoir_proto::handshake::{HandshakeError, Origins, Request};
use url::Url;

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

/// Whether `origin` has the host and port of `host`, where a missing port is the one of the
/// origin's scheme.
fn is_same_host(origin: &[u8], host: &str) -> bool {
    let Ok(text) = std::str::from_utf8(origin) else {
        return false;
    };
    let Ok(origin) = Url::parse(text) else {
        return false;
    };
    if origin.host_str().is_none() {
        return false;
    }
    let Ok(asked) = Url::parse(&format!("{}://{host}/", origin.scheme())) else {
        return false;
    };
    origin.host() == asked.host() && origin.port_or_known_default() == asked.port_or_known_default()
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
            ("http://user@example.com@evil.example", "example.com"),
        ] {
            assert!(!is_same_host(origin.as_bytes(), host), "{origin} {host}");
        }
        assert!(!is_same_host(b"http://\xff", "\u{fffd}"));
    }
}

//! Which web pages may connect (RFC 6455 sections 4.2.2 and 10.2).

use hyper::header::{HOST, ORIGIN};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Uri};
use revoir::Origins;

/// Whether the page that a handshake comes from may connect: it is from the same host, or its
/// origin is allowed. A request without an Origin does not come from a page.
pub fn may_connect(headers: &HeaderMap, allowed: &Origins) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    allowed.allow(origin.as_bytes())
        || origin
            .to_str()
            .is_ok_and(|origin| is_same_host(origin, host.unwrap_or_default()))
}

/// Whether `origin` has the host and port of `host`, where a missing port is that of the origin's
/// scheme.
fn is_same_host(origin: &str, host: &str) -> bool {
    let (Ok(origin), Ok(host)) = (origin.parse::<Uri>(), host.parse::<Authority>()) else {
        return false;
    };
    let default = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return false,
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    origin.authority().is_some_and(|origin| {
        let is_plain = !origin.as_str().contains('@');
        is_plain && origin.host().eq_ignore_ascii_case(host.host()) && port(origin) == port(&host)
    })
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
            assert!(is_same_host(origin, host), "{origin} {host}");
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
            ("http://example.com@evil.example", "example.com"),
            ("http://evil.example@example.com", "example.com"),
        ] {
            assert!(!is_same_host(origin, host), "{origin} {host}");
        }
    }
}

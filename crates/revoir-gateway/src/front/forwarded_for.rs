//! The addresses in X-Forwarded-For, as proxies write them.

use std::net::{IpAddr, SocketAddr};

/// The address in one element: `192.0.2.1`, `192.0.2.1:1234` as Azure writes it, `2001:db8::1`,
/// `[2001:db8::1]` or `[2001:db8::1]:1234`, also in quotes.
pub(super) fn address(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim();
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let text = quoted.unwrap_or(text);
    let bracketed = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bracketed.unwrap_or(text).parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    Some(address.or_else(with_port)?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_proxies_write_it() {
        for (element, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1\t", "192.0.2.1"),
            ("192.0.2.1:5678", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("\"[2001:db8::1]:5678\"", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            let expected = expected.parse().ok();
            assert_eq!(address(element.as_bytes()), expected, "{element}");
        }
        for nobody in [&b"unknown"[..], b"", b"\xff", b"192.0.2.1:x", b"_hidden"] {
            assert_eq!(address(nobody), None);
        }
    }
}

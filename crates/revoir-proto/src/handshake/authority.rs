//! The Host header and the target of a request (RFC 9112 section 3.2, RFC 6455 section 3).

use core::net::Ipv6Addr;

/// The value of Host for a server at `host` and `port`: brackets around an IPv6 address, no port
/// where it is the scheme's own (RFC 6455 section 4.1 item 4). `None` if `host` is not a host.
pub(super) fn host_header(host: &str, port: u16, secure: bool) -> Option<String> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let mut value = match bare {
        Some(address) => bracketed(address)?,
        None if host.contains(':') => bracketed(host)?,
        None if is_reg_name(host.as_bytes()) => host.to_owned(),
        None => return None,
    };
    let default_port = if secure { 443 } else { 80 };
    if port != default_port {
        value.push(':');
        value.push_str(&port.to_string());
    }
    Some(value)
}

/// An IPv6 address in brackets. A zone is for this machine only and is left out (RFC 6874
/// section 4).
fn bracketed(address: &str) -> Option<String> {
    let (address, _zone) = address.split_once('%').unwrap_or((address, ""));
    let address: Ipv6Addr = address.parse().ok()?;
    Some(format!("[{address}]"))
}

/// Whether `value` is a host with an optional port, as Host must have (RFC 9112 section 3.2).
pub(super) fn is_authority(value: &[u8]) -> bool {
    let (host, port) = match value.iter().rposition(|byte| matches!(byte, b':' | b']')) {
        Some(at) if value[at] == b':' => (&value[..at], &value[at + 1..]),
        _ => (value, &[] as &[u8]),
    };
    let is_literal = match host {
        [b'[', address @ .., b']'] => {
            !address.is_empty()
                && address
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || b":.-_~%".contains(byte))
        }
        _ => false,
    };
    (is_literal || is_reg_name(host)) && port.iter().all(u8::is_ascii_digit)
}

/// RFC 3986 section 3.2.2: unreserved characters, percent-encoded ones and sub-delimiters.
fn is_reg_name(host: &[u8]) -> bool {
    !host.is_empty()
        && host
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(byte))
}

/// Whether `target` is a resource name (RFC 6455 section 3): a path that starts with a slash, and
/// a query, without a fragment.
pub(super) fn is_resource_name(target: &str) -> bool {
    target.starts_with('/')
        && target
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// The authority and the resource name in the target of a request: a resource name, or an
/// absolute URI (RFC 6455 section 4.2.1 item 1). `None` for anything else.
pub(super) fn split_target(target: &str) -> Option<(Option<&str>, &str)> {
    if target.starts_with('/') {
        return is_resource_name(target).then_some((None, target));
    }
    let (scheme, rest) = target.split_once("://")?;
    let schemes = ["ws", "wss", "http", "https"];
    if !schemes
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme))
    {
        return None;
    }
    let (authority, resource) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    (is_authority(authority.as_bytes()) && is_resource_name(resource))
        .then_some((Some(authority), resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_is_left_out_only_where_it_is_the_scheme_s_own() {
        let host = |host, port, secure| host_header(host, port, secure).unwrap();
        assert_eq!(host("example.com", 80, false), "example.com");
        assert_eq!(host("example.com", 443, true), "example.com");
        assert_eq!(host("example.com", 443, false), "example.com:443");
        assert_eq!(host("example.com", 80, true), "example.com:80");
        assert_eq!(host("192.0.2.1", 9000, false), "192.0.2.1:9000");
    }

    #[test]
    fn ipv6_addresses_get_brackets_and_lose_their_zone() {
        let host = |host| host_header(host, 81, false);
        assert_eq!(host("2001:db8::1").as_deref(), Some("[2001:db8::1]:81"));
        assert_eq!(host("[::1]").as_deref(), Some("[::1]:81"));
        assert_eq!(host("fe80::1%eth0").as_deref(), Some("[fe80::1]:81"));
        assert_eq!(host("::1]:99"), None);
        assert_eq!(host("[example.com]"), None);
    }

    #[test]
    fn only_hosts_are_hosts() {
        for wrong in [
            "",
            "a b",
            "a/b",
            "user@a",
            "a\r\nb",
            "a:80",
            "bücher.example",
            "a#b",
        ] {
            assert_eq!(host_header(wrong, 80, false), None, "{wrong:?}");
        }
        for right in ["a", "a:", "a:80", "[::1]", "[::1]:80", "a_b.c"] {
            assert!(is_authority(right.as_bytes()), "{right:?}");
        }
        for wrong in ["", ":80", "a:b", "a b", "[::1", "[]", "a,b/c", "::1", "u@h"] {
            assert!(!is_authority(wrong.as_bytes()), "{wrong:?}");
        }
    }

    #[test]
    fn target_is_a_resource_name_or_an_absolute_uri() {
        assert_eq!(split_target("/a?b"), Some((None, "/a?b")));
        assert_eq!(split_target("ws://h:1/a"), Some((Some("h:1"), "/a")));
        assert_eq!(split_target("HTTP://h"), Some((Some("h"), "/")));
        for wrong in [
            "*",
            "h:80",
            "ftp://h/",
            "a",
            "/a#b",
            "ws://u@h/",
            "ws:///a",
            "",
        ] {
            assert_eq!(split_target(wrong), None, "{wrong:?}");
        }
    }
}

//! Who may ask: no page in a browser, whatever it does.

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName};

use crate::front::without_port;

/// The header field that every request needs which a page must not be able to make. A browser sends
/// it to another origin only after a preflight request, which is not answered.
pub const HEADER: HeaderName = HeaderName::from_static("revoir-admin");

/// Whether Host is the name of this machine as an operator would write it, or one of `more`.
///
/// A page whose own name was made to lead here (DNS rebinding) sends that name. It cannot send an
/// address: then it would have come from here.
pub(super) fn is_host_allowed(headers: &HeaderMap, more: &[String]) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Ok(host) = host.to_str() else {
        return false;
    };
    let name = without_port(host);
    let bracketed = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok()
        || bracketed.is_some_and(|name| name.parse::<Ipv6Addr>().is_ok())
        || more.iter().any(|more| more.eq_ignore_ascii_case(name))
}

pub(super) fn has_header(headers: &HeaderMap) -> bool {
    headers.get(HEADER).is_some_and(|value| value == "1")
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn allowed(hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_str(host).unwrap());
        }
        is_host_allowed(&headers, &["gateway.internal".to_owned()])
    }

    #[test]
    fn only_names_of_this_machine_and_addresses_are_hosts() {
        for host in [
            "localhost",
            "LocalHost:9090",
            "127.0.0.1",
            "127.0.0.1:9090",
            "10.1.2.3:9090",
            "[::1]:9090",
            "[::1]",
            "gateway.internal:9090",
        ] {
            assert!(allowed(&[host]), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:9090",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "[evil.example]",
            "::1",
            "",
        ] {
            assert!(!allowed(&[host]), "{host}");
        }
        assert!(!allowed(&[]), "there has to be one");
        assert!(!allowed(&["localhost", "evil.example"]));
    }

    #[test]
    fn the_header_field_has_one_value() {
        let has = |value| {
            let value = HeaderValue::from_static(value);
            has_header(&HeaderMap::from_iter([(HEADER, value)]))
        };
        assert!(has("1"));
        assert!(!has("0") && !has(""));
        assert!(!has_header(&HeaderMap::new()));
    }
}

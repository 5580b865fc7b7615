//! The head of a request: its target, its host and its length.

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::header::{HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Method, Request, Version};

use crate::front::headers::without_port;

/// An absolute target goes before Host (RFC 9112 section 3.2.2), and the backend gets a path.
pub(super) fn normalise<B>(request: &mut Request<B>) {
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
    // Other targets are a path already, or have none.
    if request.uri().scheme().is_some()
        && let Some(path) = request.uri().path_and_query()
    {
        // As text it begins with `/`, also where it is empty.
        if let Ok(path) = path.to_string().parse() {
            *request.uri_mut() = path;
        }
    }
}

/// The length of a request's head as it is usually written.
pub(super) fn head_bytes<B>(request: &Request<B>) -> usize {
    let path = request.uri().path_and_query();
    let line = "GET  HTTP/1.1\r\n".len() + path.map_or(1, |path| path.as_str().len());
    let fields = request.headers().iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    line + fields.sum::<usize>() + "\r\n".len()
}

/// RFC 9112 section 3.2: one Host field, which only HTTP/1.0 may leave out.
pub(super) fn has_one_host<B>(request: &Request<B>) -> bool {
    match request.headers().get_all(HOST).iter().count() {
        0 => request.version() == Version::HTTP_10,
        count => count == 1,
    }
}

/// Whether Host is a host, and a port where there is one (RFC 9110 section 7.2). What is not could be
/// another route's for a backend that reads it in another way.
pub(super) fn has_a_plain_host<B>(request: &Request<B>) -> bool {
    let host = request.headers().get(HOST);
    host.is_none_or(|host| is_plain_host(host.as_bytes()))
}

fn is_plain_host(host: &[u8]) -> bool {
    let is_of_address = |byte: &u8| byte.is_ascii_hexdigit() || b":.".contains(byte);
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    let (is_host, port) = if let Some(rest) = host.strip_prefix(b"[") {
        let Some(end) = rest.iter().position(|byte| *byte == b']') else {
            return false;
        };
        let is_address = end > 0 && rest[..end].iter().all(is_of_address);
        (is_address, &rest[end + 1..])
    } else {
        let end = host.iter().position(|byte| *byte == b':');
        let (name, port) = host.split_at(end.unwrap_or(host.len()));
        let has_empty_label = name.starts_with(b".") || name.windows(2).any(|two| two == b"..");
        (name.iter().all(is_of_name) && !has_empty_label, port)
    };
    let is_port = match port.strip_prefix(b":") {
        Some(digits) => digits.iter().all(u8::is_ascii_digit),
        None => port.is_empty(),
    };
    is_host && is_port
}

/// RFC 9112 section 3.2: a target is a path, or `*` of OPTIONS. The authority alone is for CONNECT.
pub(super) fn has_a_path<B>(request: &Request<B>) -> bool {
    match request.uri().path() {
        "*" => request.method() == Method::OPTIONS,
        path => path.starts_with('/'),
    }
}

/// Whether a request has a body that is not known to be over.
pub(super) fn has_body<B: HttpBody>(request: &Request<B>) -> bool {
    !request.body().is_end_stream()
}

/// RFC 9112 section 6.1: whoever does not know a transfer coding says so. What is in chunks is taken out
/// of them, and goes on in others; of anything else within, the backend would not be told.
pub(super) fn has_a_known_coding<B>(request: &Request<B>) -> bool {
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| {
        let coding = coding.as_bytes().trim_ascii();
        coding.eq_ignore_ascii_case(b"chunked")
    };
    codings.next().is_none_or(is_chunked) && codings.next().is_none()
}

/// The host that a request is for, without its port.
pub(super) fn host<B>(request: &Request<B>) -> &str {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    without_port(host)
}

/// Copies what a head shares with the buffer that it was read into, so that the buffer can be used for
/// what comes next.
pub(super) fn detach(parts: &mut Parts) {
    let all: Vec<u8> = parts
        .headers
        .values()
        .flat_map(|value| value.as_bytes())
        .copied()
        .collect();
    let all = Bytes::from(all);
    let mut at = 0;
    for value in parts.headers.values_mut() {
        let end = at + value.len();
        // It was one before.
        if let Ok(mut own) = HeaderValue::from_maybe_shared(all.slice(at..end)) {
            own.set_sensitive(value.is_sensitive());
            *value = own;
        }
        at = end;
    }
    if let Ok(uri) = parts.uri.to_string().parse() {
        parts.uri = uri;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_a_port() {
        for host in [
            "",
            "a",
            "a.example.",
            "A-1_b.example:80",
            "a:",
            "192.0.2.1:1",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(is_plain_host(host.as_bytes()), "{host}");
        }
        for host in [
            "x@a", "a:80:80", "a:x", "a%2eb", "a..", ".a", "a..b", "a b", "a,b", "a/", "a\\b",
            "[a", "[]", "[::1]x", "[::1", "\u{3002}", "a\0",
        ] {
            assert!(!is_plain_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn a_head_that_is_copied_says_the_same() {
        let request = Request::post("/a?b=%20c")
            .header("Host", "a.example")
            .header("Cookie", "a=1")
            .header("Cookie", "b=2")
            .header("X-Empty", "")
            .header("X-Bytes", HeaderValue::from_bytes(b"\xff").unwrap());
        let (before, ()) = request.body(()).unwrap().into_parts();
        let mut after = before.clone();
        detach(&mut after);
        assert_eq!((after.headers, after.uri), (before.headers, before.uri));
    }

    #[test]
    fn an_absolute_target_is_a_path_and_a_host() {
        for (target, expected) in [
            ("http://a.example", Some("/")),
            ("http://a.example?x=1", Some("/?x=1")),
            ("http://a.example/x//y?z", Some("/x//y?z")),
            ("http://a.example//b/x", Some("//b/x")),
            ("/x?y", Some("/x?y")),
            ("//b/x", Some("//b/x")),
            ("a.example", None),
            ("*", None),
        ] {
            let request = Request::get(target).header(HOST, "b.example");
            let mut request = request.body(()).unwrap();
            let is_absolute = request.uri().scheme().is_some();
            normalise(&mut request);
            let path = has_a_path(&request).then(|| request.uri().to_string());
            assert_eq!(path.as_deref(), expected, "{target}");
            if expected.is_some() {
                let host = if is_absolute {
                    "a.example"
                } else {
                    "b.example"
                };
                assert_eq!(request.headers()[HOST], host, "{target}");
            }
        }
        let options = Request::options("*").body(()).unwrap();
        assert!(has_a_path(&options));
    }
}

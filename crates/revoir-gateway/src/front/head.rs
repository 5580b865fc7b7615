//! The head of a request: its target, its host and its length.

use hyper::header::{HOST, HeaderValue};
use hyper::{Method, Request, Uri, Version};

use crate::front::headers::without_port;

/// An absolute target goes before Host (RFC 9112 section 3.2.2), and the backend gets a path.
pub(super) fn normalise<B>(request: &mut Request<B>) {
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
    if let Some(path) = request.uri().path_and_query().cloned() {
        *request.uri_mut() = Uri::from(path);
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

/// RFC 9112 section 3.2: a target is a path, or `*` of OPTIONS. The authority alone is for CONNECT.
pub(super) fn has_a_path<B>(request: &Request<B>) -> bool {
    match request.uri().path() {
        "*" => request.method() == Method::OPTIONS,
        path => path.starts_with('/'),
    }
}

/// The host that a request is for, without its port.
pub(super) fn host<B>(request: &Request<B>) -> &str {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    without_port(host)
}

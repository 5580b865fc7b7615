//! Answers: a tag by which a browser asks again, and the fields that keep a page to itself.

use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;

/// Scripts, styles and pictures from here only, and nothing in the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const JSON: &str = "application/json";

/// How long a browser may keep an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It asks each time whether it is still right.
    Asked,
    ForADay,
    /// Its name changes with its content.
    ForGood,
}

impl Freshness {
    const fn cache_control(self) -> &'static str {
        match self {
            Self::Asked => "no-cache",
            Self::ForADay => "public, max-age=86400",
            Self::ForGood => "public, max-age=31536000, immutable",
        }
    }
}

/// A text or picture with its tag, or 304 if the browser has it already (RFC 9110 section 13.1.2).
pub(crate) fn text(
    request_headers: &HeaderMap,
    content_type: &'static str,
    text: impl Into<Bytes>,
    kept: Freshness,
) -> Response {
    let text = text.into();
    let mut hasher = DefaultHasher::new();
    hasher.write(&text);
    // Weak, because what travels may be compressed.
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    let known = request_headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == "*" || weak(known.trim()) == weak(&tag));
    let mut response = if known {
        status(StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        status(StatusCode::OK, Body::from(text))
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    let kept = HeaderValue::from_static(kept.cache_control());
    headers.insert(CACHE_CONTROL, kept);
    if let Ok(tag) = tag.parse() {
        headers.insert(ETAG, tag);
    }
    response
}

/// A tag without the mark of weakness: the weak comparison of RFC 9110 section 8.8.3.2.
fn weak(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// A text that nobody keeps.
pub(crate) fn unkept(code: StatusCode, content_type: &'static str, text: String) -> Response {
    let mut response = status(code, Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A value as JSON, with its tag.
pub(crate) fn json(request_headers: &HeaderMap, value: &impl Serialize) -> Response {
    text(request_headers, JSON, line(value), Freshness::Asked)
}

/// A value as JSON that nobody keeps.
pub(crate) fn unkept_json(code: StatusCode, value: &impl Serialize) -> Response {
    unkept(code, JSON, line(value))
}

fn line(value: &impl Serialize) -> String {
    // Serializing plain structs with string keys into memory has no way to fail.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Why there is no answer, and what would have one.
#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
    hint: &'a str,
}

/// A [`Problem`] as JSON.
pub(crate) fn problem(status: StatusCode, error: &str, hint: &str) -> Response {
    unkept_json(status, &Problem { error, hint })
}

/// Says when to ask again.
pub(crate) fn too_many(wait: Duration) -> Response {
    let mut response = problem(
        StatusCode::TOO_MANY_REQUESTS,
        "too much was asked for",
        "wait a few seconds",
    );
    let seconds = HeaderValue::from(wait.as_secs() + 1);
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}

/// Leads to another path of this server.
pub(crate) fn redirect(code: StatusCode, path: &str) -> Response {
    let mut response = status(code, Body::empty());
    if let Ok(path) = path.parse() {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

fn status(code: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response
}

/// Lets the scripts of every page read the answer: there is nothing in it that is not for everybody.
pub(crate) async fn for_every_page(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Says that this can only be read.
pub(crate) async fn only_get() -> Response {
    let hint = "use GET or HEAD";
    let mut response = problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "this can only be read",
        hint,
    );
    let methods = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, methods);
    response
}

/// Adds the fields that every answer has.
pub(crate) async fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

//! Answers of the gateway's own.

use std::time::Duration;

use axum::body::Body;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Response, StatusCode};
use revoir_proto::handshake::HandshakeError;

use crate::connection::OverLimit;

/// After which time a client should ask again that was refused for want of a backend or of room.
const RETRY: Duration = Duration::from_secs(5);

/// The answer to a request that breaks a rule of the opening handshake.
pub(super) fn broken(error: &HandshakeError) -> Response<Body> {
    let status = error
        .status()
        .and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = refusal(status, &format!("{error} ({})", error.section()));
    if status == StatusCode::UPGRADE_REQUIRED {
        let headers = response.headers_mut();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    response
}

/// The body of a request is none.
pub(super) fn malformed() -> Response<Body> {
    let text = "the body of the request is malformed, or was cut";
    closing(StatusCode::BAD_REQUEST, text)
}

/// There is no backend.
pub(super) fn unavailable() -> Response<Body> {
    let text = "there is no backend at present";
    later(StatusCode::SERVICE_UNAVAILABLE, text, RETRY)
}

/// Whoever says what may pass does not answer.
pub(super) fn undecided() -> Response<Body> {
    let text = "whether you may connect cannot be asked at present";
    later(StatusCode::SERVICE_UNAVAILABLE, text, RETRY)
}

/// The gateway is about to end.
pub(super) fn draining(wait: Duration) -> Response<Body> {
    let text = "the gateway is about to end";
    later(StatusCode::SERVICE_UNAVAILABLE, text, wait)
}

/// There is no room.
pub(super) fn full(full: OverLimit) -> Response<Body> {
    let status = match full {
        OverLimit::InAll | OverLimit::ThisSecond(_) => StatusCode::SERVICE_UNAVAILABLE,
        OverLimit::ForAddress => StatusCode::TOO_MANY_REQUESTS,
    };
    match full {
        OverLimit::InAll => later(status, "there are too many connections", RETRY),
        OverLimit::ForAddress => later(status, "there are too many connections from here", RETRY),
        OverLimit::ThisSecond(wait) => later(status, "there are too many handshakes", wait),
    }
}

/// There is no memory left for anybody else.
pub(super) fn crowded() -> Response<Body> {
    let text = "there is no room for another connection";
    later(StatusCode::SERVICE_UNAVAILABLE, text, RETRY)
}

/// The page is from elsewhere.
pub(super) fn forbidden() -> Response<Body> {
    let text = "pages from this Origin may not connect (RFC 6455 section 10.2)";
    refusal(StatusCode::FORBIDDEN, text)
}

/// To come back after `wait`.
pub(super) fn later(status: StatusCode, text: &str, wait: Duration) -> Response<Body> {
    let mut response = refusal(status, text);
    // Whole seconds, and never early (RFC 9110 section 10.2.3).
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let seconds = HeaderValue::from(seconds.max(1));
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}

/// The request did not come to its end in time.
pub(super) fn too_slow() -> Response<Body> {
    let text = "the request did not come in time";
    closing(StatusCode::REQUEST_TIMEOUT, text)
}

/// An answer behind which the connection ends.
fn closing(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = refusal(status, text);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

pub(super) fn refusal(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

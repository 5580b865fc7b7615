//! Answers of the gateway's own.

use axum::body::Body;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::{Response, StatusCode};
use revoir_proto::handshake::HandshakeError;

/// After which time a client should ask again that was refused for want of a backend.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("5");

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

/// There is no backend, or no room.
pub(super) fn unavailable() -> Response<Body> {
    let text = "there is no backend at present";
    let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
    response
}

pub(super) fn refusal(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

//! Answers to a request, as values of the crate `http`.

use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};
use revoir_proto::handshake::{Acceptance, HandshakeError};

use crate::server::refusal::Refusal;

/// The answer that opens the connection.
pub(super) fn switching(acceptance: &Acceptance) -> Response<String> {
    let mut response = response(StatusCode::SWITCHING_PROTOCOLS, String::new());
    *response.headers_mut() = HeaderMap::from(&acceptance.headers);
    *response.version_mut() = Version::HTTP_11;
    response
}

/// An answer that refuses, with a text for people.
pub(super) fn text(status: StatusCode, body: String) -> Response<String> {
    let is_empty = body.is_empty();
    let mut response = response(status, body);
    if !is_empty {
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
    }
    response
}

/// The answer where there is no place.
pub(super) fn refusal(refusal: Refusal) -> Response<String> {
    let mut response = text(status(refusal.status), refusal.body.to_owned());
    response
        .headers_mut()
        .extend(HeaderMap::from(&refusal.headers()));
    response
}

/// The answer that tells the client which rule it broke.
pub(super) fn rule(error: &HandshakeError) -> Response<String> {
    let fields: &[(HeaderName, &'static str)] = match error {
        HandshakeError::MethodNotGet { .. } => &[(ALLOW, "GET")],
        HandshakeError::VersionNotSupported { .. } | HandshakeError::UpgradeMissing { .. } => &[
            (SEC_WEBSOCKET_VERSION, "13"),
            (UPGRADE, "websocket"),
            (CONNECTION, "upgrade"),
        ],
        _ => &[],
    };
    let body = format!("{error} ({})\n", error.section());
    let mut response = text(status(error.status().unwrap_or(400)), body);
    for (name, value) in fields {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// The head of a 101 that was changed after it was made.
pub(super) fn head(response: &HeaderMap) -> Vec<u8> {
    let mut head = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
    for (name, value) in response {
        head.extend_from_slice(name.as_ref());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn response(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::BAD_REQUEST)
}

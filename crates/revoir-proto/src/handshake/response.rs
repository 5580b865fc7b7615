//! The bytes of a server's answers: 101, and refusals.

use std::error::Error;
use std::fmt;

use super::client_request::is_websocket_header;
use super::error::HandshakeError;
use super::headers::{Headers, InvalidHeader};
use crate::extension::Extension;

/// The fields of the answer that opens the connection (RFC 6455 section 4.2.2 item 5).
pub(super) fn switching_fields(
    accept: &str,
    subprotocol: Option<&str>,
    extensions: &[Extension],
    headers: &Headers,
) -> Result<Headers, InvalidResponse> {
    check_headers(headers)?;
    let extensions = Extension::write_list(extensions);
    let ours = [
        ("Upgrade", Some("websocket")),
        ("Connection", Some("Upgrade")),
        ("Sec-WebSocket-Accept", Some(accept)),
        ("Sec-WebSocket-Protocol", subprotocol),
        (
            "Sec-WebSocket-Extensions",
            Some(&*extensions).filter(|list| !list.is_empty()),
        ),
    ];
    let mut fields = Headers::new();
    for (name, value) in ours {
        if let Some(value) = value {
            let pushed = fields.push(name, value);
            debug_assert!(pushed.is_ok(), "tokens and base64 may stand in a field");
        }
    }
    for (name, value) in headers.iter() {
        let pushed = fields.push(name, value);
        debug_assert!(pushed.is_ok(), "it was a field before");
    }
    Ok(fields)
}

/// The answer that opens the connection, with `fields`.
pub(super) fn switching_protocols(fields: &Headers) -> Vec<u8> {
    let mut head = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
    fields.write(&mut head);
    head.extend_from_slice(b"\r\n");
    head
}

/// An answer that refuses a connection, with `Connection: close` and the length of `body`. With 304
/// there is no body, so `body` is left out (RFC 9110 section 15.4.5). It can be sent at any moment of the handshake, for example with 503 and Retry-After by a server that
/// is leaving.
///
/// # Errors
///
/// [`InvalidResponse`] if `status` is not 300 to 599, or `headers` has a field that is written
/// here.
pub fn refusal(status: u16, headers: &Headers, body: &[u8]) -> Result<Vec<u8>, InvalidResponse> {
    if !(300..=599).contains(&status) {
        return Err(InvalidResponse::Status { got: status });
    }
    check_headers(headers)?;
    Ok(write_refusal(
        status,
        "Connection: close\r\n",
        headers,
        body,
    ))
}

impl HandshakeError {
    /// The answer that tells the client which rule it broke; `None` where
    /// [`status`](Self::status) is. The body is one line of text.
    #[must_use]
    pub fn response(&self) -> Option<Vec<u8>> {
        let status = self.status()?;
        let fields = match self {
            // RFC 9110 section 15.5.6: 405 names the methods that are allowed.
            Self::MethodNotGet { .. } => "Allow: GET\r\nConnection: close\r\n",
            // RFC 6455 section 4.4: the versions that are supported. RFC 9110 section 15.5.22: 426
            // names the protocol to upgrade to.
            Self::VersionNotSupported { .. } | Self::UpgradeMissing { .. } => {
                "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n"
            }
            _ => "Connection: close\r\n",
        };
        let mut headers = Headers::new();
        let text = headers.push("Content-Type", "text/plain; charset=utf-8");
        debug_assert!(text.is_ok());
        let body = format!("{self} ({})\n", self.section());
        Some(write_refusal(status, fields, &headers, body.as_bytes()))
    }
}

fn write_refusal(status: u16, fields: &str, headers: &Headers, body: &[u8]) -> Vec<u8> {
    // RFC 9112 section 6.3: a 304 ends with its head, whatever its fields say.
    let body = (status != 304).then_some(body);
    let length = match body {
        Some(body) => format!("Content-Length: {}\r\n", body.len()),
        None => String::new(),
    };
    let phrase = reason_phrase(status);
    let mut response = format!("HTTP/1.1 {status} {phrase}\r\n{fields}{length}").into_bytes();
    headers.write(&mut response);
    response.extend_from_slice(b"\r\n");
    response.extend_from_slice(body.unwrap_or_default());
    response
}

/// Fields that are written here, or that would change where the response ends.
fn check_headers(headers: &Headers) -> Result<(), InvalidResponse> {
    const NAMES: [&str; 6] = [
        "upgrade",
        "connection",
        "content-length",
        "transfer-encoding",
        "trailer",
        "te",
    ];
    let is_reserved = |name: &str| {
        NAMES
            .iter()
            .any(|reserved| name.eq_ignore_ascii_case(reserved))
            || is_websocket_header(name)
    };
    match headers.iter().find(|(name, _)| is_reserved(name)) {
        Some((name, _)) => Err(InvalidResponse::ReservedHeader {
            name: name.to_owned(),
        }),
        None => Ok(()),
    }
}

/// RFC 9110 section 15. A client has no use for the phrase; people do.
fn reason_phrase(status: u16) -> &'static str {
    match status {
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

/// A response that must not be sent: the caller's mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidResponse {
    /// A status that does not refuse: below 300 or above 599.
    Status {
        /// The status.
        got: u16,
    },
    /// A malformed header field.
    Header(InvalidHeader),
    /// A header field that the response writes itself.
    ReservedHeader {
        /// Its name.
        name: String,
    },
    /// A subprotocol that the client did not offer.
    SubprotocolNotOffered {
        /// The subprotocol.
        got: String,
    },
}

impl fmt::Display for InvalidResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { got } => write!(f, "got status {got}, expected 300 to 599"),
            Self::Header(error) => write!(f, "{error}"),
            Self::ReservedHeader { name } => {
                write!(
                    f,
                    "got header {name}, which belongs to the opening handshake"
                )
            }
            Self::SubprotocolNotOffered { got } => {
                write!(
                    f,
                    "got subprotocol {got:?}, expected one that the client offered"
                )
            }
        }
    }
}

impl Error for InvalidResponse {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Header(error) => Some(error),
            Self::Status { .. }
            | Self::ReservedHeader { .. }
            | Self::SubprotocolNotOffered { .. } => None,
        }
    }
}

impl From<InvalidHeader> for InvalidResponse {
    fn from(error: InvalidHeader) -> Self {
        Self::Header(error)
    }
}

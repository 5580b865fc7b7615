//! [`ClientHandshake`]: the client's side, from the request's bytes to the checked answer.

use std::fmt;

use bytes::BytesMut;

use super::body::{BodyReader, Refused};
use super::client_request::ClientRequest;
use super::error::HandshakeError;
use super::head::{HeadKind, HeadLimits, HeadReader, ResponseHead, parse_response};
use super::headers::Headers;
use super::key::{NONCE_BYTES, accept};
use crate::extension::{AgreedExtensions, Extension};
use crate::token_list::contains;

/// The opening handshake of a client (RFC 6455 section 4.1).
///
/// Write [`request_bytes`](Self::request_bytes), then give [`handle_input`](Self::handle_input)
/// everything that is read until it returns an outcome or an error. Memory: the request, and no
/// more of the answer than has come, within the limits.
pub struct ClientHandshake {
    request: ClientRequest,
    key: String,
    bytes: Vec<u8>,
    reading: Reading,
}

#[derive(Debug)]
enum Reading {
    Head(HeadReader),
    Body(Box<BodyReader>),
    Done,
}

/// How a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientOutcome {
    /// The connection is open.
    Established(Established),
    /// The server does not open one.
    Refused(Refused),
}

/// An open connection, as agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Established {
    /// The server's choice among the offered subprotocols, if it made one.
    pub subprotocol: Option<String>,
    /// The extensions in use.
    pub extensions: AgreedExtensions,
    /// The header fields of the answer.
    pub headers: Headers,
}

/// Without the key and the bytes of the request: logs are no place for what lets somebody in.
impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake")
            .field("request", &self.request)
            .field("reading", &self.reading)
            .finish_non_exhaustive()
    }
}

impl ClientHandshake {
    /// A handshake for `request`. `nonce` must be random and used once (RFC 6455 section 4.1
    /// item 7).
    #[must_use]
    pub fn new(request: ClientRequest, nonce: [u8; NONCE_BYTES], limits: HeadLimits) -> Self {
        let (key, bytes) = request.write_with_nonce(nonce);
        Self {
            request,
            key,
            bytes,
            reading: Reading::Head(HeadReader::new(HeadKind::Response, limits)),
        }
    }

    /// The request to write.
    #[must_use]
    pub fn request_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes from `input` what belongs to the answer. `None` asks for more. After
    /// [`ClientOutcome::Established`], what is left in `input` is the first WebSocket data. After
    /// an outcome or an error nothing is taken any more.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] as soon as the answer breaks a rule; the connection must be closed
    /// ("_Fail the WebSocket Connection_", RFC 6455 section 4.1).
    pub fn handle_input(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<ClientOutcome>, HandshakeError> {
        let result = self.advance(input);
        if !matches!(result, Ok(None)) {
            self.reading = Reading::Done;
        }
        result
    }

    /// The stream has ended. Between head and body that is one way to end the body.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Eof`] if no complete head had come.
    pub fn handle_eof(&mut self) -> Result<Option<ClientOutcome>, HandshakeError> {
        match std::mem::replace(&mut self.reading, Reading::Done) {
            Reading::Head(reader) => Err(HandshakeError::Eof {
                received: reader.received(),
            }),
            Reading::Body(body) => Ok(Some(ClientOutcome::Refused(body.finish()))),
            Reading::Done => Ok(None),
        }
    }

    fn advance(&mut self, input: &mut BytesMut) -> Result<Option<ClientOutcome>, HandshakeError> {
        loop {
            match &mut self.reading {
                Reading::Head(reader) => {
                    let limits = reader.limits();
                    let Some(mut head) = reader.take_head(input)? else {
                        return Ok(None);
                    };
                    let ResponseHead { status, headers } = parse_response(&mut head, limits)?;
                    match status {
                        101 => return self.check(headers).map(Some),
                        // RFC 9110 section 15.2: interim responses come before the answer.
                        100..=199 => {}
                        200.. => {
                            let body = BodyReader::new(status, headers);
                            self.reading = Reading::Body(Box::new(body));
                        }
                        _ => return Err(HandshakeError::MalformedHead { part: "status" }),
                    }
                }
                Reading::Body(body) => {
                    if !body.take_body(input) {
                        return Ok(None);
                    }
                    return self.handle_eof();
                }
                Reading::Done => return Ok(None),
            }
        }
    }

    /// The checks of section 4.1 on a 101, in its order.
    fn check(&self, headers: Headers) -> Result<ClientOutcome, HandshakeError> {
        // 2. Upgrade with the value websocket, in any case, and nothing beside it.
        if !is_upgrade_to_websocket(&headers) {
            return Err(HandshakeError::UpgradeMissing {
                got: text(&headers, "upgrade"),
            });
        }
        // 3. Connection with the token Upgrade.
        if !contains(headers.get_all("connection"), "upgrade") {
            return Err(HandshakeError::ConnectionMissing {
                got: text(&headers, "connection"),
            });
        }
        self.check_accept(&headers)?;
        // 5. No extension that was not offered.
        let answer = Extension::parse_lines(headers.get_all("sec-websocket-extensions"))
            .map_err(HandshakeError::ExtensionsMalformed)?;
        let agreed = self.request.extensions.check(&answer);
        let extensions = agreed.map_err(HandshakeError::Extensions)?;
        let subprotocol = self.check_subprotocol(&headers)?;
        Ok(ClientOutcome::Established(Established {
            subprotocol,
            extensions,
            headers,
        }))
    }

    /// 4. Sec-WebSocket-Accept is the hash of our key, once.
    fn check_accept(&self, headers: &Headers) -> Result<(), HandshakeError> {
        let mut values = headers.get_all("sec-websocket-accept");
        let got = values.next().ok_or(HandshakeError::AcceptMissing)?;
        if values.next().is_some() {
            return Err(HandshakeError::AcceptDuplicated);
        }
        let expected = accept(&self.key);
        if got != expected.as_bytes() {
            return Err(HandshakeError::AcceptMismatch {
                got: String::from_utf8_lossy(got).into_owned(),
                expected,
            });
        }
        Ok(())
    }

    /// 6. The subprotocol, if there is one, was offered. No choice is allowed (section 4.2.2).
    fn check_subprotocol(&self, headers: &Headers) -> Result<Option<String>, HandshakeError> {
        let mut values = headers.get_all("sec-websocket-protocol");
        let Some(got) = values.next() else {
            return Ok(None);
        };
        // 11.3.4: once in a response.
        if values.next().is_some() {
            return Err(HandshakeError::SubprotocolDuplicated);
        }
        let mut offered = self.request.subprotocols.iter();
        match offered.find(|name| name.as_bytes() == got) {
            Some(name) => Ok(Some(name.clone())),
            None => Err(HandshakeError::SubprotocolNotOffered {
                got: String::from_utf8_lossy(got).into_owned(),
            }),
        }
    }
}

/// Whether there is one Upgrade field with nothing but `websocket` in it.
fn is_upgrade_to_websocket(headers: &Headers) -> bool {
    let mut values = headers.get_all("upgrade");
    let first = values.next();
    first.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket")) && values.next().is_none()
}

/// The first value of `name` as text.
pub(super) fn text(headers: &Headers, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

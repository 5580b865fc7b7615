//! [`ClientHandshake`]: the client's side, from the request's bytes to the checked answer.

use std::fmt;

use bytes::BytesMut;

use super::body::{BodyReader, Refused};
use super::client_request::ClientRequest;
use super::error::HandshakeError;
use super::head::{HeadKind, HeadLimits, HeadReader, ResponseHead, parse_response};
use super::headers::Headers;
use super::key::NONCE_BYTES;
use super::switching::check_switching_protocols;
use crate::extension::{AgreedExtensions, Extension};

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

    /// Whether the server has refused, and only the body of its answer is still to come: it says why,
    /// and need not end. Whoever does not want to wait for it calls [`cut_body`](Self::cut_body).
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.reading, Reading::Body(_))
    }

    /// Ends a refusal with what has come of its body; `None` if the server has not refused.
    pub fn cut_body(&mut self) -> Option<Refused> {
        if !self.is_refused() {
            return None;
        }
        match std::mem::replace(&mut self.reading, Reading::Done) {
            Reading::Body(body) => Some(body.give_up()),
            Reading::Head(_) | Reading::Done => None,
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

    fn check(&self, headers: Headers) -> Result<ClientOutcome, HandshakeError> {
        let offered = &self.request.subprotocols;
        let extensions = |answer: &[Extension]| self.request.extensions.check(answer);
        let (subprotocol, extensions) =
            check_switching_protocols(&headers, &self.key, offered, extensions)?;
        Ok(ClientOutcome::Established(Established {
            subprotocol,
            extensions,
            headers,
        }))
    }
}

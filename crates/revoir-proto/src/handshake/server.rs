//! [`ServerHandshake`]: the server's side, from the client's bytes to a checked request.

use std::sync::Arc;

use bytes::BytesMut;

use super::config::ServerConfig;
use super::error::HandshakeError;
use super::head::{HeadKind, HeadReader, parse_request};
use super::request::Request;

/// The opening handshake of a server (RFC 6455 section 4.2).
///
/// Give [`handle_input`](Self::handle_input) everything that is read until it returns a
/// [`Request`] or an error. Memory: no more of the request than has come, within the limits.
#[derive(Debug)]
pub struct ServerHandshake {
    config: Arc<ServerConfig>,
    reader: Option<HeadReader>,
}

impl ServerHandshake {
    /// A handshake under `config`.
    #[must_use]
    pub fn new(config: Arc<ServerConfig>) -> Self {
        let reader = HeadReader::new(HeadKind::Request, config.limits);
        Self {
            config,
            reader: Some(reader),
        }
    }

    /// Takes from `input` what belongs to the request. `None` asks for more. What is left in
    /// `input` after a request is the first WebSocket data; a client has none before the answer.
    /// After a request or an error nothing is taken any more.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] as soon as the request breaks a rule. Answer with
    /// [`HandshakeError::response`] and close.
    pub fn handle_input(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<Request>, HandshakeError> {
        let Some(reader) = &mut self.reader else {
            return Ok(None);
        };
        let result = match reader.take_head(input) {
            Ok(None) => return Ok(None),
            Ok(Some(mut head)) => parse_request(&mut head, self.config.limits)
                .and_then(|head| Request::check(head, &self.config))
                .map(Some),
            Err(error) => Err(error),
        };
        self.reader = None;
        result
    }

    /// The stream has ended.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Eof`] if no complete head had come.
    pub fn handle_eof(&mut self) -> Result<(), HandshakeError> {
        match self.reader.take() {
            Some(reader) => Err(HandshakeError::Eof {
                received: reader.received(),
            }),
            None => Ok(()),
        }
    }
}

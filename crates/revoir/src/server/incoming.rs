//! [`Incoming`]: a request that waits for a decision.

use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;
use revoir_proto::handshake::{Acceptance, Headers, Request};
use revoir_proto::{Cause, Detail, Ending, Role};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout_at;

use crate::driver::{Driver, Keeper, Shared, Start};
use crate::handshake_io::lost;
use crate::server::acceptor::Settings;
use crate::server::handshake::{Limit, answer};
use crate::websocket::WebSocket;

/// A request that keeps to the rules, for the application to accept or refuse. The limit of the
/// handshake goes on while it decides. Dropped, it closes TCP without an answer.
pub struct Incoming<S> {
    stream: S,
    request: Request,
    input: BytesMut,
    settings: Arc<Settings>,
    limit: Limit,
}

impl<S> Incoming<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    pub(super) fn new(
        stream: S,
        request: Request,
        input: BytesMut,
        settings: Arc<Settings>,
        limit: Limit,
    ) -> Self {
        Self {
            stream,
            request,
            input,
            settings,
            limit,
        }
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The request, to choose another subprotocol or to decline the extensions.
    pub fn request_mut(&mut self) -> &mut Request {
        &mut self.request
    }

    /// Opens the connection, with `headers` added to the answer. It spawns one small task, which
    /// keeps the connection.
    ///
    /// # Errors
    ///
    /// The [`Ending`] of a connection that never opened: the client is gone, or `headers` has a
    /// field that belongs to the handshake.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the connection up.
    pub async fn accept(self, headers: &Headers) -> Result<WebSocket, Arc<Ending>> {
        let driver = self.open(headers).await?;
        tokio::spawn(Keeper::new(Arc::clone(&driver)));
        Ok(WebSocket::new(driver))
    }

    /// Refuses the connection with `status`, 300 to 599; anything else, or `headers` with a field
    /// of the response itself, is answered with 500. Returns how it ended, once the client has
    /// read the answer or 2 s have passed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes TCP, with or without an answer.
    pub async fn refuse(mut self, status: u16, headers: &Headers, body: &[u8]) -> Arc<Ending> {
        let response = self.request.reject(status, headers, body);
        let (response, detail) = match response {
            Ok(response) => (Some(response), format!("answered with HTTP {status}")),
            Err(error) => {
                let plain = self.request.reject(500, &Headers::new(), b"");
                (plain.ok(), format!("answered with HTTP 500: {error}"))
            }
        };
        if let Some(response) = response {
            answer(&mut self.stream, &response).await;
        }
        let detail = Detail::Text(detail.into());
        self.settings
            .announce(Ending::never_opened(Cause::HandshakeRejected, detail))
    }

    pub(super) async fn open(mut self, headers: &Headers) -> Result<Shared, Arc<Ending>> {
        let Ok(acceptance) = self.request.accept(headers) else {
            return Err(self.refuse(500, &Headers::new(), b"").await);
        };
        let writing = async {
            self.stream.write_all(&acceptance.response).await?;
            self.stream.flush().await
        };
        match timeout_at(self.limit.at, writing).await {
            Ok(Ok(())) => Ok(self.start(acceptance)),
            Ok(Err(error)) => Err(self.settings.announce(lost(&error))),
            Err(_) => Err(self.settings.announce(self.limit.exceeded())),
        }
    }

    fn start(self, acceptance: Acceptance) -> Shared {
        let start = Start {
            role: Role::Server,
            config: Arc::clone(&self.settings.config),
            extensions: acceptance.extensions,
            subprotocol: acceptance.subprotocol,
            input: self.input,
            observer: self.settings.observer.clone(),
        };
        Driver::start(self.stream, start)
    }
}

impl<S> fmt::Debug for Incoming<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

//! [`Incoming`]: a request that waits for a decision.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use revoir_proto::handshake::{Acceptance, Headers, Request};
use revoir_proto::{Cause, Detail, Ending, Role};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::time::timeout_at;
use tracing::{Instrument, Span};

use crate::drain::{NoPlace, Seat};
use crate::driver::{Agreed, Driver, Failure, Shared, Socket, Start, call};
use crate::handshake_io::lost;
use crate::server::handshake::{Limit, answer};
use crate::server::refusal::Refusal;
use crate::server::retiring::retire;
use crate::server::settings::Settings;
use crate::websocket::WebSocket;

/// A request that keeps to the rules, for the application to accept or refuse.
///
/// [`run`](Self::run) opens the connection for a handler, [`accept`](Self::accept) for whoever
/// calls, [`refuse`](Self::refuse) answers with another status. Dropped without a decision, also
/// by a panic, it is answered with 500. The request is gone once the connection is open: a handler
/// takes along what it needs.
pub struct Incoming {
    /// Until there is a decision.
    waiting: Option<Waiting>,
}

/// A request and where it came from.
pub(super) struct Waiting {
    pub(super) stream: Box<dyn Stream>,
    pub(super) request: Request,
    /// Bytes behind the request.
    pub(super) input: BytesMut,
    pub(super) settings: Arc<Settings>,
    pub(super) limit: Limit,
    pub(super) peer: Option<SocketAddr>,
    pub(super) seat: Seat,
    pub(super) span: Span,
    /// Fields to add to the answer that opens.
    pub(super) headers: Headers,
}

/// Any byte stream that can become a connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    fn start(self: Box<Self>, start: Start) -> Shared;
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {
    fn start(self: Box<Self>, start: Start) -> Shared {
        Socket::start(*self, start)
    }
}

impl Incoming {
    pub(super) fn new(waiting: Waiting) -> Self {
        let waiting = Some(waiting);
        Self { waiting }
    }

    /// The request: path, header fields, the subprotocol and the extensions that the answer will
    /// agree to.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.waiting().request
    }

    /// The request, to choose another subprotocol or to decline the extensions.
    pub fn request_mut(&mut self) -> &mut Request {
        &mut self.waiting_mut().request
    }

    /// Where the client connects from; `None` under [`Acceptor::incoming`](crate::Acceptor::incoming),
    /// which knows nothing of its stream.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.waiting().peer
    }

    /// Fields to add to the answer that opens the connection. With one that belongs to the
    /// handshake the request is answered with 500 instead.
    pub fn response_headers_mut(&mut self) -> &mut Headers {
        &mut self.waiting_mut().headers
    }

    /// Opens the connection and runs `handler` on it, in a task of its own, which also keeps the
    /// connection. Returns when that task is on its way, or the connection did not open: its
    /// ending then goes to the observer and the log.
    ///
    /// For what becomes of errors and panics of a handler see [`Server::serve`](crate::Server::serve).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the connection up, unless it runs already.
    pub async fn run<H, F, E>(self, handler: H)
    where
        H: FnOnce(WebSocket) -> F,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        if let Ok(socket) = self.open().await {
            spawn(socket, handler);
        }
    }

    /// Opens the connection. It spawns one small task, which keeps the connection.
    ///
    /// # Errors
    ///
    /// The [`Ending`] of a connection that never opened: the client is gone, or a field of
    /// [`response_headers_mut`](Self::response_headers_mut) belongs to the handshake.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the connection up.
    pub async fn accept(self) -> Result<WebSocket, Arc<Ending>> {
        let socket = self.open().await?;
        tokio::spawn(Driver::new(Arc::clone(&socket)));
        Ok(WebSocket::new(socket))
    }

    /// Refuses the connection with `status`, 300 to 599; anything else, or `headers` with a field
    /// of the response itself, is answered with 500. Returns how it ended, once the client has
    /// read the answer or 2 s have passed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes TCP, with or without an answer.
    pub async fn refuse(mut self, status: u16, headers: &Headers, body: &[u8]) -> Arc<Ending> {
        match self.waiting.take() {
            Some(waiting) => {
                let span = waiting.span.clone();
                let refusing = waiting.refuse(status, headers, body);
                refusing.instrument(span).await
            }
            None => unreachable!("{DECIDED}"),
        }
    }

    async fn open(mut self) -> Result<Shared, Arc<Ending>> {
        match self.waiting.take() {
            Some(waiting) => {
                let span = waiting.span.clone();
                waiting.open().instrument(span).await
            }
            None => unreachable!("{DECIDED}"),
        }
    }

    fn waiting(&self) -> &Waiting {
        self.waiting.as_ref().expect(DECIDED)
    }

    fn waiting_mut(&mut self) -> &mut Waiting {
        self.waiting.as_mut().expect(DECIDED)
    }
}

/// Why there is always something waiting: a decision consumes the handle.
const DECIDED: &str = "a decided request has no handle";

/// Runs `handler` in a task of its own size: an open connection does not pay for its handshake.
pub(super) fn spawn<H, F, E>(socket: Shared, handler: H)
where
    H: FnOnce(WebSocket) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Failure> + 'static,
{
    let handle = WebSocket::new(Arc::clone(&socket));
    match call(&socket, || handler(handle)) {
        Some(running) => drop(tokio::spawn(Driver::with_handler(socket, running))),
        None => drop(tokio::spawn(Driver::new(socket))),
    }
}

impl Settings {
    /// Makes a connection of a stream whose handshake is done.
    pub(super) fn start(
        &self,
        stream: Box<dyn Stream>,
        acceptance: Acceptance,
        input: BytesMut,
        seat: Seat,
        span: Span,
    ) -> Shared {
        let start = Start {
            role: Role::Server,
            config: Arc::clone(&self.config),
            agreed: Agreed {
                subprotocol: acceptance.subprotocol,
                extensions: acceptance.extensions,
            },
            input,
            home: Arc::clone(&self.home),
            seat: Some(seat),
            span,
        };
        let socket = stream.start(start);
        if let Some(age) = self.max_age {
            tokio::spawn(retire(Arc::clone(&socket), age));
        }
        socket
    }
}

impl Waiting {
    async fn open(mut self) -> Result<Shared, Arc<Ending>> {
        if let Some(wait) = self.seat.turn_away() {
            let refusal = Refusal::from(NoPlace::Draining(wait));
            let (headers, body) = (refusal.headers(), refusal.body);
            return Err(self.refuse(refusal.status, &headers, body.as_bytes()).await);
        }
        let Ok(acceptance) = self.request.accept(&self.headers) else {
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
        self.settings
            .start(self.stream, acceptance, self.input, self.seat, self.span)
    }

    async fn refuse(mut self, status: u16, headers: &Headers, body: &[u8]) -> Arc<Ending> {
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
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        let span = waiting.span.clone();
        span.in_scope(|| {
            tracing::warn!(target: "revoir", "a request was dropped without a decision");
        });
        // Outside of a runtime, which is on its way down, TCP is closed without an answer.
        if let Ok(runtime) = Handle::try_current() {
            let refusing = async move { waiting.refuse(500, &Headers::new(), b"").await };
            runtime.spawn(refusing.instrument(span));
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("request", self.request())
            .field("peer", &self.peer_addr())
            .finish_non_exhaustive()
    }
}

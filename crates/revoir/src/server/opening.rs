//! From a stream whose handshake is done to a connection.

use std::future::Future;
use std::sync::Arc;

use bytes::BytesMut;
use revoir_proto::Role;
use revoir_proto::handshake::Acceptance;
use tokio::io::{AsyncRead, AsyncWrite};
use tracing::Span;

use crate::drain::Seat;
use crate::driver::{Agreed, Driver, Failure, Known, Shared, Socket, Start, call};
use crate::server::retiring::retire;
use crate::server::settings::Settings;
use crate::websocket::WebSocket;

/// Any byte stream that can become a connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    fn start(self: Box<Self>, start: Start) -> Shared;
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {
    fn start(self: Box<Self>, start: Start) -> Shared {
        Socket::start(*self, start)
    }
}

/// What makes a connection of a stream, its first bytes and its place, once 101 is written.
pub(super) type Begin = Box<dyn FnOnce(Box<dyn Stream>, BytesMut, Seat) + Send>;

impl Settings {
    /// Makes a connection of a stream whose handshake is done.
    pub(super) fn start(
        &self,
        stream: Box<dyn Stream>,
        acceptance: Acceptance,
        input: BytesMut,
        seat: Seat,
        span: Span,
        known: Known,
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
            known,
        };
        let socket = stream.start(start);
        if let Some(age) = self.max_age {
            tokio::spawn(retire(Arc::clone(&socket), age));
        }
        socket
    }
}

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

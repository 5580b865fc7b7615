//! [`Leg`]: what a relay with a session has on its two sides.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::session::client::SessionClient;
use crate::upstream::MaybeTls;

/// What a relay with a session has on its two sides.
pub(crate) enum Leg {
    /// The client.
    Session(Box<SessionClient>),
    /// The backend.
    Socket(MaybeTls),
}

impl AsyncRead for Leg {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Session(client) => client.poll_read(cx, into).map(Ok),
            Self::Socket(socket) => Pin::new(socket).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Leg {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Session(client) => client.poll_write(cx, bytes).map(Ok),
            Self::Socket(socket) => Pin::new(socket).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Session(client) => {
                let first = slices.iter().find(|slice| !slice.is_empty());
                client
                    .poll_write(cx, first.map_or(&[], |slice| slice))
                    .map(Ok)
            }
            Self::Socket(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Self::Socket(_))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Session(client) => {
                client.poll_flush(cx);
                Poll::Ready(Ok(()))
            }
            Self::Socket(socket) => Pin::new(socket).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Session(_) => Poll::Ready(Ok(())),
            Self::Socket(socket) => Pin::new(socket).poll_shutdown(cx),
        }
    }
}

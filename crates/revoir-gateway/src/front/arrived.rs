//! [`Arrived`]: the stream of a client that was taken over from HTTP.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use hyper::upgrade::Upgraded;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::front::arrival::taken_over;
use crate::front::source::Source;
use crate::upstream::MaybeTls;

/// The stream of a client that was taken over from HTTP, with what it has sent already.
pub(super) struct Arrived {
    stream: MaybeTls,
    early: Bytes,
    /// It counts for its address until the connection is over.
    _source: Source,
}

impl Arrived {
    /// `None`: it is not a connection of this gateway's.
    pub(super) fn new(upgraded: Upgraded, source: Source) -> Option<Self> {
        let (stream, early) = taken_over(upgraded)?;
        Some(Self {
            stream,
            early,
            _source: source,
        })
    }
}

impl AsyncRead for Arrived {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, into);
        }
        let count = self.early.len().min(into.remaining());
        into.put_slice(&self.early[..count]);
        self.early.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Arrived {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

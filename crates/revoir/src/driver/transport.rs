//! [`Transport`]: any byte stream, until the connection is over.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::buf::Limit;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

/// A byte stream that can be given up before its owner is.
pub(crate) trait Transport: Send {
    /// Reads once behind what `into` contains, and returns how much: nothing at the end.
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut Limit<&mut Vec<u8>>,
    ) -> Poll<io::Result<usize>>;
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Drops the stream.
    fn release(&mut self);
}

/// A stream, or the place where one was.
#[derive(Debug)]
pub(crate) struct Slot<S>(Option<S>);

impl<S> Slot<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self(Some(stream))
    }
}

impl<S: Unpin> Slot<S> {
    fn stream(&mut self) -> io::Result<Pin<&mut S>> {
        match &mut self.0 {
            Some(stream) => Ok(Pin::new(stream)),
            None => Err(ErrorKind::NotConnected.into()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport for Slot<S> {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut Limit<&mut Vec<u8>>,
    ) -> Poll<io::Result<usize>> {
        let mut stream = self.stream()?;
        // It keeps nothing between two polls.
        pin!(stream.read_buf(into)).poll(cx)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.stream()?;
        match slices {
            // The system call for one is cheaper.
            [slice] => stream.poll_write(cx, slice),
            slices => stream.poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }

    fn release(&mut self) {
        self.0 = None;
    }
}

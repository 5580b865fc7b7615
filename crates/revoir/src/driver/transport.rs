//! [`Transport`]: any byte stream, until the connection is over.

use std::any::Any;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

/// A byte stream that can be given up before its owner is.
pub(crate) trait Transport: Send {
    /// Reads once behind what `into` contains, and returns how much: nothing at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut dyn BufMut)
    -> Poll<io::Result<usize>>;
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Drops the stream.
    fn release(&mut self);

    /// The stream itself, while it is there.
    fn stream(&self) -> Option<&dyn Any> {
        None
    }
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
    fn pinned(&mut self) -> io::Result<Pin<&mut S>> {
        match &mut self.0 {
            Some(stream) => Ok(Pin::new(stream)),
            None => Err(ErrorKind::NotConnected.into()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for Slot<S> {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut dyn BufMut,
    ) -> Poll<io::Result<usize>> {
        let mut stream = self.pinned()?;
        // It keeps nothing between two polls.
        pin!(stream.read_buf(into)).poll(cx)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.pinned()?;
        match slices {
            // The system call for one is cheaper.
            [slice] => stream.poll_write(cx, slice),
            slices => stream.poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pinned()?.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pinned()?.poll_shutdown(cx)
    }

    fn release(&mut self) {
        self.0 = None;
    }

    fn stream(&self) -> Option<&dyn Any> {
        let stream: &dyn Any = self.0.as_ref()?;
        Some(stream)
    }
}

//! [`Wire`]: the stream below a connection of the lab, with a [`Hand`] on it that does what the
//! library never would: it plays what lies between client and server, and a server that breaks rules.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::raw_stream::{Io, RawStream};

/// The stream that the library gets.
#[derive(Debug)]
pub(super) struct Wire(Hand);

/// Another hand on the same stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Hand(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    stream: Option<RawStream>,
    /// What the hand still has to write.
    output: Bytes,
    then: Then,
    /// Whether what the library writes is dropped.
    muted: bool,
    reader: Option<Waker>,
}

/// What happens to the stream once the hand has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Then {
    #[default]
    Nothing,
    /// The library hears nothing more.
    Deaf,
    Fin,
    Reset,
}

impl Hand {
    /// The wire over the stream that an HTTP server has handed over.
    pub(super) fn wire(self, stream: Option<RawStream>) -> Wire {
        self.lock().stream = stream;
        Wire(self)
    }

    /// Writes bytes past the library, whose own are dropped from now on.
    pub(super) fn write(&self, bytes: Vec<u8>) {
        self.change(|inner| {
            inner.output = bytes.into();
            inner.muted = true;
        });
    }

    /// The library hears nothing more.
    pub(super) fn deafen(&self) {
        self.change(|inner| inner.then = Then::Deaf);
    }

    /// Ends the server's direction.
    pub(super) fn fin(&self) {
        self.change(|inner| inner.then = Then::Fin);
    }

    /// Resets TCP.
    pub(super) fn reset(&self) {
        self.change(|inner| inner.then = Then::Reset);
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.lock();
        change(&mut inner);
        if let Some(reader) = inner.reader.take() {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn stream(&mut self) -> io::Result<&mut RawStream> {
        let gone = || ErrorKind::ConnectionReset.into();
        self.stream.as_mut().ok_or_else(gone)
    }

    fn io(&mut self) -> io::Result<Pin<&mut dyn Io>> {
        self.stream().map(RawStream::io)
    }

    /// Does what the hand wants. Ready once that is done.
    fn poll_hand(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let bytes = self.output.clone();
            let written = ready!(self.io()?.poll_write(cx, &bytes))?;
            self.output.advance(written);
        }
        match self.then {
            Then::Nothing => {}
            Then::Deaf => return Poll::Pending,
            Then::Fin => {
                ready!(self.io()?.poll_shutdown(cx))?;
                self.muted = true;
                self.then = Then::Nothing;
            }
            Then::Reset => {
                if let Some(stream) = self.stream.take() {
                    stream.reset()?;
                }
                return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_hand(cx))?;
        let read = &mut self.stream()?.read;
        if read.has_remaining() {
            let count = read.remaining().min(into.remaining());
            into.put_slice(&read.split_to(count));
            return Poll::Ready(Ok(()));
        }
        self.io()?.poll_read(cx, into)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut inner = self.0.lock();
        let result = inner.poll_read(cx, into);
        if result.is_pending() {
            inner.reader = Some(cx.waker().clone());
        }
        result
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.0.lock();
        if inner.muted {
            return Poll::Ready(Ok(bytes.len()));
        }
        inner.io()?.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().io()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().io()?.poll_shutdown(cx)
    }
}

/// TCP ends when the library has done with its stream, not with the last hand on it.
impl Drop for Wire {
    fn drop(&mut self) {
        self.0.lock().stream = None;
    }
}

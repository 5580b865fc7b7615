//! [`Tap`]: a way to end a TCP stream past the library that owns it.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyhow::Context as _;
use revoir::Role;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The stream that the library gets.
#[derive(Debug)]
pub(crate) struct Tapped(Tap);

/// Another hand on the same stream.
#[derive(Clone, Debug)]
pub(crate) struct Tap(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    stream: Option<TcpStream>,
    reader: Option<Waker>,
    read: usize,
    written: usize,
    /// Whether what the library writes is dropped.
    muted: bool,
}

impl Tap {
    pub(crate) fn new(stream: TcpStream) -> (Self, Tapped) {
        let tap = Self(Arc::new(Mutex::new(Inner {
            stream: Some(stream),
            reader: None,
            read: 0,
            written: 0,
            muted: false,
        })));
        (tap.clone(), Tapped(tap))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read(&self) -> usize {
        self.lock().read
    }

    pub(crate) fn written(&self) -> usize {
        self.lock().written
    }

    /// Sends a Close frame while the library is silent; without a code, an empty one. It is the
    /// last frame: the library's answer to the peer's answer is dropped.
    pub(crate) fn close(&self, role: Role, code: Option<u16>) -> anyhow::Result<()> {
        let payload = code.map(u16::to_be_bytes);
        let payload = payload.as_ref().map_or(&[][..], |code| &code[..]);
        let mut frame = vec![0x88, payload.len() as u8];
        if role == Role::Client {
            frame[1] |= 0x80;
            // A key of zeros masks to the same bytes.
            frame.extend([0; 4]);
        }
        frame.extend(payload);
        let written = self.stream(|stream| stream.try_write(&frame))?;
        anyhow::ensure!(
            written == frame.len(),
            "the frame did not leave in one piece"
        );
        self.lock().muted = true;
        Ok(())
    }

    /// Ends our direction.
    pub(crate) fn fin(&self) -> anyhow::Result<()> {
        self.stream(|stream| SockRef::from(stream).shutdown(Shutdown::Write))
    }

    /// Resets the connection. The library then finds it reset.
    pub(crate) fn reset(&self) -> anyhow::Result<()> {
        self.stream(|stream| SockRef::from(stream).set_linger(Some(Duration::ZERO)))?;
        let mut inner = self.lock();
        inner.stream = None;
        if let Some(reader) = inner.reader.take() {
            reader.wake();
        }
        Ok(())
    }

    fn stream<T>(&self, act: impl FnOnce(&TcpStream) -> io::Result<T>) -> anyhow::Result<T> {
        let inner = self.lock();
        let stream = inner.stream.as_ref().context("the stream is gone")?;
        act(stream).context("act on the stream")
    }
}

impl Inner {
    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        match &mut self.stream {
            Some(stream) => Ok(Pin::new(stream)),
            None => Err(ErrorKind::ConnectionReset.into()),
        }
    }
}

/// The library drops its stream when the connection is over; TCP ends then, not with the last tap.
impl Drop for Tapped {
    fn drop(&mut self) {
        self.0.lock().stream = None;
    }
}

impl AsyncRead for Tapped {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut inner = self.0.lock();
        let before = into.filled().len();
        let result = inner.stream()?.poll_read(cx, into);
        inner.read += into.filled().len() - before;
        if result.is_pending() {
            inner.reader = Some(cx.waker().clone());
        }
        result
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.0.lock();
        if inner.muted {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let result = inner.stream()?.poll_write_vectored(cx, slices);
        if let Poll::Ready(Ok(count)) = result {
            inner.written += count;
        }
        result
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().stream()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().stream()?.poll_shutdown(cx)
    }
}

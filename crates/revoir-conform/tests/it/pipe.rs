//! A stream in memory that ends as TCP does: FIN in each direction, and RST, which destroys what was
//! on its way.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use revoir_conform::Transport;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What one direction holds before its writer has to wait.
const CAPACITY: usize = 64 * 1024;

#[derive(Debug, Default)]
struct Direction {
    bytes: VecDeque<u8>,
    fin: bool,
    reset: bool,
    /// The reader is gone.
    unheard: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Direction {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }
}

/// One end.
#[derive(Debug)]
pub(crate) struct Pipe {
    incoming: Arc<Mutex<Direction>>,
    outgoing: Arc<Mutex<Direction>>,
    resets: bool,
}

/// Both ends.
pub(crate) fn pipe() -> (Pipe, Pipe) {
    let (one, other) = (Arc::default(), Arc::<Mutex<Direction>>::default());
    let end = |incoming: &Arc<_>, outgoing: &Arc<_>| Pipe {
        incoming: Arc::clone(incoming),
        outgoing: Arc::clone(outgoing),
        resets: false,
    };
    (end(&one, &other), end(&other, &one))
}

fn lock(direction: &Mutex<Direction>) -> MutexGuard<'_, Direction> {
    direction.lock().expect("nobody panics in here")
}

impl Transport for Pipe {
    fn reset(&mut self) {
        self.resets = true;
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut incoming = lock(&self.incoming);
        let is_unread = !incoming.bytes.is_empty();
        incoming.unheard = true;
        incoming.wake();
        drop(incoming);
        let mut outgoing = lock(&self.outgoing);
        if self.resets || is_unread {
            outgoing.reset = true;
            outgoing.bytes.clear();
        }
        outgoing.fin = true;
        outgoing.wake();
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut incoming = lock(&self.incoming);
        if incoming.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if incoming.bytes.is_empty() {
            if incoming.fin {
                return Poll::Ready(Ok(()));
            }
            incoming.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let length = incoming.bytes.len().min(buf.remaining());
        let bytes: Vec<u8> = incoming.bytes.drain(..length).collect();
        buf.put_slice(&bytes);
        if let Some(waker) = incoming.writer.take() {
            waker.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut outgoing = lock(&self.outgoing);
        if outgoing.unheard || outgoing.fin {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let length = buf.len().min(CAPACITY - outgoing.bytes.len());
        if length == 0 {
            outgoing.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        outgoing.bytes.extend(&buf[..length]);
        if let Some(waker) = outgoing.reader.take() {
            waker.wake();
        }
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut outgoing = lock(&self.outgoing);
        outgoing.fin = true;
        outgoing.wake();
        Poll::Ready(Ok(()))
    }
}

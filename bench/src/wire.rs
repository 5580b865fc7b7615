//! [`Wire`]: the transport, in memory.

use std::hint::black_box;
use std::io::{self, IoSlice, Read, Write};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::case::{Arrival, Case, PIECE};
use crate::frames;

/// A transport in memory: the prepared frames come in again and again, and what is written is
/// consumed.
///
/// Two of its functions stand for the kernel. callgrind is told to count nothing inside a function
/// whose name begins with `uncounted_`, so the copy of the input and the consumption of the output
/// cost no stack anything. Such functions never call each other: each entry toggles.
#[derive(Debug)]
pub struct Wire {
    input: Vec<u8>,
    at: usize,
    portion: usize,
    available: usize,
    kept: Option<Vec<u8>>,
}

impl Wire {
    /// A transport that delivers the messages of `case` for ever.
    #[must_use]
    pub fn new(case: &Case) -> Self {
        let input = frames::input(case);
        let portion = match case.arrival {
            Arrival::Many => input.len(),
            // The frames of a case are all of one length.
            Arrival::One => input.len() / case.distinct(),
            Arrival::Pieces => PIECE,
        };
        Self {
            input,
            at: 0,
            portion,
            available: portion,
            kept: None,
        }
    }

    /// Keeps what is written from now on, for [`into_kept`](Self::into_kept).
    pub fn keep_output(&mut self) {
        self.kept = Some(Vec::new());
    }

    /// What was written, if it was kept.
    #[must_use]
    pub fn into_kept(self) -> Vec<u8> {
        self.kept.unwrap_or_default()
    }

    /// Whether bytes are there. If not, the next portion will be.
    fn is_ready(&mut self) -> bool {
        let ready = self.available > 0;
        if !ready {
            self.available = self.portion;
        }
        ready
    }

    /// The kernel's part of a read.
    #[inline(never)]
    fn uncounted_read(&mut self, buffer: &mut ReadBuf<'_>) {
        while self.available > 0 && buffer.remaining() > 0 {
            let until_repeat = self.input.len() - self.at;
            let count = self.available.min(buffer.remaining()).min(until_repeat);
            buffer.put_slice(&self.input[self.at..self.at + count]);
            self.available -= count;
            self.at = (self.at + count) % self.input.len();
        }
    }

    /// The kernel's part of a write.
    #[inline(never)]
    fn uncounted_write(&mut self, slices: &[IoSlice<'_>]) -> usize {
        for slice in slices {
            black_box(&slice[..]);
            if let Some(kept) = &mut self.kept {
                kept.extend_from_slice(slice);
            }
        }
        slices.iter().map(|slice| slice.len()).sum()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_ready() {
            return Poll::Pending;
        }
        self.uncounted_read(buffer);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.uncounted_write(&[IoSlice::new(bytes)])))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.uncounted_write(slices)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_ready() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut buffer = ReadBuf::new(buffer);
        self.uncounted_read(&mut buffer);
        Ok(buffer.filled().len())
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.uncounted_write(&[IoSlice::new(bytes)]))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.uncounted_write(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Polls until the future is done. The wire is always ready at the poll after it was not.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

//! A stream in memory whose faults can be chosen.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One direction.
#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// What the reader finds behind the bytes.
    end: Option<Result<(), ErrorKind>>,
    /// What the writer gets.
    broken: Option<ErrorKind>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn end_with(&mut self, end: Result<(), ErrorKind>) {
        self.end.get_or_insert(end);
        wake(&mut self.reader);
    }

    fn break_with(&mut self, error: ErrorKind) {
        self.broken.get_or_insert(error);
        wake(&mut self.writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// One end of the stream. Dropped, the other end reads to the end of the stream and cannot write.
#[derive(Debug)]
pub(crate) struct End {
    incoming: Arc<Mutex<Pipe>>,
    outgoing: Arc<Mutex<Pipe>>,
}

/// Two ends that hold `capacity` bytes in each direction.
pub(crate) fn pair(capacity: usize) -> (End, End) {
    let pipe = || {
        let pipe = Pipe {
            capacity,
            ..Pipe::default()
        };
        Arc::new(Mutex::new(pipe))
    };
    let (one, two) = (pipe(), pipe());
    let near = End {
        incoming: Arc::clone(&one),
        outgoing: Arc::clone(&two),
    };
    let far = End {
        incoming: two,
        outgoing: one,
    };
    (near, far)
}

impl End {
    /// The other end reads `error` behind what was written, and cannot write.
    pub(crate) fn fail(&self, error: ErrorKind) {
        self.outgoing.lock().unwrap().end_with(Err(error));
        self.incoming.lock().unwrap().break_with(error);
    }

    /// The other end reads `error`, or the end of the stream, and can still write.
    pub(crate) fn fail_reading(&self, error: Option<ErrorKind>) {
        let end = error.map_or(Ok(()), Err);
        self.outgoing.lock().unwrap().end_with(end);
    }

    /// The other end cannot write any more, and hears nothing of it when it reads.
    pub(crate) fn break_writes(&self, error: ErrorKind) {
        self.incoming.lock().unwrap().break_with(error);
    }

    /// Whether there is nothing to read just now.
    pub(crate) fn is_dry(&self) -> bool {
        self.incoming.lock().unwrap().bytes.is_empty()
    }

    /// Whether the other end was dropped.
    pub(crate) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.incoming) == 1
    }

    /// Bytes that the other end has written and that were not read.
    pub(crate) fn unread(&self) -> usize {
        self.incoming.lock().unwrap().bytes.len()
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut pipe = self.incoming.lock().unwrap();
        if pipe.bytes.is_empty() {
            if let Some(end) = pipe.end {
                return Poll::Ready(end.map_err(io::Error::from));
            }
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = into.remaining().min(pipe.bytes.len());
        let taken: Vec<u8> = pipe.bytes.drain(..count).collect();
        into.put_slice(&taken);
        wake(&mut pipe.writer);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = self.outgoing.lock().unwrap();
        if let Some(error) = pipe.broken {
            return Poll::Ready(Err(error.into()));
        }
        let count = bytes.len().min(pipe.capacity - pipe.bytes.len());
        if count == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.bytes.extend(&bytes[..count]);
        wake(&mut pipe.reader);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.lock().unwrap().end_with(Ok(()));
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.outgoing.lock().unwrap().end_with(Ok(()));
        self.incoming
            .lock()
            .unwrap()
            .break_with(ErrorKind::BrokenPipe);
    }
}

//! A socket while a relay is driven.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::relay::Accept;

/// The writing side of a socket, for the time of one poll.
pub(super) struct Writer<'a, 'b, S> {
    stream: Option<&'a mut S>,
    cx: &'a mut Context<'b>,
    /// Why it takes nothing any more.
    pub(super) error: Option<io::Error>,
}

impl<'a, 'b, S> Writer<'a, 'b, S> {
    pub(super) fn new(stream: Option<&'a mut S>, cx: &'a mut Context<'b>) -> Self {
        Self {
            stream,
            cx,
            error: None,
        }
    }
}

impl<S: AsyncWrite + Unpin> Accept for Writer<'_, '_, S> {
    fn accept(&mut self, slices: &[IoSlice<'_>]) -> usize {
        let Some(stream) = self.stream.as_deref_mut() else {
            return 0;
        };
        if self.error.is_some() {
            return 0;
        }
        let stream = Pin::new(stream);
        let written = match slices {
            // The kernel's way for one piece is shorter.
            [one] => stream.poll_write(self.cx, one),
            _ => stream.poll_write_vectored(self.cx, slices),
        };
        match written {
            Poll::Pending => 0,
            Poll::Ready(Ok(count)) => count,
            Poll::Ready(Err(error)) => {
                self.error = Some(error);
                0
            }
        }
    }
}

/// Reads once into `buffer`.
pub(super) fn poll_read<'b, S: AsyncRead + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
    buffer: &'b mut [u8],
) -> Poll<io::Result<&'b [u8]>> {
    let mut into = ReadBuf::new(buffer);
    match Pin::new(stream).poll_read(cx, &mut into) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Ready(Ok(())) => {
            let count = into.filled().len();
            Poll::Ready(Ok(&buffer[..count]))
        }
    }
}

//! [`FirstHead`]: the start of a connection, until a request's head is whole.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, timeout_at};

use crate::connection::Held;

/// Longer heads are read as HTTP as they come.
const LONGEST: usize = 4096;

/// What tells whether a head is whole looks at so many fields. With more, it is read as HTTP.
const FIELDS: usize = 100;

/// What has come of a head. A client that is slow costs this and its socket: what reads HTTP has a
/// buffer of 8 KiB from its first byte on.
#[derive(Debug)]
pub(super) struct FirstHead {
    bytes: Vec<u8>,
    /// The same, among all that clients fill.
    held: Held,
}

impl FirstHead {
    /// Nothing yet. What comes counts as held.
    pub(super) fn new(held: Held) -> Self {
        let bytes = Vec::new();
        Self { bytes, held }
    }

    /// Reads until the head is whole, is none, or is long; or until `stream` ends, `deadline` is over,
    /// or somebody drops this. What to make of it is for whoever reads HTTP.
    pub(super) async fn read<S>(&mut self, stream: &mut S, deadline: Instant)
    where
        S: AsyncRead + Unpin,
    {
        let reading = poll_fn(|cx| self.poll_read(cx, Pin::new(&mut *stream)));
        // Whoever goes on knows the time as well.
        drop(timeout_at(deadline, reading).await);
    }

    /// What has come, and as what it counts.
    pub(super) fn into_parts(self) -> (Vec<u8>, Held) {
        (self.bytes, self.held)
    }

    fn poll_read<S: AsyncRead>(
        &mut self,
        cx: &mut Context<'_>,
        mut stream: Pin<&mut S>,
    ) -> Poll<()> {
        let mut piece = [0; LONGEST];
        while self.is_begun() {
            let mut piece = ReadBuf::new(&mut piece);
            match ready!(stream.as_mut().poll_read(cx, &mut piece)) {
                Ok(()) if !piece.filled().is_empty() => {
                    self.bytes.extend_from_slice(piece.filled());
                    self.held.set(self.bytes.len());
                }
                // The end is found again.
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }

    /// Whether a head has begun that may yet come to its end.
    fn is_begun(&self) -> bool {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let parsed = httparse::Request::new(&mut fields).parse(&self.bytes);
        self.bytes.len() < LONGEST && parsed.is_ok_and(|status| status.is_partial())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncWriteExt, duplex};
    use tokio::time::Duration;

    use super::*;
    use crate::connection::HeldBytes;

    fn first_head() -> FirstHead {
        let all = Arc::new(HeldBytes::new(usize::MAX));
        FirstHead::new(Held::of(&all))
    }

    async fn read(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut client, mut stream) = duplex(64 * 1024);
        for piece in pieces {
            client.write_all(piece).await.unwrap();
        }
        let mut head = first_head();
        let deadline = Instant::now() + Duration::from_secs(10);
        head.read(&mut stream, deadline).await;
        head.into_parts().0
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_is_waited_for_until_it_is_whole_or_none() {
        let began = Instant::now();
        for head in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"GET / HTTP/1.1\nHost: a\n\nand more",
            b"\x16\x03\x01\x02\x00",
            b"GET / HTTP/9.9\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            assert_eq!(read(&[head]).await, head);
        }
        let long = [&b"GET / HTTP/1.1\r\nA: "[..], &[b'b'; LONGEST]].concat();
        assert!(read(&[&long]).await.len() >= LONGEST);
        assert_eq!(began.elapsed(), Duration::ZERO, "nothing is waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_come_by_the_deadline_is_kept() {
        let half = b"GET / HTTP/1.1\r\nHost: a\r\n";
        let began = Instant::now();
        let (mut client, mut stream) = duplex(1024);
        client.write_all(half).await.unwrap();
        let mut head = first_head();
        head.read(&mut stream, began + Duration::from_secs(10))
            .await;
        assert_eq!(head.into_parts().0, half);
        assert!(began.elapsed() >= Duration::from_secs(10));
        // Its end is no error yet.
        assert_eq!(read(&[half]).await, half);
    }
}

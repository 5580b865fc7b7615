//! [`Beginning`]: the start of a connection, until there is a request that is worth reading as HTTP.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};

use crate::connection::Held;

/// What is longer is read as HTTP as it comes.
const LONGEST: usize = 4096;

/// What tells whether a head is whole looks at so many fields. With more, it is read as HTTP.
const FIELDS: usize = 100;

/// What has come of a first request. A client that is slow costs this and its socket: what reads HTTP
/// has buffers of 8 KiB from its first byte on, and so has what passes a body on.
#[derive(Debug)]
pub(super) struct Beginning {
    bytes: Vec<u8>,
    /// The same, among all that clients fill.
    held: Held,
    has_head: bool,
    /// Why the end of its body does not come.
    ends_early: Option<EndsEarly>,
}

/// Why the end of a body does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndsEarly {
    /// It did not go on in time.
    Late,
    /// The client has ended its side.
    Cut,
}

impl Beginning {
    /// Nothing yet. What comes counts as held.
    pub(super) fn new(held: Held) -> Self {
        Self {
            bytes: Vec::new(),
            held,
            has_head: false,
            ends_early: None,
        }
    }

    /// Reads until there is a whole request, or none, or a long one; or until `stream` ends, a time is
    /// over, or somebody drops this. `deadline`: for the head; `body_limit`: for the next bytes of a
    /// body. What to make of it is for whoever reads HTTP.
    pub(super) async fn read<S>(&mut self, stream: &mut S, deadline: Instant, body_limit: Duration)
    where
        S: AsyncRead + Unpin,
    {
        let head = poll_fn(|cx| self.poll_head(cx, Pin::new(&mut *stream)));
        // Whoever goes on knows the time as well.
        let Ok(Some(length)) = timeout_at(deadline, head).await else {
            return;
        };
        while self.bytes.len() < length.min(LONGEST) {
            let piece = poll_fn(|cx| self.poll_piece(cx, Pin::new(&mut *stream)));
            match timeout(body_limit, piece).await {
                Ok(true) => continue,
                Ok(false) => self.ends_early = Some(EndsEarly::Cut),
                Err(_) => self.ends_early = Some(EndsEarly::Late),
            }
            return;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether the head of the request is whole.
    pub(super) fn has_head(&self) -> bool {
        self.has_head
    }

    /// Why the end of the request's body does not come, as far as that is known.
    pub(super) fn ends_early(&self) -> Option<EndsEarly> {
        self.ends_early
    }

    /// What has come, and as what it counts.
    pub(super) fn into_parts(self) -> (Vec<u8>, Held) {
        (self.bytes, self.held)
    }

    /// Reads until there is nothing of a head to wait for. The length of the request, where that is
    /// known and it has a body that can be waited for.
    fn poll_head<S: AsyncRead>(
        &mut self,
        cx: &mut Context<'_>,
        mut stream: Pin<&mut S>,
    ) -> Poll<Option<usize>> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; FIELDS];
            let mut request = httparse::Request::new(&mut fields);
            match request.parse(&self.bytes) {
                Ok(httparse::Status::Partial) if self.bytes.len() < LONGEST => {}
                Ok(httparse::Status::Complete(head)) => {
                    let body = body_length(request.headers);
                    self.has_head = true;
                    return Poll::Ready(body.map(|body| head.saturating_add(body)));
                }
                Ok(httparse::Status::Partial) | Err(_) => return Poll::Ready(None),
            }
            if !ready!(self.poll_piece(cx, stream.as_mut())) {
                return Poll::Ready(None);
            }
        }
    }

    /// Reads once. Whether there was something.
    fn poll_piece<S: AsyncRead>(
        &mut self,
        cx: &mut Context<'_>,
        stream: Pin<&mut S>,
    ) -> Poll<bool> {
        let mut piece = [0; LONGEST];
        let mut piece = ReadBuf::new(&mut piece);
        if ready!(stream.poll_read(cx, &mut piece)).is_err() {
            return Poll::Ready(false);
        }
        let piece = piece.filled();
        self.bytes.reserve_exact(piece.len());
        self.bytes.extend_from_slice(piece);
        self.held.set(self.bytes.len());
        Poll::Ready(!piece.is_empty())
    }
}

/// The length of a body that can be waited for, as its only field says. In chunks a program may talk
/// with its server; one that expects 100 sends nothing before it; an upgrade has no body.
fn body_length(fields: &[httparse::Header<'_>]) -> Option<usize> {
    let is = |field: &httparse::Header<'_>, name| field.name.eq_ignore_ascii_case(name);
    let others = ["Transfer-Encoding", "Expect", "Upgrade"];
    if fields
        .iter()
        .any(|field| others.iter().any(|name| is(field, name)))
    {
        return None;
    }
    let mut lengths = fields.iter().filter(|field| is(field, "Content-Length"));
    let digits = lengths.next()?.value;
    if lengths.next().is_some() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::connection::HeldBytes;

    const DEADLINE: Duration = Duration::from_secs(10);
    const BODY_LIMIT: Duration = Duration::from_secs(30);

    fn beginning() -> Beginning {
        let all = Arc::new(HeldBytes::new(usize::MAX));
        Beginning::new(Held::of(&all))
    }

    /// Reads what `pieces` are, from a client that stays.
    async fn read(pieces: &[&[u8]]) -> (Beginning, DuplexStream) {
        let (mut client, mut stream) = duplex(64 * 1024);
        for piece in pieces {
            client.write_all(piece).await.unwrap();
        }
        let mut beginning = beginning();
        let deadline = Instant::now() + DEADLINE;
        beginning.read(&mut stream, deadline, BODY_LIMIT).await;
        (beginning, client)
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
            assert_eq!(read(&[head]).await.0.bytes, head);
        }
        let long = [&b"GET / HTTP/1.1\r\nA: "[..], &[b'b'; LONGEST]].concat();
        assert!(read(&[&long]).await.0.bytes.len() >= LONGEST);
        assert_eq!(began.elapsed(), Duration::ZERO, "nothing is waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_come_by_the_deadline_is_kept() {
        let half = b"GET / HTTP/1.1\r\nHost: a\r\n";
        let began = Instant::now();
        let (mut client, mut stream) = duplex(1024);
        client.write_all(half).await.unwrap();
        let mut head = beginning();
        head.read(&mut stream, began + DEADLINE, BODY_LIMIT).await;
        assert_eq!((&*head.bytes, head.ends_early), (&half[..], None));
        assert!(began.elapsed() >= DEADLINE);
        // Its end is no error yet.
        drop(client);
        head.read(&mut stream, began + DEADLINE * 2, BODY_LIMIT)
            .await;
        assert_eq!(head.bytes, half);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_waited_for_until_it_is_whole_or_long() {
        let began = Instant::now();
        let long = [
            &b"PUT / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n"[..],
            &[b'a'; LONGEST],
        ];
        for request in [
            &[&b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello"[..]][..],
            &[b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe", b"llo"],
            &[b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"],
            &long,
        ] {
            let read = read(request).await.0;
            let all = request.concat();
            assert!(all.starts_with(&read.bytes));
            assert!(read.bytes.len() >= all.len().min(LONGEST));
        }
        // What nobody waits for: whoever reads HTTP decides.
        for request in [
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 5\r\nUpgrade: websocket\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
        ] {
            let read = read(&[request.as_bytes()]).await.0;
            assert_eq!((&*read.bytes, read.ends_early), (request.as_bytes(), None));
        }
        assert_eq!(began.elapsed(), Duration::ZERO, "nothing is waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_go_on_is_late() {
        let began = Instant::now();
        let half = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe";
        let (read, _client) = read(&[half]).await;
        assert_eq!(read.bytes, half);
        assert_eq!(read.ends_early, Some(EndsEarly::Late));
        // The deadline of the head has nothing to do with it.
        assert!(began.elapsed() >= BODY_LIMIT);
    }

    #[tokio::test]
    async fn a_body_whose_client_leaves_is_cut() {
        let (mut client, mut stream) = duplex(1024);
        let half = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe";
        client.write_all(half).await.unwrap();
        drop(client);
        let mut read = beginning();
        let deadline = Instant::now() + DEADLINE;
        read.read(&mut stream, deadline, BODY_LIMIT).await;
        assert_eq!(read.ends_early, Some(EndsEarly::Cut));
    }
}

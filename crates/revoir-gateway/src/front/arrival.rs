//! [`Arrival`]: a connection whose first request has to come in time.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use hyper::Response;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::connection::{Held, linger};
use crate::front::beginning::{Beginning, EndsEarly};
use crate::front::tapped_body::{BodyTap, tapped};
use crate::upstream::MaybeTls;

/// Heads up to this length are read also where memory is short.
const SHORT_HEAD: usize = 4096;

/// What may come while a request waits for its answer. Whoever sends more than that ahead is not waited
/// for.
const LONGEST_EARLY: usize = 64 * 1024;

/// What whoever is too slow is told.
const TOO_SLOW: &str = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\
                        Content-Type: text/plain; charset=utf-8\r\nContent-Length: 33\r\n\r\n\
                        the request did not come in time\n";

/// What whoever sends a long head is told where there is no memory for it.
const CROWDED: &str = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n\
                       Content-Type: text/plain; charset=utf-8\r\nContent-Length: 40\r\n\r\n\
                       there is no room for another connection\n";

/// A connection whose requests have to come in time. Else it ends; if a request has begun, that is
/// answered with 408.
#[derive(Debug)]
pub(super) struct Arrival {
    /// Until it is too late.
    stream: Option<MaybeTls>,
    /// What has come already, and is not read yet.
    early: BytesMut,
    /// `None` while a request is answered.
    waiting: Option<RequestTimer>,
    request: Arc<FirstRequest>,
    times: Times,
    /// What has come of a head that is not whole.
    held: Held,
    head_bytes: usize,
    /// There only while it takes none.
    blocked: Option<Pin<Box<Sleep>>>,
}

/// How long a client may take for what it does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// For the head of a request, once it has begun.
    pub(super) head: Duration,
    /// To begin another request.
    pub(super) keep_alive: Duration,
    /// To take bytes of an answer.
    pub(super) write: Duration,
}

#[derive(Debug)]
struct RequestTimer {
    limit: Pin<Box<Sleep>>,
    /// For a request to begin that nobody has to send.
    is_idle: bool,
    /// After so many requests.
    behind: usize,
}

impl RequestTimer {
    fn until(deadline: Instant, is_idle: bool, behind: usize) -> Self {
        Self {
            limit: Box::pin(sleep_until(deadline)),
            is_idle,
            behind,
        }
    }
}

/// Whether the first request of a connection has come, or will not.
#[derive(Debug)]
pub(super) struct FirstRequest {
    /// Its body is not going to be whole, and why: until it is answered.
    ends_early: Mutex<Option<EndsEarly>>,
    has_begun: AtomicBool,
    has_come: AtomicBool,
    /// How many have come, with those that came later.
    number: AtomicUsize,
    is_late: AtomicBool,
    is_crowded: AtomicBool,
    /// Whether a request is being answered: what comes meanwhile is no head.
    is_answered: AtomicBool,
    /// Whether that has no body and waits for the head of its answer: if its client leaves, nobody is to
    /// wait for it.
    is_watched: AtomicBool,
}

/// Looks at the body of an answer. With its end, the next head is waited for.
struct AnswerTap(Arc<FirstRequest>);

impl BodyTap<Body> for AnswerTap {
    fn left(&mut self, _: &mut Body) {
        self.0.is_answered.store(false, Ordering::Relaxed);
    }
}

impl FirstRequest {
    /// What is known of it once so much has come.
    pub(super) fn of(beginning: &Beginning) -> Self {
        Self {
            ends_early: Mutex::new(beginning.ends_early()),
            has_begun: (!beginning.is_empty()).into(),
            has_come: beginning.has_head().into(),
            number: 0.into(),
            is_late: false.into(),
            is_crowded: false.into(),
            is_answered: false.into(),
            is_watched: false.into(),
        }
    }

    /// It is here, or one that comes later. Returns why its body is not going to be whole.
    pub(super) fn comes(&self, has_body: bool) -> Option<EndsEarly> {
        self.has_come.store(true, Ordering::Relaxed);
        self.number.fetch_add(1, Ordering::Relaxed);
        self.is_answered.store(true, Ordering::Relaxed);
        self.is_watched.store(!has_body, Ordering::Relaxed);
        let mut ends_early = self
            .ends_early
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        ends_early.take()
    }

    /// This is the answer to it, or to one that came later.
    pub(super) fn answered_by(self: Arc<Self>, response: Response<Body>) -> Response<Body> {
        self.is_watched.store(false, Ordering::Relaxed);
        response.map(|body| tapped(body, AnswerTap(self)))
    }

    /// Whether there was no memory for its head.
    pub(super) fn is_crowded(&self) -> bool {
        self.is_crowded.load(Ordering::Relaxed)
    }

    pub(super) fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Relaxed)
    }

    fn number(&self) -> usize {
        self.number.load(Ordering::Relaxed)
    }

    /// Whether anything of it has come.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    pub(super) fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }
}

impl Arrival {
    /// `beginning`: what was read of `stream`; `deadline`: for the head of the first request.
    pub(super) fn new(
        (stream, beginning): (MaybeTls, Beginning),
        request: Arc<FirstRequest>,
        (deadline, times): (Instant, Times),
    ) -> Self {
        let (early, held) = beginning.into_parts();
        Self {
            stream: Some(stream),
            head_bytes: 0,
            early: Bytes::from(early).into(),
            held,
            waiting: (!request.has_come()).then(|| RequestTimer::until(deadline, false, 0)),
            request,
            times,
            blocked: None,
        }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut MaybeTls>> {
        let stream = self.stream.as_mut().map(Pin::new);
        stream.ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// What came of a write: an error once the client has taken nothing for too long.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.blocked = None;
            return result;
        }
        let limit = self.times.write;
        let blocked = self.blocked.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(blocked.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }

    /// Counts what is read of a head. Where there is no room for a long one, the connection ends.
    fn count(&mut self, read: usize) -> bool {
        if self.request.is_answered.load(Ordering::Relaxed) {
            self.head_bytes = 0;
            self.held.set(self.early.len());
            return true;
        }
        if read > 0 && self.waiting.as_ref().is_none_or(|waiting| waiting.is_idle) {
            let deadline = Instant::now() + self.times.head;
            let behind = self.request.number();
            self.waiting = Some(RequestTimer::until(deadline, false, behind));
        }
        self.head_bytes += read;
        self.held.set(self.head_bytes + self.early.len());
        if read == 0 || self.head_bytes <= SHORT_HEAD || !self.held.is_too_much() {
            return true;
        }
        self.request.is_crowded.store(true, Ordering::Relaxed);
        if let Some(stream) = self.stream.take() {
            tokio::spawn(linger(stream, CROWDED.as_bytes().to_vec()));
        }
        self.waiting = None;
        self.held.set(0);
        false
    }

    /// Looks whether the client is still there while its request is answered, which what reads HTTP
    /// does not where something has come behind the request.
    ///
    /// # Errors
    ///
    /// It is not, or sends too much ahead.
    fn watch(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        // This is asked with each write.
        if !self.request.is_watched.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut piece = [0; SHORT_HEAD];
        loop {
            let mut piece = ReadBuf::new(&mut piece);
            match self.stream()?.poll_read(cx, &mut piece) {
                Poll::Pending => return Ok(()),
                Poll::Ready(read) => read?,
            }
            if piece.filled().is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.early.extend_from_slice(piece.filled());
            self.held.set(self.early.len());
            let is_long = self.early.len() > SHORT_HEAD;
            if self.early.len() > LONGEST_EARLY || is_long && self.held.is_too_much() {
                return Err(ErrorKind::OutOfMemory.into());
            }
        }
    }

    /// Ends the connection if it is time to.
    fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.request.is_answered.load(Ordering::Relaxed) {
            self.waiting = None;
            return Poll::Pending;
        }
        let behind = self.request.number();
        self.waiting.take_if(|waiting| waiting.behind != behind);
        let idle = || RequestTimer::until(Instant::now() + self.times.keep_alive, true, behind);
        let waiting = self.waiting.get_or_insert_with(idle);
        ready!(waiting.limit.as_mut().poll(cx));
        // Nobody is told who has nothing to ask.
        if !waiting.is_idle {
            self.request.is_late.store(true, Ordering::Relaxed);
            if let Some(stream) = self.stream.take()
                && self.request.has_begun()
            {
                tokio::spawn(linger(stream, TOO_SLOW.as_bytes().to_vec()));
            }
        }
        Poll::Ready(())
    }
}

/// The stream of a connection that was taken over from HTTP, with what was read of it already.
pub fn taken_over(upgraded: Upgraded) -> Option<(MaybeTls, Bytes)> {
    // What the front has given to hyper is what comes back.
    let parts = upgraded.downcast::<TokioIo<Arrival>>().ok()?;
    let Arrival { stream, early, .. } = parts.io.into_inner();
    let input = match early.is_empty() {
        true => parts.read_buf,
        false => [&*parts.read_buf, &*early].concat().into(),
    };
    Some((stream?, input))
}

impl AsyncRead for Arrival {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.stream.is_none() || self.poll_limit(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        self.count(0);
        if !self.early.is_empty() {
            let count = self.early.len().min(into.remaining());
            into.put_slice(&self.early.split_to(count));
            if self.early.is_empty() {
                self.early = BytesMut::new();
            }
            if !self.count(count) {
                into.set_filled(into.filled().len() - count);
            }
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        ready!(self.stream()?.poll_read(cx, into))?;
        let read = into.filled().len() - before;
        if !self.count(read) {
            // To whoever reads, this is the end.
            into.set_filled(before);
            return Poll::Ready(Ok(()));
        }
        if read > 0 {
            self.request.has_begun.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Arrival {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = self.stream()?.poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.stream()?.poll_write_vectored(cx, slices);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What reads HTTP comes here whenever it has nothing to write, and behind an answer it may not
        // read until something comes.
        self.watch(cx)?;
        // When the time is over, it is woken, and reads the end.
        let _ = self.poll_limit(cx);
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = self.stream()?.poll_shutdown(cx);
        self.written(cx, result)
    }
}

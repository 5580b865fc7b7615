//! [`OpenExchange`]: a request under way, whose bodies are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use axum::BoxError;
use axum::body::Body;
use bytes::Bytes;
use hyper::body::Body as HttpBody;
use hyper::{Request, Response, StatusCode};

use crate::connection::{Held, HeldBytes, Registry};
use crate::front::tapped_body::{BodyTap, tapped};
use crate::watch::{Exchange, LoggedRequest, Observer};

/// The status in the log of a request whose client left before there was an answer, as nginx has it.
const CLIENT_LEFT: u16 = 499;

/// What a request takes up whose body is on its way: two buffers of 8 KiB that hyper has for the client and
/// two for the backend, and as much as two of them for the tasks.
const BUFFERS: usize = 48 * 1024;

/// An exchange whose answer is not known yet.
#[derive(Debug)]
pub(crate) struct OpenExchange {
    observer: Arc<dyn Observer>,
    held_bytes: Arc<HeldBytes>,
    asked: LoggedRequest,
    is_handshake: bool,
    request_bytes: Arc<AtomicU64>,
    /// Whether somebody else tells what became of it.
    is_told: bool,
}

impl OpenExchange {
    /// A request has come. Its body is counted from here on.
    pub(crate) fn new<B>(
        registry: &Registry,
        asked: LoggedRequest,
        is_handshake: bool,
        request: Request<B>,
    ) -> (Self, Request<Body>)
    where
        B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let asking = Self {
            observer: Arc::clone(&registry.observer),
            held_bytes: Arc::clone(&registry.held_bytes),
            asked,
            is_handshake,
            request_bytes: Arc::default(),
            is_told: false,
        };
        let bytes = Arc::clone(&asking.request_bytes);
        let held = Held::of(&registry.held_bytes);
        let request = request.map(|body| tapped(body, RequestTap { bytes, held }));
        (asking, request)
    }

    /// The answer is there, without its body. The observer is told when that is over too.
    pub(crate) fn answered(mut self, response: Response<Body>) -> Response<Body> {
        self.is_told = true;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return response;
        }
        let without_body = &*self.asked.method == "HEAD";
        let status = response.status().as_u16();
        response.map(|body| {
            let is_whole = without_body || body.is_end_stream();
            let tap = ResponseTap {
                held: Held::of(&self.held_bytes),
                status,
                bytes: 0,
                is_whole,
                asking: self,
            };
            tapped(body, tap)
        })
    }

    fn tell(&self, status: u16, response_bytes: u64, is_whole: bool) {
        self.observer.answered(Exchange {
            at: SystemTime::now(),
            took: self.asked.since.elapsed(),
            request: self.asked.clone(),
            is_handshake: self.is_handshake,
            status,
            request_bytes: self.request_bytes.load(Ordering::Relaxed),
            response_bytes,
            is_whole,
        });
    }
}

/// The client has left before there was an answer.
impl Drop for OpenExchange {
    fn drop(&mut self) {
        if !self.is_told {
            self.tell(CLIENT_LEFT, 0, false);
        }
    }
}

struct RequestTap {
    bytes: Arc<AtomicU64>,
    /// The last part, until the next one is asked for, and the buffers of both connections until the end.
    held: Held,
}

struct ResponseTap {
    /// The last part, until the next one is asked for.
    held: Held,
    status: u16,
    bytes: u64,
    is_whole: bool,
    asking: OpenExchange,
}

impl<B> BodyTap<B> for RequestTap {
    fn wanted(&mut self) {
        self.held.set(BUFFERS);
    }

    fn came(&mut self, bytes: Option<usize>, _: bool) {
        // A backend that takes no more is not asked for the next part: both connections keep their buffers.
        self.held.set(bytes.map_or(0, |bytes| BUFFERS + bytes));
        let bytes = bytes.unwrap_or_default() as u64;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl<B> BodyTap<B> for ResponseTap {
    fn wanted(&mut self) {
        self.held.set(0);
    }

    fn came(&mut self, bytes: Option<usize>, is_last: bool) {
        self.is_whole = bytes.is_none() || is_last;
        let bytes = bytes.unwrap_or_default();
        self.held.set(bytes);
        self.bytes += bytes as u64;
    }

    fn left(&mut self, _: &mut B) {
        self.asking.tell(self.status, self.bytes, self.is_whole);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use hyper::body::Frame;

    use crate::front::tapped_body::TappedBody;

    /// A body of so many parts of 1000 bytes.
    struct Parts(usize);

    impl HttpBody for Parts {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let Some(rest) = self.0.checked_sub(1) else {
                return Poll::Ready(None);
            };
            self.0 = rest;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; 1000])))))
        }
    }

    #[test]
    fn a_body_that_its_backend_does_not_take_counts_with_its_buffers() {
        let held_bytes = Arc::new(HeldBytes::new(1 << 20));
        let tap = RequestTap {
            bytes: Arc::default(),
            held: Held::of(&held_bytes),
        };
        let mut body = TappedBody::new(Parts(1), tap);
        let mut next = || {
            let cx = &mut Context::from_waker(Waker::noop());
            Pin::new(&mut body).poll_frame(cx)
        };
        assert_eq!(held_bytes.now(), 0);
        assert!(matches!(next(), Poll::Ready(Some(Ok(_)))));
        assert_eq!(held_bytes.now(), BUFFERS + 1000);
        assert!(matches!(next(), Poll::Ready(None)));
        assert_eq!(held_bytes.now(), 0);
    }
}

//! [`TappedBody`]: a body that somebody looks at as it passes on.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// Looks at a body as it passes on.
pub(super) trait BodyTap<B> {
    /// The next part is wanted.
    fn wanted(&mut self) {}

    /// It has come, with so many bytes. `None`: there is none; `is_last`: nothing comes behind it.
    fn came(&mut self, _bytes: Option<usize>, _is_last: bool) {}

    /// Nobody wants any more of `body`.
    fn left(&mut self, _body: &mut B) {}
}

/// A body that a tap looks at.
pub(super) struct TappedBody<B, T: BodyTap<B>> {
    body: B,
    tap: T,
}

impl<B, T: BodyTap<B>> TappedBody<B, T> {
    pub(super) const fn new(body: B, tap: T) -> Self {
        Self { body, tap }
    }
}

/// `body`, at which `tap` looks.
pub(super) fn tapped<B, T>(body: B, tap: T) -> Body
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
    T: BodyTap<B> + Send + Unpin + 'static,
{
    Body::new(TappedBody::new(body, tap))
}

impl<B, T> HttpBody for TappedBody<B, T>
where
    B: HttpBody<Data = Bytes> + Unpin,
    T: BodyTap<B> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        this.tap.wanted();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        let bytes = frame.as_ref().map(|frame| {
            let data = frame.as_ref().ok().and_then(Frame::data_ref);
            data.map_or(0, Bytes::len)
        });
        this.tap.came(bytes, this.body.is_end_stream());
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B, T: BodyTap<B>> Drop for TappedBody<B, T> {
    fn drop(&mut self) {
        self.tap.left(&mut self.body);
    }
}

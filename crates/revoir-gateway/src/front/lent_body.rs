//! [`LentBody`]: a body that comes back as long as nothing of it was read.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// Where a body comes back to that was dropped unread.
#[derive(Clone, Debug, Default)]
pub(super) struct Lender(Arc<Mutex<Option<Body>>>);

impl Lender {
    pub(super) fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Some(body))))
    }

    /// Takes another body for the one that was read.
    pub(super) fn give(&self, body: Body) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    /// The body, unless something of it was read.
    pub(super) fn lend(&self) -> Option<Body> {
        let body = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        Some(Body::new(LentBody {
            body: Some(body),
            is_read: false,
            lender: self.clone(),
        }))
    }
}

struct LentBody {
    /// Until it is dropped.
    body: Option<Body>,
    is_read: bool,
    lender: Lender,
}

impl HttpBody for LentBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_read = true;
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.as_ref().map(HttpBody::size_hint);
        hint.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

impl Drop for LentBody {
    fn drop(&mut self) {
        if !self.is_read {
            let mut place = self.lender.0.lock().unwrap_or_else(PoisonError::into_inner);
            *place = self.body.take();
        }
    }
}

//! [`Progress`]: whether a body goes on.

use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// When a body last went on, whether it was given up, and whether it is one.
#[derive(Debug)]
pub(super) struct Progress {
    last: Mutex<Instant>,
    is_late: AtomicBool,
    is_broken: AtomicBool,
}

impl Progress {
    /// Watches `body`: it fails once nothing comes for `limit` while somebody wants more of it.
    pub(super) fn watch(body: Body, limit: Duration) -> (Body, Arc<Self>) {
        let progress = Arc::new(Self {
            last: Mutex::new(Instant::now()),
            is_late: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
        });
        let watched = WatchedBody {
            body,
            limit,
            waiting: None,
            progress: Arc::clone(&progress),
        };
        (Body::new(watched), progress)
    }

    /// Whether the body was given up.
    pub(super) fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }

    /// Whether the body is malformed, or ended before its end.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }

    /// Is ready once the body has not gone on for `limit`, or was over so long ago.
    pub(super) async fn quiet_for(&self, limit: Duration) {
        loop {
            let until = *self.last.lock().unwrap_or_else(PoisonError::into_inner) + limit;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    /// Time counts from now on.
    pub(super) fn goes_on(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

struct WatchedBody {
    body: Body,
    limit: Duration,
    /// There only while somebody waits for the body.
    waiting: Option<Pin<Box<Sleep>>>,
    progress: Arc<Progress>,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.waiting = None;
            this.progress.goes_on();
            if let Some(Err(_)) = frame {
                this.progress.is_broken.store(true, Ordering::Relaxed);
            }
            return Poll::Ready(frame);
        }
        let limit = this.limit;
        let waiting = this.waiting.get_or_insert_with(|| Box::pin(sleep(limit)));
        std::task::ready!(waiting.as_mut().poll(cx));
        this.progress.is_late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(std::io::Error::from(
            ErrorKind::TimedOut,
        )))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! [`Closed`]: the wait for the end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use revoir_proto::Ending;

use crate::driver::{Shared, WatcherId};

/// Waits until the connection has ended and its socket is gone, and gives its [`Ending`].
///
/// Every waiter gets the same one.
///
/// # Cancel safety
///
/// Dropping it changes nothing: a close that has begun goes on.
#[derive(Debug)]
#[must_use = "the close is under way; awaiting this waits until the socket is gone"]
pub struct Closed {
    socket: Shared,
    id: Option<WatcherId>,
}

impl Closed {
    pub(crate) fn new(socket: Shared) -> Self {
        Self { socket, id: None }
    }
}

impl Future for Closed {
    type Output = Arc<Ending>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Arc<Ending>> {
        let this = &mut *self;
        // Registered first: an ending between the two is then not missed.
        this.id = Some(this.socket.wakers.set_watcher(this.id, cx));
        match this.socket.ending() {
            Some(ending) => Poll::Ready(ending),
            None => Poll::Pending,
        }
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.socket.wakers.forget_watcher(id);
        }
    }
}

//! [`Draining`]: the wait for a drain.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::driver::{Shared, WatcherId};

/// Waits until a drain of the server reaches the connection, or it begins to close for another
/// cause: by this side, by the peer, or by its end. It returns at once if that has happened.
///
/// From then on the handler has the [notice](crate::drain::Drain::notice) of the drain, 1 s by default,
/// to send what it still wants to. The drain's Close frame is sent when that is over, or as soon as
/// the handler lets go of the connection. Other connections do not wait meanwhile.
///
/// It borrows nothing, so it stands beside [`recv`](crate::WebSocket::recv) in one `select!`, as the
/// first of the two: `recv` borrows the connection from there on.
///
/// ```
/// # async fn example(mut socket: revoir::WebSocket) -> Result<(), std::sync::Arc<revoir::Ending>> {
/// loop {
///     tokio::select! {
///         () = socket.draining() => break,
///         message = socket.recv() => socket.send(message?).await?,
///     }
/// }
/// socket.send("bye").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// Dropping it changes nothing.
#[derive(Debug)]
#[must_use = "it does nothing unless it is awaited"]
pub struct Draining {
    socket: Shared,
    id: Option<WatcherId>,
}

impl Draining {
    pub(crate) fn new(socket: Shared) -> Self {
        Self { socket, id: None }
    }
}

impl Future for Draining {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // Registered first: a drain between the two is then not missed.
        this.id = Some(this.socket.wakers.set_draining(this.id, cx));
        match this.socket.is_drained() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Drop for Draining {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.socket.wakers.forget_watcher(id);
        }
    }
}

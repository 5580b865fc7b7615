//! [`Reader`]: messages in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use revoir_proto::{Ending, Message};

use crate::driver::Shared;
use crate::websocket::Closer;

/// The half that receives. As a [`Stream`], its last item is the [`Ending`].
///
/// Dropped, it has the messages that still come thrown away and counted in [`Ending::discarded`];
/// the connection lives on until the [`Writer`](crate::Writer) is dropped as well.
#[derive(Debug)]
pub struct Reader {
    pub(super) socket: Shared,
}

impl Reader {
    pub(crate) fn new(socket: Shared) -> Self {
        Self { socket }
    }

    /// The next message.
    ///
    /// Messages that were received before the end are all returned before it, whatever ended the
    /// connection; after a close, drain or failure of this side, those that nobody has asked for by
    /// its end are counted in [`Ending::discarded`] instead. While nobody calls this, 32 messages or
    /// 64 KiB are read ahead; then TCP holds the peer back.
    ///
    /// # Errors
    ///
    /// The [`Ending`], once no message is left: a clean one too, so that it cannot be overlooked.
    /// Every further call gives the same one.
    ///
    /// # Cancel safety
    ///
    /// No message is lost when the future is dropped: a message is taken only when it is returned.
    pub fn recv(&mut self) -> impl Future<Output = Result<Message, Arc<Ending>>> {
        Recv {
            reader: self,
            is_waiting: false,
        }
    }

    /// A handle that closes, and tells how the connection ended.
    #[must_use]
    pub fn closer(&self) -> Closer {
        Closer::new(Arc::clone(&self.socket))
    }
}

/// A call of `recv`, which may be dropped before it has returned.
struct Recv<'a> {
    reader: &'a mut Reader,
    is_waiting: bool,
}

impl Future for Recv<'_> {
    type Output = Result<Message, Arc<Ending>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = self.reader.socket.poll_recv(cx);
        self.is_waiting = result.is_pending();
        result
    }
}

impl Drop for Recv<'_> {
    fn drop(&mut self) {
        if self.is_waiting {
            self.reader.socket.stop_receiving();
        }
    }
}

impl Stream for Reader {
    type Item = Result<Message, Arc<Ending>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.socket.has_streamed_ending() {
            return Poll::Ready(None);
        }
        let result = ready!(self.socket.poll_recv(cx));
        if result.is_err() {
            self.socket.set_streamed_ending();
        }
        Poll::Ready(Some(result))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.socket.drop_reader();
    }
}

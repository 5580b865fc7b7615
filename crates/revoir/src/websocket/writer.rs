//! [`Writer`]: messages out.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_sink::Sink;
use revoir_proto::{
    BinaryPayload, CloseRequest, Connection, Ending, LocalCause, Message, Reason, SendCode,
    TextPayload, UsageError,
};

use crate::driver::{Shared, Stimulus, TrySendError, push_message};
use crate::entropy::Entropy;
use crate::websocket::Closer;

/// The half that sends. It is a [`Sink`] as well.
///
/// Dropped, it changes nothing: what was sent still leaves, and the connection lives on until the
/// [`Reader`](crate::Reader) is dropped as well.
///
/// # What `Ok` means
///
/// A message that was answered with `Ok` is *queued*: it leaves as soon as the peer takes it, without
/// any further call. [`flush`](Self::flush) waits until it has been handed to the operating system;
/// whether the peer has read it, only the peer can say. What is queued and never leaves, because the
/// connection ends before, is counted in [`Ending::unsent`], in bytes.
///
/// A message that cannot leave any more is never answered with `Ok`: once the connection has ended,
/// every method that sends returns the [`Ending`] at once. That includes a transport that broke while
/// received messages still wait to be taken: they can be taken afterwards. On a connection that is
/// closing, they wait for its end and return the [`Ending`]; that takes no longer than the close
/// budget.
#[derive(Debug)]
pub struct Writer {
    socket: Shared,
}

impl Writer {
    pub(crate) fn new(socket: Shared) -> Self {
        Self { socket }
    }

    /// Queues a message and starts to write it. Waits while the queue is at its limit
    /// ([`Limits::queue`](crate::websocket::Limits::queue)).
    ///
    /// Messages sent while more input waits to be taken are written together, as soon as the
    /// application asks for the next one, waits, or returns to the runtime. Any other is written
    /// before this returns, as far as the peer takes it; if that write finds the transport broken,
    /// the answer is still `Ok`, and the message is in [`Ending::unsent`].
    ///
    /// # Errors
    ///
    /// The [`Ending`], if the connection is over or closing; the message was then not queued.
    ///
    /// # Cancel safety
    ///
    /// A message is queued whole, or not at all. It is queued only if the future completes: one that
    /// is dropped before has queued nothing.
    pub fn send<M: Into<Message>>(
        &mut self,
        message: M,
    ) -> impl Future<Output = Result<(), Arc<Ending>>> + use<'_, M> {
        self.queue(Stimulus::Send, message.into(), push_message)
    }

    /// [`send`](Self::send) without waiting: the message is queued now, or given back.
    ///
    /// # Errors
    ///
    /// [`TrySendError`]: the queue is at its limit, or the connection is over or closing.
    pub fn try_send(&mut self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.socket.try_send(message.into())
    }

    /// How many bytes wait to be written; see [`Limits::queue`](crate::websocket::Limits::queue).
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.socket.queued_bytes()
    }

    /// [`send`](Self::send), for text.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As for [`send`](Self::send).
    pub fn send_text<P: TextPayload>(
        &mut self,
        text: P,
    ) -> impl Future<Output = Result<(), Arc<Ending>>> {
        self.queue(Stimulus::Send, text, |core, now, text| {
            core.send_text(now, text)
        })
    }

    /// [`send`](Self::send), for binary data.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As for [`send`](Self::send).
    pub fn send_binary<P: BinaryPayload>(
        &mut self,
        payload: P,
    ) -> impl Future<Output = Result<(), Arc<Ending>>> {
        self.queue(Stimulus::Send, payload, |core, now, payload| {
            core.send_binary(now, payload)
        })
    }

    /// [`send`](Self::send) without the write: it follows with [`flush`](Self::flush), with the
    /// next `send` or `recv`, or when the task returns to the runtime. Nothing needs to be called for
    /// it to leave.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As for [`send`](Self::send).
    pub fn feed(&mut self, message: Message) -> impl Future<Output = Result<(), Arc<Ending>>> {
        self.queue(Stimulus::Feed, message, push_message)
    }

    /// Waits until everything sent so far was handed to the operating system, or to the stream that
    /// the connection runs over.
    ///
    /// # Errors
    ///
    /// The [`Ending`], if the connection has ended; [`Ending::unsent`] then says how much was left.
    /// On a connection that is closing, this waits for what is queued, the Close frame included.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped: the connection goes on writing.
    pub fn flush(&mut self) -> impl Future<Output = Result<(), Arc<Ending>>> {
        poll_fn(|cx| self.socket.poll_flush(cx))
    }

    /// Queues a ping and starts to write it, without waiting. Keepalive does this by itself; the pong serves
    /// [`rtt`](crate::Closer::rtt) only for its own pings.
    ///
    /// # Errors
    ///
    /// [`UsageError`]: the connection is not open, the queue is at its limit, or `payload` has
    /// more than 125 bytes (RFC 6455 section 5.5).
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.socket.ping(payload)
    }

    /// A handle that closes, and tells how the connection ended.
    #[must_use]
    pub fn closer(&self) -> Closer {
        Closer::new(Arc::clone(&self.socket))
    }

    /// Waits for room and has `push` push a message; with `flush`, starts to write it. If the future is
    /// dropped before it completes, nothing was pushed.
    pub(crate) fn push(
        &mut self,
        flush: bool,
        mut push: impl FnMut(&mut Connection<Entropy>, Duration) -> Result<(), UsageError>,
    ) -> impl Future<Output = Result<(), Arc<Ending>>> {
        let stimulus = match flush {
            true => Stimulus::Send,
            false => Stimulus::Feed,
        };
        poll_fn(move |cx| self.socket.poll_send(cx, stimulus, &mut push))
    }

    /// Waits for room and pushes `payload`. A plain future, small enough to sit in any handler.
    fn queue<P>(
        &mut self,
        stimulus: Stimulus,
        payload: P,
        push: impl Fn(&mut Connection<Entropy>, Duration, P) -> Result<(), UsageError>,
    ) -> impl Future<Output = Result<(), Arc<Ending>>> {
        let mut payload = Some(payload);
        poll_fn(move |cx| {
            self.socket.poll_send(cx, stimulus, |core, now| {
                take(&mut payload, |payload| push(core, now, payload))
            })
        })
    }
}

/// Pushes what waits, once. A payload that was not accepted is never taken for one that was.
fn take<P>(
    waiting: &mut Option<P>,
    push: impl FnOnce(P) -> Result<(), UsageError>,
) -> Result<(), UsageError> {
    match waiting.take() {
        Some(payload) => push(payload),
        None => Err(UsageError::TransportLost),
    }
}

/// Closing the sink sends 1000 and waits until the connection is over: an ending that is clean is
/// no error.
impl Sink<Message> for Writer {
    type Error = Arc<Ending>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        self.socket.poll_ready(cx)
    }

    /// A message for a connection that has begun to close since `poll_ready` cannot be refused,
    /// because there is no ending yet: its payload is counted in [`Ending::unsent`], and the next call
    /// of `poll_ready` or `poll_flush` returns that.
    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Arc<Ending>> {
        match self.socket.queue(message) {
            Some(ending) => Err(ending),
            None => Ok(()),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        self.socket.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        self.socket.close(CloseRequest {
            cause: LocalCause::ClosedLocally,
            code: SendCode::NORMAL_CLOSURE,
            reason: Reason::EMPTY,
            closed_at: None,
        });
        let ending = ready!(self.socket.poll_ended(cx));
        Poll::Ready(if ending.is_clean() {
            Ok(())
        } else {
            Err(ending)
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.socket.drop_writer();
    }
}

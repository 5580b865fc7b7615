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

use crate::driver::Shared;
use crate::entropy::Entropy;
use crate::websocket::Closer;

/// The half that sends. It is a [`Sink`] as well.
///
/// Dropped, it changes nothing: what was sent still leaves, and the connection lives on until the
/// [`Reader`](crate::Reader) is dropped as well.
///
/// On a connection that is closing, every method that sends waits for its end and returns the
/// [`Ending`]; that takes no longer than the close budget.
#[derive(Debug)]
pub struct Writer {
    driver: Shared,
}

impl Writer {
    pub(crate) fn new(driver: Shared) -> Self {
        Self { driver }
    }

    /// Queues a message and starts to write it. Waits while the queue is at its limit
    /// ([`Limits::queue`](crate::Limits::queue)).
    ///
    /// Messages sent while more input waits to be taken are written together, as soon as the
    /// application asks for the next one, waits, or returns to the runtime.
    ///
    /// # Errors
    ///
    /// The [`Ending`], if the connection is over or closing; the message was then not queued.
    ///
    /// # Cancel safety
    ///
    /// A message is queued whole, or not at all. It is queued only if the future completes.
    pub fn send(&mut self, message: Message) -> impl Future<Output = Result<(), Arc<Ending>>> {
        self.queue::<true, _>(message, push_message)
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
        self.queue::<true, _>(text, |core, now, text| core.send_text(now, text))
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
        self.queue::<true, _>(payload, |core, now, payload| core.send_binary(now, payload))
    }

    /// [`send`](Self::send) without the write: it follows with [`flush`](Self::flush), with the
    /// next `send` or `recv`, or when the task returns to the runtime.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As for [`send`](Self::send).
    pub fn feed(&mut self, message: Message) -> impl Future<Output = Result<(), Arc<Ending>>> {
        self.queue::<false, _>(message, push_message)
    }

    /// Waits until everything sent so far was handed to the operating system.
    ///
    /// # Errors
    ///
    /// The [`Ending`], if the connection ended before; [`Ending::unsent`] then says how much was
    /// left.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped: the connection goes on writing.
    pub fn flush(&mut self) -> impl Future<Output = Result<(), Arc<Ending>>> {
        poll_fn(|cx| self.driver.poll_flush(cx))
    }

    /// Sends a ping, now. Keepalive does this by itself; the pong serves
    /// [`rtt`](crate::Closer::rtt) only for its own pings.
    ///
    /// # Errors
    ///
    /// [`UsageError`]: the connection is not open, the queue is at its limit, or `payload` has
    /// more than 125 bytes (RFC 6455 section 5.5).
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.driver.ping(payload)
    }

    /// A handle that closes, and tells how the connection ended.
    #[must_use]
    pub fn closer(&self) -> Closer {
        Closer::new(Arc::clone(&self.driver))
    }

    /// Waits for room and queues `message`; with `flush`, starts to write it. Gives the position at
    /// which it ends in the output, to compare with [`written`](Self::written).
    pub(crate) fn push(
        &mut self,
        message: Message,
        flush: bool,
    ) -> impl Future<Output = Result<u64, Arc<Ending>>> {
        let mut message = Some(message);
        let mut end = 0;
        poll_fn(move |cx| {
            let pushed = self.driver.poll_send(cx, flush, |core, now| {
                if let Some(message) = message.take() {
                    push_message(core, now, message)?;
                    end = core.pushed_bytes();
                }
                Ok(())
            });
            pushed.map_ok(|()| end)
        })
    }

    /// How many bytes of the output were written.
    pub(crate) fn written(&self) -> u64 {
        self.driver.read(|engine| engine.core.written_bytes())
    }

    /// Waits for room and pushes `payload`. A plain future, small enough to sit in any handler.
    fn queue<const FLUSH: bool, P>(
        &mut self,
        payload: P,
        push: impl Fn(&mut Connection<Entropy>, Duration, P) -> Result<(), UsageError>,
    ) -> impl Future<Output = Result<(), Arc<Ending>>> {
        let mut payload = Some(payload);
        poll_fn(move |cx| {
            self.driver
                .poll_send(cx, FLUSH, |core, now| match payload.take() {
                    Some(payload) => push(core, now, payload),
                    None => Ok(()),
                })
        })
    }
}

/// Queues a message of either kind.
pub(crate) fn push_message(
    core: &mut Connection<Entropy>,
    now: Duration,
    message: Message,
) -> Result<(), UsageError> {
    match message {
        Message::Text(text) => core.send_text(now, text),
        Message::Binary(payload) => core.send_binary(now, payload),
    }
}

/// Closing the sink sends 1000 and waits until the connection is over: an ending that is clean is
/// no error.
impl Sink<Message> for Writer {
    type Error = Arc<Ending>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        self.driver.poll_ready(cx)
    }

    /// A message for a connection that has begun to close since `poll_ready` is thrown away; the
    /// next call of `poll_ready` or `poll_flush` says so with the ending.
    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Arc<Ending>> {
        match self.driver.queue(message) {
            Some(ending) => Err(ending),
            None => Ok(()),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        self.driver.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        self.driver.close(CloseRequest {
            cause: LocalCause::ClosedLocally,
            code: SendCode::NORMAL_CLOSURE,
            reason: Reason::EMPTY,
            closed_at: None,
        });
        let ending = ready!(self.driver.poll_ended(cx));
        Poll::Ready(if ending.is_clean() {
            Ok(())
        } else {
            Err(ending)
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.driver.drop_writer();
    }
}

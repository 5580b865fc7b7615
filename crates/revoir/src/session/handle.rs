//! [`Session`], [`Reader`] and [`Writer`]: the application's side.

use std::future::Future;
use std::sync::Arc;

use revoir_codes::SendCode;
use revoir_proto::{Message, Reason};
use revoir_session::{Key, SendError, SessionId};

use crate::session::end::End;
use crate::session::ending::SessionEnding;
use crate::session::event::Event;

/// A conversation that outlives its connections. See the [module](crate::session).
///
/// Dropped without a [close](Self::close), it says goodbye with 1000 as a client and 1001 as a server. At a server it
/// stays until then, and until its handler has returned.
#[derive(Debug)]
pub struct Session {
    reader: Reader,
    writer: Writer,
}

/// The half that receives.
#[derive(Debug)]
pub struct Reader {
    anchor: Arc<Anchor>,
}

/// The half that sends.
#[derive(Debug)]
pub struct Writer {
    anchor: Arc<Anchor>,
}

/// What the halves hold together.
#[derive(Debug)]
struct Anchor(Arc<End>);

impl Drop for Anchor {
    fn drop(&mut self) {
        self.0.drop_handles();
    }
}

impl Session {
    pub(super) fn new(end: Arc<End>) -> Self {
        let anchor = Arc::new(Anchor(end));
        Self {
            reader: Reader {
                anchor: Arc::clone(&anchor),
            },
            writer: Writer { anchor },
        }
    }

    /// The next message; see [`Reader::recv`].
    ///
    /// # Errors
    ///
    /// The [`SessionEnding`], once no message is left.
    ///
    /// # Cancel safety
    ///
    /// No message is lost when the future is dropped.
    pub fn recv(&mut self) -> impl Future<Output = Result<Message, Arc<SessionEnding>>> {
        self.reader.recv()
    }

    /// The next event; see [`Reader::event`].
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub fn event(&mut self) -> impl Future<Output = Option<Event>> {
        self.reader.event()
    }

    /// Sends a message; see [`Writer::send`].
    ///
    /// # Errors
    ///
    /// The [`SessionEnding`], if the session is over or closing.
    ///
    /// # Cancel safety
    ///
    /// A message is sent whole, or not at all.
    pub fn send<M: Into<Message>>(
        &mut self,
        message: M,
    ) -> impl Future<Output = Result<Key, Arc<SessionEnding>>> + use<'_, M> {
        self.writer.send(message)
    }

    /// Sends a message now or not at all; see [`Writer::try_send`].
    ///
    /// # Errors
    ///
    /// [`SendError`].
    pub fn try_send(&mut self, message: &Message) -> Result<Key, SendError> {
        self.writer.try_send(message)
    }

    /// Waits until the peer's application has taken everything; see [`Writer::flush`].
    ///
    /// # Errors
    ///
    /// The [`SessionEnding`], if the session ended before.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub fn flush(&mut self) -> impl Future<Output = Result<(), Arc<SessionEnding>>> {
        self.writer.flush()
    }

    /// Ends the session, behind everything that was sent; the future waits until the peer knows, and the connection is
    /// gone. It starts at the call.
    ///
    /// A client waits as long as the server takes messages, and gives up after 5 s in which it was there and took none. A
    /// connection on which nothing comes is closed after 4 s, and the goodbye is said on the next one; a server that is not
    /// there is given up once the session has expired there: the future need not be awaited either. A server
    /// waits for its client to come back and hear it, until the session expires, and as long for one that is there and does
    /// not answer: it need not be awaited, drop the future. Messages that were received and not taken until then are not
    /// taken any more: their sender gets them back.
    ///
    /// Code 4090 and 4094 are the protocol's own: 1011 is sent in their place.
    ///
    /// # Cancel safety
    ///
    /// The call has its effect even if the future is dropped at once.
    pub fn close(
        &self,
        code: SendCode,
        reason: Reason,
    ) -> impl Future<Output = Arc<SessionEnding>> + use<> {
        self.writer.close(code, reason)
    }

    /// The session; zeros at a client that was never welcomed.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.end().id()
    }

    /// Whether there is a connection right now.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.writer.is_attached()
    }

    /// How many messages are kept until the peer acknowledges them, and their bytes.
    #[must_use]
    pub fn kept(&self) -> (usize, u64) {
        self.writer.kept()
    }

    /// Both halves, for two tasks. When both are dropped, the session is closed as if this handle was.
    #[must_use]
    pub fn split(self) -> (Reader, Writer) {
        (self.reader, self.writer)
    }

    pub(super) fn end(&self) -> &Arc<End> {
        &self.reader.anchor.0
    }
}

impl Reader {
    /// The next message. What else happens is passed over, and logged where messages are missing or come back:
    /// use [`event`](Self::event) to get all of it.
    ///
    /// # Errors
    ///
    /// The [`SessionEnding`], once no message is left. Every further call gives the same one.
    ///
    /// # Cancel safety
    ///
    /// No message is lost when the future is dropped.
    pub async fn recv(&mut self) -> Result<Message, Arc<SessionEnding>> {
        let end = &self.anchor.0;
        loop {
            match end.until(End::take).await? {
                Event::Message { message, .. } => return Ok(message),
                Event::Ended(ending) => return Err(ending),
                Event::Gap { key, count, reason } => {
                    let reason = reason.id();
                    tracing::warn!(target: "revoir", %key, count, reason, "messages of a session are missing");
                }
                Event::Returned { key, fate, .. } => {
                    let fate = fate.id();
                    tracing::warn!(target: "revoir", %key, fate, "a message of a session was not sent");
                }
                other => tracing::debug!(target: "revoir", event = ?other, "session"),
            }
        }
    }

    /// The next event, messages among them; `None` behind the last one.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub async fn event(&mut self) -> Option<Event> {
        self.anchor.0.until(End::take).await.ok()
    }
}

impl Writer {
    /// Sends a message, now or over the next connection, and says what it is called. Waits while the
    /// window is full.
    ///
    /// `Ok` says that the session keeps it until the peer's application has taken it: what becomes of it otherwise, an
    /// [`Event::Returned`] says.
    ///
    /// A client that was never welcomed has no id yet: the key then has zeros.
    ///
    /// # Errors
    ///
    /// The [`SessionEnding`], if the session is over; while it is closing, this waits for that.
    ///
    /// # Cancel safety
    ///
    /// A message is sent whole, or not at all.
    pub fn send<M: Into<Message>>(
        &mut self,
        message: M,
    ) -> impl Future<Output = Result<Key, Arc<SessionEnding>>> + use<'_, M> {
        let message = message.into();
        async move {
            let sending = |end: &End| end.send_or_over(&message);
            self.anchor.0.until(sending).await
        }
    }

    /// Sends a message now or not at all.
    ///
    /// # Errors
    ///
    /// [`SendError`]: the window is full, or the session is over or closing.
    pub fn try_send(&mut self, message: &Message) -> Result<Key, SendError> {
        self.anchor.0.try_send(message)
    }

    /// Waits until the peer has acknowledged everything: its application has taken it.
    ///
    /// # Errors
    ///
    /// The [`SessionEnding`], if the session ended before.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn flush(&mut self) -> Result<(), Arc<SessionEnding>> {
        // One that is over keeps nothing either.
        let is_done =
            |session: &revoir_session::Session| session.ended().is_none() && session.kept().0 == 0;
        let flushed = |end: &End| match end.look(is_done) {
            true => Some(Ok(())),
            false => end.over().map(Err),
        };
        self.anchor.0.until(flushed).await
    }

    /// Whether there is a connection right now.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        let has_one = |session: &revoir_session::Session| session.connection().is_some();
        self.anchor.0.look(has_one)
    }

    /// How many messages are kept until the peer acknowledges them, and their bytes.
    #[must_use]
    pub fn kept(&self) -> (usize, u64) {
        self.anchor.0.look(revoir_session::Session::kept)
    }

    /// Ends the session; see [`Session::close`].
    ///
    /// # Cancel safety
    ///
    /// The call has its effect even if the future is dropped at once.
    pub fn close(
        &self,
        code: SendCode,
        reason: Reason,
    ) -> impl Future<Output = Arc<SessionEnding>> + use<> {
        let end = Arc::clone(&self.anchor.0);
        end.bye(code, &reason);
        async move { end.until_course(End::gone).await }
    }
}

//! [`Link`] and [`LinkSender`]: the application's side of a link.

use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use revoir_proto::{CallSite, Message, Reason, SendCode};
use tokio::sync::mpsc;

use crate::reconnect::link::event::{LinkEnd, LinkEvent, NotSent};
use crate::reconnect::link::receipt::Receipt;
use crate::reconnect::link::shared::{LinkShared, Order};

/// A connection that comes back: its events, one after the other. It is a [`Stream`] of them too.
///
/// A task keeps the connection up: it connects, and after every [`Ending`](crate::Ending) it does
/// what the [`Policy`](crate::Policy) decides. All that happens is an [event](LinkEvent), stopping
/// too. The link goes on while its events are taken: when 32 of them wait, it stops to read from
/// the connection, and to come back.
///
/// # Messages and their fates
///
/// [`send`](LinkSender::send) answers with a [`Receipt`] or gives the message back in [`NotSent`].
/// A message that was accepted has one of three fates:
///
/// | fate | what it means | how the application learns of it |
/// |---|---|---|
/// | *written* | its last byte was handed to the operating system; once the connection has ended, it is *in doubt* whether the peer has seen it | [`Receipt::written`] is `Ok`; its number is in `in_doubt` of the event that ends the connection |
/// | *kept* | it did not leave whole, so the peer has not seen it; it goes first over the next connection, in its order | [`Receipt::written`] waits; the fate becomes one of the others |
/// | *returned* | it did not leave whole, and will not | [`Receipt::written`] is [`NotWritten`](crate::reconnect::NotWritten); it is in `unsent` of the next event, with its number |
///
/// What is kept and what is returned when a connection ends, [`WhileDown`](crate::reconnect::WhileDown) says; the
/// last event returns everything. A message in doubt can only be settled by an answer of the
/// application's own: whoever sends it again should let the peer recognise it.
///
/// Dropped, the link sends what the connection takes at once, closes with 1000 and is over; what was
/// not written by then is lost, as its receipt says.
///
/// ```no_run
/// # async fn example() -> Result<(), revoir::client::ConnectError> {
/// use revoir::Link;
/// use revoir::reconnect::LinkEvent;
///
/// let mut link = Link::to("wss://example.com/feed").start()?;
/// while let Some(event) = link.recv().await {
///     match event {
///         LinkEvent::Up(up) => println!("connected to {}", up.url),
///         LinkEvent::Message(message) => println!("{message:?}"),
///         // 1012 Service Restart ...: attempt 1 in 3.217 s (rule code-1012, advised)
///         LinkEvent::Down { ending, decision, .. } => println!("{ending}: {decision}"),
///         LinkEvent::GaveUp { ending, decision, .. } => println!("{ending}: {decision}"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Link {
    events: mpsc::Receiver<LinkEvent>,
    sender: LinkSender,
}

impl Link {
    pub(super) fn new(events: mpsc::Receiver<LinkEvent>, shared: Arc<LinkShared>) -> Self {
        Self {
            events,
            sender: LinkSender { shared },
        }
    }

    /// The next event; `None` after the last one.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub fn recv(&mut self) -> impl Future<Output = Option<LinkEvent>> {
        poll_fn(|cx| self.events.poll_recv(cx))
    }

    /// A handle that sends and closes, for any task. Clones are cheap.
    #[must_use]
    pub fn sender(&self) -> LinkSender {
        self.sender.clone()
    }

    /// Sends a message; see [`LinkSender::send`].
    ///
    /// # Errors
    ///
    /// [`NotSent`], with the message.
    ///
    /// # Cancel safety
    ///
    /// As for [`LinkSender::send`].
    pub fn send(&self, message: Message) -> impl Future<Output = Result<Receipt, NotSent>> {
        self.sender.send(message)
    }

    /// Sends a message now or not at all; see [`LinkSender::try_send`].
    ///
    /// # Errors
    ///
    /// [`NotSent`], with the message.
    pub fn try_send(&self, message: Message) -> Result<Receipt, NotSent> {
        self.sender.try_send(message)
    }

    /// Says that the network has changed; see [`LinkSender::network_changed`].
    pub fn network_changed(&self) {
        self.sender.network_changed();
    }

    /// Closes the connection, if there is one, and stops coming back. Starts now; the future waits
    /// until the socket is gone, and gives what is left. Events that nobody took are thrown away.
    ///
    /// It takes at most the close budget, 5 s by default. Messages that were accepted go out before
    /// the Close frame, as far as the connection takes them at once.
    ///
    /// # Cancel safety
    ///
    /// The call has its effect even if the future is dropped at once; the link is then gone, and
    /// what did not leave with it.
    #[track_caller]
    pub fn close(self, code: SendCode, reason: Reason) -> impl Future<Output = LinkEnd> {
        self.sender.close(code, reason);
        self.finish()
    }

    async fn finish(mut self) -> LinkEnd {
        let mut returned = Vec::new();
        let mut end = LinkEnd::default();
        while let Some(event) = self.events.recv().await {
            match event {
                LinkEvent::Up(_) | LinkEvent::Message(_) => {}
                LinkEvent::Down { mut unsent, .. } => returned.append(&mut unsent),
                LinkEvent::GaveUp {
                    ending,
                    in_doubt,
                    unsent,
                    ..
                } => {
                    end = LinkEnd {
                        ending: Some(ending),
                        in_doubt,
                        unsent,
                    };
                }
                LinkEvent::Closed(closed) => end = closed,
            }
        }
        returned.append(&mut end.unsent);
        end.unsent = returned;
        end
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.sender.shared.close(Order::Dropped);
    }
}

impl Stream for Link {
    type Item = LinkEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<LinkEvent>> {
        self.events.poll_recv(cx)
    }
}

/// Sends over a [`Link`], and closes it, from any task. It does not keep the link: once that is
/// dropped or over, everything sent comes back.
#[derive(Clone, Debug)]
pub struct LinkSender {
    shared: Arc<LinkShared>,
}

impl LinkSender {
    /// Accepts a message for the connection. Waits while the connection is busy; what it does
    /// while there is none says [`WhileDown`](crate::reconnect::WhileDown).
    ///
    /// Messages of one task leave in their order. `Ok` means that the link looks after the message:
    /// the [`Receipt`] tells what [becomes of it](Link#messages-and-their-fates), and may be dropped.
    ///
    /// # Errors
    ///
    /// [`NotSent`], with the message.
    ///
    /// # Cancel safety
    ///
    /// A message is accepted only if the future completes.
    pub fn send(&self, message: Message) -> impl Future<Output = Result<Receipt, NotSent>> {
        self.shared.outbox.accept(message)
    }

    /// Accepts a message now or not at all: where [`send`](Self::send) would wait, this fails with
    /// [`NotSent::Full`] or [`NotSent::Down`].
    ///
    /// # Errors
    ///
    /// [`NotSent`], with the message.
    pub fn try_send(&self, message: Message) -> Result<Receipt, NotSent> {
        self.shared.outbox.try_accept(message)
    }

    /// Whether there is a connection right now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.shared.outbox.is_up()
    }

    /// Says that the network has changed, or the machine has woken up: a delay that is running is
    /// cut short, at most once per 10 s. A delay that the server asked for is kept. While there is
    /// a connection, keepalive finds out whether it is still one.
    pub fn network_changed(&self) {
        self.shared.hint.notify_waiters();
    }

    /// Closes the link, now: nothing is accepted any more, and the last event follows. See
    /// [`Link::close`].
    #[track_caller]
    pub fn close(&self, code: SendCode, reason: Reason) {
        self.shared.close(Order::Close {
            code,
            reason,
            site: CallSite::from(Location::caller()),
        });
    }
}

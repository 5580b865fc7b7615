//! [`Outbox`]: the queue between the application's tasks and that of the link.

use std::sync::{Mutex, MutexGuard, PoisonError};

use revoir_proto::Message;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::reconnect::link::event::NotSent;
use crate::reconnect::link::pace::Pace;
use crate::reconnect::link::queue::{Next, Offer, Queue, Report};
use crate::reconnect::link::receipt::Receipt;
use crate::reconnect::link::while_down::WhileDown;

#[derive(Debug)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    /// A sender may try again.
    room: Notify,
    /// A message waits.
    ready: Notify,
}

impl Outbox {
    pub(super) fn new(while_down: WhileDown, pace: Pace) -> Self {
        Self {
            queue: Mutex::new(Queue::new(while_down, pace, Instant::now())),
            room: Notify::new(),
            ready: Notify::new(),
        }
    }

    /// Accepts `message` as soon as it may.
    pub(super) async fn accept(&self, message: Message) -> Result<Receipt, NotSent> {
        let mut message = message;
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            // Before the look: what changes after it is not missed.
            room.as_mut().enable();
            message = match self.offer(message) {
                Offer::Accepted(receipt) => return Ok(receipt),
                Offer::No(not_sent) => return Err(not_sent),
                Offer::Later(message) => message,
            };
            room.await;
        }
    }

    /// Accepts `message` now or not at all.
    pub(super) fn try_accept(&self, message: Message) -> Result<Receipt, NotSent> {
        match self.offer(message) {
            Offer::Accepted(receipt) => Ok(receipt),
            Offer::No(not_sent) => Err(not_sent),
            Offer::Later(message) => Err(match self.is_up() {
                true => NotSent::Full(message),
                false => NotSent::Down(message),
            }),
        }
    }

    fn offer(&self, message: Message) -> Offer {
        let mut queue = self.lock();
        let offer = queue.offer(message, Instant::now());
        let has_room = queue.has_room();
        drop(queue);
        if let Offer::Accepted(_) = offer {
            self.ready.notify_one();
            // One message that left can make room for several.
            if has_room {
                self.room.notify_one();
            }
        }
        offer
    }

    /// What can be pushed to the connection.
    pub(super) fn next(&self) -> Next {
        self.lock().next(Instant::now())
    }

    /// Waits until a message was accepted, perhaps one that is gone by now.
    pub(super) async fn ready(&self) {
        self.ready.notified().await;
    }

    /// Whether nothing waits behind the next message that may leave as well.
    pub(super) fn is_last(&self) -> bool {
        self.lock().is_last()
    }

    pub(super) fn has_in_flight(&self) -> bool {
        self.lock().has_in_flight()
    }

    /// Pushes the first message that waits; see [`Queue::push`].
    pub(super) fn push<E>(&self, push: impl FnOnce(Message) -> Result<u64, E>) -> Result<(), E> {
        self.lock().push(push)?;
        self.room.notify_one();
        Ok(())
    }

    /// So many bytes of the connection's output were written.
    pub(super) fn note_written(&self, written: u64) {
        self.lock().note_written(written);
    }

    /// There is a connection.
    pub(super) fn up(&self) {
        self.change(|queue| queue.up(Instant::now()));
    }

    /// The connection has ended, after `written` bytes.
    pub(super) fn down(&self, written: u64) {
        self.change(|queue| queue.down(written));
    }

    /// Accepts nothing any more. What waits still goes to a connection that is there.
    pub(super) fn refuse(&self) {
        self.change(Queue::refuse);
    }

    /// The link is over: what did not leave is returned.
    pub(super) fn end(&self) {
        self.change(Queue::end);
    }

    /// What the next event says.
    pub(super) fn report(&self) -> Report {
        self.lock().report()
    }

    pub(super) fn is_up(&self) -> bool {
        self.lock().is_up()
    }

    /// Changes what is true for every sender.
    fn change(&self, change: impl FnOnce(&mut Queue)) {
        change(&mut self.lock());
        self.room.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! [`Queue`]: the fate of every message of a link, as plain data.
//!
//! A message is *waiting* until a connection takes it, *in flight* until its last byte was written,
//! and then it is out of our hands: whether the peer has seen it is *in doubt* once the connection
//! has ended. What is in flight at that moment waits again, before everything else: the peer cannot
//! have seen it whole. What will not be sent is *returned*.
//!
//! Messages are numbered as they are accepted and leave in that order, so those written over one
//! connection are a range of numbers.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use revoir_proto::Message;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::reconnect::link::event::{NotSent, Unsent};
use crate::reconnect::link::pace::Pace;
use crate::reconnect::link::receipt::Receipt;
use crate::reconnect::link::while_down::WhileDown;

/// What waits while there is a connection: enough to keep it busy.
const WAITING_MESSAGES: usize = 128;
const WAITING_BYTES: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Queue {
    while_down: WhileDown,
    pace: Pace,
    phase: QueuePhase,
    /// The number of the next message.
    next: u64,
    waiting: VecDeque<Entry>,
    /// Of the waiting ones.
    bytes: usize,
    /// So many of the waiting ones, from the front, were accepted before the connection was there.
    backlog: usize,
    /// When the first of the backlog may leave.
    due: Instant,
    in_flight: VecDeque<(Entry, u64)>,
    /// Written over the connection.
    written: Range<u64>,
    /// For the next event that can carry them.
    returned: Vec<Unsent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueuePhase {
    Down,
    Up,
    /// Nothing more is accepted.
    Over,
}

/// A message whose fate is open. Dropped, its receipt says that it was not written.
#[derive(Debug)]
struct Entry {
    number: u64,
    message: Message,
    accepted: Instant,
    receipt: oneshot::Sender<()>,
}

/// What becomes of a message that is offered.
#[derive(Debug)]
pub(super) enum Offer {
    Accepted(Receipt),
    /// Not now: wait for room.
    Later(Message),
    No(NotSent),
}

/// Whether there is something to push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Now,
    At(Instant),
    Nothing,
}

/// What an event says of messages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) in_doubt: Range<u64>,
    pub(super) unsent: Vec<Unsent>,
}

impl Queue {
    pub(super) fn new(while_down: WhileDown, pace: Pace, now: Instant) -> Self {
        Self {
            while_down,
            pace,
            phase: QueuePhase::Down,
            next: 0,
            waiting: VecDeque::new(),
            bytes: 0,
            backlog: 0,
            due: now,
            in_flight: VecDeque::new(),
            written: 0..0,
            returned: Vec::new(),
        }
    }

    /// Accepts `message`, if it may.
    pub(super) fn offer(&mut self, message: Message, now: Instant) -> Offer {
        let has_room = self.has_room_for(message.as_bytes().len());
        match (self.phase, self.while_down) {
            (QueuePhase::Over, _) => Offer::No(NotSent::Over(message)),
            (QueuePhase::Down, WhileDown::Fail) => Offer::No(NotSent::Down(message)),
            (QueuePhase::Up, _) | (QueuePhase::Down, WhileDown::Keep { .. }) if has_room => {
                Offer::Accepted(self.accept(message, now))
            }
            (QueuePhase::Up, _) | (QueuePhase::Down, WhileDown::Wait) => Offer::Later(message),
            (QueuePhase::Down, WhileDown::Keep { .. }) => Offer::No(NotSent::Full(message)),
        }
    }

    fn has_room_for(&self, length: usize) -> bool {
        let (messages, bytes) = match self.while_down {
            WhileDown::Keep { messages, bytes } => (messages, bytes),
            WhileDown::Fail | WhileDown::Wait => (WAITING_MESSAGES, WAITING_BYTES),
        };
        // One message of any size goes through a connection.
        let is_alone = self.phase == QueuePhase::Up && self.waiting.is_empty();
        let fits = self.waiting.len() < messages && self.bytes.saturating_add(length) <= bytes;
        fits || is_alone
    }

    /// Whether a message of one byte would be accepted.
    pub(super) fn has_room(&self) -> bool {
        self.phase == QueuePhase::Up && self.has_room_for(1)
    }

    fn accept(&mut self, message: Message, accepted: Instant) -> Receipt {
        let number = self.next;
        self.next += 1;
        let (receipt, written) = oneshot::channel();
        self.bytes += message.as_bytes().len();
        self.waiting.push_back(Entry {
            number,
            message,
            accepted,
            receipt,
        });
        Receipt::new(number, written)
    }

    /// What can be pushed to the connection.
    pub(super) fn next(&self, now: Instant) -> Next {
        if self.waiting.is_empty() {
            Next::Nothing
        } else if self.backlog == 0 || self.due <= now {
            Next::Now
        } else {
            Next::At(self.due)
        }
    }

    /// Whether nothing waits behind the next message that may leave as well.
    pub(super) fn is_last(&self) -> bool {
        self.waiting.len() == 1 || self.backlog > 0
    }

    pub(super) fn has_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Pushes the first message that waits. `push` gives the position at which it ends in the
    /// output of the connection; if it fails, nothing has happened.
    pub(super) fn push<E>(
        &mut self,
        push: impl FnOnce(Message) -> Result<u64, E>,
    ) -> Result<(), E> {
        let Some(first) = self.waiting.front() else {
            return Ok(());
        };
        let end = push(first.message.clone())?;
        if let Some(first) = self.waiting.pop_front() {
            self.bytes -= first.message.as_bytes().len();
            self.keep_pace(first.accepted);
            self.in_flight.push_back((first, end));
        }
        Ok(())
    }

    /// When the next one of the backlog may leave, behind one that was accepted at `before`.
    fn keep_pace(&mut self, before: Instant) {
        self.backlog = self.backlog.saturating_sub(1);
        if self.backlog > 0
            && let Some(next) = self.waiting.front()
        {
            let apart = next.accepted.saturating_duration_since(before);
            self.due += self.pace.gap(apart);
        }
    }

    /// So many bytes of the connection's output were written.
    pub(super) fn note_written(&mut self, written: u64) {
        while let Some((first, end)) = self.in_flight.pop_front() {
            if end > written {
                self.in_flight.push_front((first, end));
                return;
            }
            if self.written.is_empty() {
                self.written.start = first.number;
            }
            self.written.end = first.number + 1;
            // Whoever asked may have lost interest.
            let _ = first.receipt.send(());
        }
    }

    /// There is a connection.
    pub(super) fn up(&mut self, now: Instant) {
        self.enter(QueuePhase::Up);
        self.backlog = self.waiting.len();
        self.due = now;
    }

    /// The connection has ended, after `written` bytes. Called again, it changes nothing.
    pub(super) fn down(&mut self, written: u64) {
        self.note_written(written);
        for (entry, _) in mem::take(&mut self.in_flight).into_iter().rev() {
            self.bytes += entry.message.as_bytes().len();
            self.waiting.push_front(entry);
        }
        if self.phase == QueuePhase::Up {
            self.phase = QueuePhase::Down;
        }
        if self.while_down == WhileDown::Fail {
            self.return_all();
        }
    }

    /// Accepts nothing any more. What waits still goes to a connection that is there.
    pub(super) fn refuse(&mut self) {
        self.enter(QueuePhase::Over);
    }

    /// The link is over: what did not leave is returned.
    pub(super) fn end(&mut self) {
        self.enter(QueuePhase::Over);
        self.return_all();
    }

    /// For the next event: what was written over the connection that has ended, and what is
    /// returned.
    pub(super) fn report(&mut self) -> Report {
        let end = self.written.end;
        Report {
            in_doubt: mem::replace(&mut self.written, end..end),
            unsent: mem::take(&mut self.returned),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.phase == QueuePhase::Up
    }

    fn enter(&mut self, phase: QueuePhase) {
        if self.phase != QueuePhase::Over {
            self.phase = phase;
        }
    }

    fn return_all(&mut self) {
        self.bytes = 0;
        self.backlog = 0;
        let in_flight = mem::take(&mut self.in_flight);
        let waiting = mem::take(&mut self.waiting);
        let entries = in_flight.into_iter().map(|(entry, _)| entry).chain(waiting);
        self.returned.extend(entries.map(|entry| Unsent {
            number: entry.number,
            message: entry.message,
        }));
    }
}

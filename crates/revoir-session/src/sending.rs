//! [`Sending`]: our messages that the peer has not acknowledged.

mod dropping;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::event::Message;
use crate::wire::{self, BackendChanged, Bye, Control, GapReason, Violation, Window};

/// Something with a place in the order of our messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sequenced {
    /// Text of the application.
    Text(Bytes),
    /// A binary message of the application, as it is written: behind a byte that is 0.
    Binary(Bytes),
    /// Messages that will not come.
    Gap {
        /// How many.
        count: u64,
        /// Why.
        reason: GapReason,
    },
    /// The backend is another one.
    BackendChanged(BackendChanged),
    /// The store is away, or back.
    Volatile(bool),
    /// The end.
    Bye(Bye),
}

impl Sequenced {
    /// By how much it moves the count.
    pub(crate) const fn count(&self) -> u64 {
        match self {
            Self::Gap { count, .. } => *count,
            Self::Text(_)
            | Self::Binary(_)
            | Self::BackendChanged(_)
            | Self::Volatile(_)
            | Self::Bye(_) => 1,
        }
    }

    /// Whether it is a message of the application.
    const fn is_message(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Binary(_))
    }

    /// The bytes of the application in it.
    fn bytes(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Binary(message) => message.len() as u64 - 1,
            Self::Gap { .. } | Self::BackendChanged(_) | Self::Volatile(_) | Self::Bye(_) => 0,
        }
    }

    /// As a WebSocket message.
    pub(crate) fn to_message(&self) -> Message {
        let control = match self {
            Self::Text(text) => return Message::Text(text.clone()),
            Self::Binary(message) => return Message::Binary(message.clone()),
            Self::Gap { count, reason } => Control::Gap {
                count: *count,
                reason: *reason,
            },
            Self::BackendChanged(change) => Control::BackendChanged(*change),
            Self::Volatile(volatile) => Control::Volatile(*volatile),
            Self::Bye(bye) => Control::Bye(bye.clone()),
        };
        Message::Binary(control.encode())
    }

    /// From a message of the application.
    pub(crate) fn of_application(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(text),
            Message::Binary(binary) => Self::Binary([&[wire::BINARY], &binary[..]].concat().into()),
        }
    }

    /// As the application gave it, if it did.
    pub(crate) fn to_application(&self) -> Option<Message> {
        match self {
            Self::Text(text) => Some(Message::Text(text.clone())),
            Self::Binary(message) => Some(Message::Binary(message.slice(1..))),
            Self::Gap { .. } | Self::BackendChanged(_) | Self::Volatile(_) | Self::Bye(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Item {
    what: Sequenced,
    /// When it was last written to a connection.
    written: Option<Duration>,
}

/// What is kept until the peer acknowledges it, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sending {
    /// So many are acknowledged. The first item is the one behind them.
    acked: u64,
    /// So many are numbered. The last item ends here.
    numbered: u64,
    /// So many were ever written to a connection.
    written: u64,
    /// So many were written to this connection, or acknowledged before.
    cursor: u64,
    /// The item at the cursor.
    at: usize,
    /// Bytes of the application in all items.
    bytes: u64,
    items: VecDeque<Item>,
}

impl Sending {
    /// What a snapshot kept.
    pub(crate) fn restore(acked: u64, written: u64, items: Vec<Sequenced>) -> Self {
        let mut sending = Self {
            acked,
            numbered: acked,
            written,
            cursor: acked,
            ..Self::default()
        };
        for item in items {
            sending.push(item);
        }
        sending
    }

    pub(crate) const fn acked(&self) -> u64 {
        self.acked
    }

    pub(crate) const fn numbered(&self) -> u64 {
        self.numbered
    }

    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn kept(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = &Sequenced> {
        self.items.iter().map(|item| &item.what)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.items.is_empty()
    }

    /// Gives back room that nothing takes.
    pub(crate) fn shrink(&mut self) {
        self.items.shrink_to_fit();
    }

    pub(crate) fn has_room(&self, window: Window, bytes: u64) -> bool {
        let is_empty = self.items.is_empty();
        let fits = self.bytes.saturating_add(bytes) <= window.bytes;
        (self.items.len() as u64) < window.messages && (fits || is_empty)
    }

    /// Numbers one more; says its number.
    pub(crate) fn push(&mut self, what: Sequenced) -> u64 {
        self.numbered += what.count();
        self.bytes += what.bytes();
        self.items.push_back(Item {
            what,
            written: None,
        });
        self.numbered
    }

    /// Numbers something that tells of a change, or changes what is told if that is the last and was
    /// never written. Says its number.
    pub(crate) fn push_change(&mut self, what: Sequenced) -> u64 {
        let last = self.items.back_mut();
        match (last.filter(|last| last.written.is_none()), what) {
            (
                Some(Item {
                    what: Sequenced::Volatile(before),
                    ..
                }),
                Sequenced::Volatile(volatile),
            ) if self.written < self.numbered => *before = volatile,
            (
                Some(Item {
                    what: Sequenced::BackendChanged(before),
                    ..
                }),
                Sequenced::BackendChanged(change),
            ) if self.written < self.numbered => before.add(change),
            (_, what) => return self.push(what),
        }
        self.numbered
    }

    /// The peer has so many more.
    pub(crate) fn ack(&mut self, count: u64) -> Result<(), Violation> {
        if count > self.cursor - self.acked {
            return Err(Violation::AckBeyondSent);
        }
        self.release(self.acked + count);
        Ok(())
    }

    /// A connection begins, and the peer has so many: not fewer than it had acknowledged, and not
    /// more than are numbered.
    pub(crate) fn resume_from(&mut self, received: u64) {
        self.release(received.min(self.numbered));
        self.at = 0;
        self.cursor = self.acked;
    }

    /// Lets go of what the peer has.
    fn release(&mut self, to: u64) {
        while self.acked < to {
            let Some(first) = self.items.front_mut() else {
                break;
            };
            let missing = to - self.acked;
            match &mut first.what {
                Sequenced::Gap { count, .. } if *count > missing => {
                    *count -= missing;
                    self.acked = to;
                }
                _ => self.pop_first(),
            }
        }
        self.written = self.written.max(self.acked);
        self.cursor = self.cursor.max(self.acked);
    }

    fn pop_first(&mut self) {
        if let Some(item) = self.items.pop_front() {
            self.acked += item.what.count();
            self.bytes -= item.what.bytes();
            self.at = self.at.saturating_sub(1);
        }
    }

    /// What is to be written next.
    pub(crate) fn next(&self) -> Option<&Sequenced> {
        self.items.get(self.at).map(|item| &item.what)
    }

    /// The number of what is to be written next; of a gap, its last.
    pub(crate) fn next_number(&self) -> u64 {
        self.cursor + self.next().map_or(0, Sequenced::count)
    }

    /// The next one was written.
    pub(crate) fn wrote(&mut self, now: Duration) {
        if let Some(item) = self.items.get_mut(self.at) {
            item.written = Some(now);
            self.cursor += item.what.count();
            self.written = self.written.max(self.cursor);
            self.at += 1;
        }
    }

    /// When the first that the peer does not have was last written, and its number.
    pub(crate) fn head(&self) -> Option<(u64, Duration)> {
        let first = self.items.front()?;
        first.what.to_application()?;
        Some((self.acked + 1, first.written?))
    }

    /// Puts a gap in the place of the first.
    pub(crate) fn quarantine(&mut self) -> Option<Message> {
        let first = self.items.front_mut()?;
        let message = first.what.to_application()?;
        self.bytes -= first.what.bytes();
        first.what = Sequenced::Gap {
            count: 1,
            reason: GapReason::Quarantined,
        };
        Some(message)
    }

    /// Takes out what was written and is not acknowledged, with its numbers, and puts a gap in its
    /// place. The end stays.
    pub(crate) fn take_in_doubt(&mut self) -> Vec<(u64, Message)> {
        let mut number = self.acked;
        let mut taken = Vec::new();
        while let Some(first) = self.items.front() {
            if number >= self.written || matches!(first.what, Sequenced::Bye(_)) {
                break;
            }
            number += first.what.count();
            taken.extend(first.what.to_application().map(|message| (number, message)));
            self.bytes -= first.what.bytes();
            self.items.pop_front();
        }
        if number > self.acked {
            self.items.push_front(Item {
                what: Sequenced::Gap {
                    count: number - self.acked,
                    reason: GapReason::InDoubt,
                },
                written: None,
            });
        }
        (self.at, self.cursor) = (0, self.acked);
        taken
    }

    /// Takes everything out, with the number of each message, and whether it was ever written.
    pub(crate) fn take_all(&mut self) -> Vec<(u64, Message, bool)> {
        let mut number = self.acked;
        let written = self.written;
        let all = self.items.drain(..).filter_map(|item| {
            number += item.what.count();
            let message = item.what.to_application()?;
            Some((number, message, number <= written))
        });
        let all = all.collect();
        (self.at, self.bytes) = (0, 0);
        all
    }
}

//! [`Receiving`]: how many of the peer's messages were taken, and acknowledged.

use std::time::Duration;

use crate::wire::{Violation, Window};

/// So many messages are acknowledged at once.
pub const ACK_MESSAGES: u64 = 64;

/// A message is acknowledged after this time.
pub const ACK_DELAY: Duration = Duration::from_secs(1);

/// No count goes so far.
pub(crate) const COUNT_MAX: u64 = 1 << 52;

/// The peer's messages, counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Receiving {
    /// So many were handed over.
    received: u64,
    /// So many may be acknowledged.
    committed: u64,
    /// So many are acknowledged.
    acked: u64,
    /// So many come again: the peer was not told that we have them.
    again: u64,
    /// Bytes since the last ACK.
    bytes: u64,
    /// When an ACK is due.
    due: Option<Duration>,
    /// Whether that time has come, and the ACK waits to be written.
    rang: bool,
    /// What the peer keeps.
    window: Window,
}

impl Receiving {
    pub(crate) fn restore(received: u64, committed: u64) -> Self {
        Self {
            received,
            committed,
            acked: committed,
            ..Self::default()
        }
    }

    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    pub(crate) const fn committed(&self) -> u64 {
        self.committed
    }

    pub(crate) const fn window(&self) -> Window {
        self.window
    }

    /// When a timer is to ring for an ACK.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.due.filter(|_| !self.rang)
    }

    /// The timer has rung: nothing rings again until the ACK was written.
    pub(crate) const fn ring(&mut self) {
        self.rang = true;
    }

    /// What is behind the first so many, and not committed, was not taken.
    pub(crate) fn forget(&mut self, taken: u64) {
        let here = self.here();
        self.received = taken.clamp(self.committed, self.received);
        self.again = self.received.saturating_sub(here);
    }

    pub(crate) fn set_window(&mut self, window: Window) {
        self.window = window;
    }

    /// A connection begins; says how many the peer is told that we have.
    pub(crate) fn resume(&mut self) -> u64 {
        self.acked = self.committed;
        self.again = self.received - self.committed;
        (self.bytes, self.due, self.rang) = (0, None, false);
        self.committed
    }

    /// So many come; says how many of them are new.
    pub(crate) fn take(&mut self, count: u64, bytes: u64) -> Result<u64, Violation> {
        let old = self.again.min(count);
        let new = count - old;
        if new > COUNT_MAX - self.received {
            return Err(Violation::CountOverflow);
        }
        self.again -= old;
        self.received += new;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(new)
    }

    /// So many come, of which nothing new is taken any more.
    pub(crate) fn skip(&mut self, count: u64) {
        self.again -= self.again.min(count);
    }

    /// The first so many may be acknowledged.
    pub(crate) fn commit(&mut self, count: u64, now: Duration) {
        self.committed = count.clamp(self.committed, self.received);
        let pending = self.pending();
        if pending == 0 {
            return;
        }
        let is_many = pending >= ACK_MESSAGES.min((self.window.messages / 4).max(1));
        let is_long = self.bytes >= (self.window.bytes / 4).max(1);
        let latest = match is_many || is_long {
            true => now,
            false => now + ACK_DELAY,
        };
        self.due = Some(self.due.map_or(latest, |due| due.min(latest)));
    }

    /// Acknowledges now whatever may be.
    pub(crate) fn hurry(&mut self, now: Duration) {
        if self.pending() > 0 {
            self.due = Some(now);
        }
    }

    /// Whether nothing comes again that we have.
    pub(crate) const fn is_settled(&self) -> bool {
        self.again == 0
    }

    /// What came on this connection, or was told before it.
    const fn here(&self) -> u64 {
        self.received - self.again
    }

    /// What may be acknowledged: nothing that will come again.
    fn pending(&self) -> u64 {
        self.committed.min(self.here()).saturating_sub(self.acked)
    }

    /// What to acknowledge, if that is due.
    pub(crate) fn take_ack(&mut self, now: Duration) -> Option<u64> {
        if self.due.is_none_or(|due| due > now) {
            return None;
        }
        let count = self.pending();
        self.acked += count;
        (self.bytes, self.due, self.rang) = (0, None, false);
        (count > 0).then_some(count)
    }
}

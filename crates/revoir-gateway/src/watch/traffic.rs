//! [`Traffic`]: what went through a connection, for those who look at it from outside its task.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::relay::Side;

/// What came from the two sides of a connection.
///
/// Its task alone writes, once for every read, and others look at any time. So there is no lock and
/// no read-modify-write: every number is right, though not all of the same moment.
#[derive(Debug, Default)]
pub struct Traffic {
    client: Flow,
    backend: Flow,
    /// Since when the client is held, plus one. 0: it is not.
    held_since: AtomicU64,
    /// Since when its backend is silent, plus one. 0: it is not.
    silent_since: AtomicU64,
}

/// What came from one side. Times are in microseconds of the gateway's time.
#[derive(Debug, Default)]
struct Flow {
    bytes: AtomicU64,
    messages: AtomicU64,
    heard: AtomicU64,
    /// The last round trip, plus one. 0: none was measured.
    rtt: AtomicU64,
}

/// What came from one side, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Whole messages.
    pub messages: u64,
    /// Bytes on the wire, from the end of the opening handshake.
    pub bytes: u64,
}

impl Traffic {
    /// `bytes` came from `side`.
    #[inline]
    pub(crate) fn heard(&self, now: Duration, side: Side, bytes: usize) {
        let flow = self.flow(side);
        let before = flow.bytes.load(Ordering::Relaxed);
        flow.bytes.store(before + bytes as u64, Ordering::Relaxed);
        flow.heard.store(micros(now), Ordering::Relaxed);
    }

    /// So many whole messages have come from `side` in all.
    #[inline]
    pub(crate) fn set_messages(&self, side: Side, messages: u64) {
        self.flow(side).messages.store(messages, Ordering::Relaxed);
    }

    /// The last round trip to `side`.
    pub(crate) fn set_rtt(&self, side: Side, rtt: Duration) {
        let rtt = micros(rtt).saturating_add(1);
        self.flow(side).rtt.store(rtt, Ordering::Relaxed);
    }

    /// The client is held since then, or is not.
    pub(crate) fn set_held(&self, since: Option<Duration>) {
        let since = since.map_or(0, |since| micros(since).saturating_add(1));
        self.held_since.store(since, Ordering::Relaxed);
    }

    pub(crate) fn held_since(&self) -> Option<Duration> {
        optional(self.held_since.load(Ordering::Relaxed))
    }

    /// Its backend is silent since then, or is not.
    pub(crate) fn set_silent(&self, since: Option<Duration>) {
        let since = since.map_or(0, |since| micros(since).saturating_add(1));
        self.silent_since.store(since, Ordering::Relaxed);
    }

    pub(crate) fn silent_since(&self) -> Option<Duration> {
        optional(self.silent_since.load(Ordering::Relaxed))
    }

    pub(crate) fn rtt(&self, side: Side) -> Option<Duration> {
        optional(self.flow(side).rtt.load(Ordering::Relaxed))
    }

    /// When the last byte came from either side; zero if none did.
    pub(crate) fn last(&self) -> Duration {
        let last = |flow: &Flow| flow.heard.load(Ordering::Relaxed);
        Duration::from_micros(last(&self.client).max(last(&self.backend)))
    }

    /// What came from one side so far.
    pub fn sum(&self, side: Side) -> Sum {
        let flow = self.flow(side);
        Sum {
            bytes: flow.bytes.load(Ordering::Relaxed),
            messages: flow.messages.load(Ordering::Relaxed),
        }
    }

    fn flow(&self, side: Side) -> &Flow {
        match side {
            Side::Client => &self.client,
            Side::Backend => &self.backend,
        }
    }
}

impl std::ops::AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.messages += other.messages;
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn optional(number: u64) -> Option<Duration> {
    number.checked_sub(1).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_added_up_for_each_side() {
        let traffic = Traffic::default();
        assert_eq!(
            (traffic.last(), traffic.held_since()),
            (Duration::ZERO, None)
        );
        let ms = Duration::from_millis;
        traffic.heard(ms(1), Side::Client, 10);
        traffic.heard(ms(3), Side::Client, 5);
        traffic.set_messages(Side::Client, 1);
        traffic.heard(ms(2), Side::Backend, 7);
        traffic.set_messages(Side::Backend, 4);
        let sum = |bytes, messages| Sum { bytes, messages };
        assert_eq!(traffic.sum(Side::Client), sum(15, 1));
        assert_eq!(traffic.sum(Side::Backend), sum(7, 4));
        assert_eq!(traffic.last(), ms(3));
    }

    #[test]
    fn zero_is_a_time_too() {
        let traffic = Traffic::default();
        traffic.set_rtt(Side::Backend, Duration::ZERO);
        traffic.set_held(Some(Duration::ZERO));
        assert_eq!(traffic.rtt(Side::Backend), Some(Duration::ZERO));
        assert_eq!(traffic.rtt(Side::Client), None);
        assert_eq!(traffic.held_since(), Some(Duration::ZERO));
        traffic.set_held(None);
        assert_eq!(traffic.held_since(), None);
    }
}

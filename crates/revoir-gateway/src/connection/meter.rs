//! [`Meter`]: finds out that a client sends more than it may.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::client_rate::ClientRate;
use crate::watch::Limit;

/// What one client has sent lately.
#[derive(Debug)]
pub(super) struct Meter {
    rate: ClientRate,
    /// Up to when each is used up, in the gateway's time.
    messages: Duration,
    bytes: Duration,
    messages_so_far: u64,
    /// Since when its bytes may have waited to be read. `None`: they are read as they come.
    waited_since: Option<Duration>,
}

impl Meter {
    /// Of a client from which so many messages have come, or what counts as one. `None`: nothing is limited.
    pub(super) fn new(rate: ClientRate, messages_so_far: u64) -> Option<Box<Self>> {
        let is_limited = rate.messages_per_second.is_some() || rate.bytes_per_second.is_some();
        is_limited.then(|| {
            Box::new(Self {
                rate,
                messages: Duration::ZERO,
                bytes: Duration::ZERO,
                messages_so_far,
                waited_since: None,
            })
        })
    }

    /// Nothing is read from now on. What comes meanwhile will be read at once, and is not too fast
    /// for that.
    pub(super) fn stops(&mut self, now: Duration) {
        self.waited_since.get_or_insert(now);
    }

    /// Everything is read that was there.
    pub(super) fn is_up_to_date(&mut self) {
        self.waited_since = None;
    }

    /// `bytes` were read; so many messages have come in all. The limit that is exceeded, if one is.
    pub(super) fn came(&mut self, now: Duration, bytes: usize, messages: u64) -> Option<Limit> {
        let new_messages = messages - self.messages_so_far;
        self.messages_so_far = messages;
        let ClientRate {
            messages_per_second,
            bytes_per_second,
            burst,
        } = self.rate;
        let since = self.waited_since.unwrap_or(now);
        let use_up = |used: &mut Duration, count: u64, rate: Option<NonZeroU32>| {
            let Some(rate) = rate else {
                return false;
            };
            *used = (*used).max(since).saturating_add(time_of(count, rate));
            *used > now.saturating_add(burst)
        };
        if use_up(&mut self.messages, new_messages, messages_per_second) {
            return Some(Limit::Messages);
        }
        use_up(&mut self.bytes, bytes as u64, bytes_per_second).then_some(Limit::Bytes)
    }

    /// What a client is told that exceeds `limit`.
    pub(super) fn rule(&self, limit: Limit) -> String {
        let (rate, what) = match limit {
            Limit::Messages => (self.rate.messages_per_second, "messages"),
            _ => (self.rate.bytes_per_second, "bytes"),
        };
        let rate = rate.map_or(0, NonZeroU32::get);
        format!("more than {rate} {what} per second")
    }
}

/// How long `count` take at this rate per second.
fn time_of(count: u64, rate: NonZeroU32) -> Duration {
    let nanos = u128::from(count) * 1_000_000_000 / u128::from(rate.get());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn meter(messages: Option<u32>, bytes: Option<u32>) -> Option<Box<Meter>> {
        Meter::new(
            ClientRate {
                messages_per_second: messages.and_then(NonZeroU32::new),
                bytes_per_second: bytes.and_then(NonZeroU32::new),
                burst: ms(2000),
            },
            0,
        )
    }

    #[test]
    fn a_burst_and_then_the_rate_are_allowed_and_no_more() {
        let mut meter = meter(Some(10), None).unwrap();
        // 20 at once, and then one every 100 ms.
        assert_eq!(meter.came(ms(5000), 1 << 30, 20), None);
        for n in 1..=50 {
            assert_eq!(meter.came(ms(5000 + n * 100), 1 << 30, 20 + n), None);
        }
        assert_eq!(meter.came(ms(10_050), 1, 71), Some(Limit::Messages));
        assert_eq!(
            meter.rule(Limit::Messages),
            "more than 10 messages per second"
        );
    }

    #[test]
    fn quiet_does_not_save_up_more_than_a_burst() {
        let mut meter = meter(None, Some(1000)).unwrap();
        assert_eq!(meter.came(ms(3_600_000), 2000, 0), None);
        assert_eq!(meter.came(ms(3_600_000), 1, 0), Some(Limit::Bytes));
        assert_eq!(meter.rule(Limit::Bytes), "more than 1000 bytes per second");
    }

    #[test]
    fn what_had_to_wait_is_not_too_fast() {
        let mut meter = meter(None, Some(1000)).unwrap();
        meter.stops(ms(1000));
        meter.stops(ms(5000));
        // The gateway did not read for 10 s.
        assert_eq!(meter.came(ms(11_000), 12_000, 0), None);
        assert_eq!(meter.came(ms(11_000), 1, 0), Some(Limit::Bytes));
        meter.is_up_to_date();
        assert_eq!(meter.came(ms(14_000), 2000, 0), None);
    }

    #[test]
    fn nothing_is_measured_where_nothing_is_limited() {
        assert!(meter(None, None).is_none());
        let mut meter = meter(Some(1), None).unwrap();
        assert_eq!(
            meter.came(ms(1), usize::MAX, u64::MAX),
            Some(Limit::Messages)
        );
    }
}

//! [`History`]: what a policy remembers from one ending to the next.

use std::time::Duration;

use revoir_proto::Ending;

use crate::reconnect::decision::Decision;
use crate::reconnect::subject::Subject;

/// A connection has to be open at least this long to count as stable.
const STABLE: Duration = Duration::from_secs(10);

/// How many different subjects are counted at once.
const COUNTED: usize = 4;

/// What happened since the last stable connection. Plain data of 40 bytes; a new one for each
/// connection that is kept up.
///
/// A connection was *stable* if it was open for at least 10 s and for at least as long as the delay
/// before it. Only that forgets the attempts made so far: a server that accepts and closes at once
/// sees growing delays, not a storm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    attempts: u32,
    last_delay: Duration,
    counts: [Count; COUNTED],
}

/// How many attempts followed endings of one subject that may only be retried a few times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    /// [`Subject::key`].
    key: u16,
    /// 0: the place is free.
    attempts: u16,
}

impl History {
    /// Nothing has happened yet.
    #[must_use]
    pub const fn new() -> Self {
        Self::after(0, Duration::ZERO)
    }

    /// As if `attempts` had been made, the last one after `last_delay`: for a program that was
    /// restarted and should not begin with the shortest delays.
    #[must_use]
    pub const fn after(attempts: u32, last_delay: Duration) -> Self {
        let free = Count {
            key: 0,
            attempts: 0,
        };
        Self {
            attempts,
            last_delay,
            counts: [free; COUNTED],
        }
    }

    /// How many attempts were made since the last stable connection.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The delay before the last attempt.
    #[must_use]
    pub const fn last_delay(&self) -> Duration {
        self.last_delay
    }

    /// Whether a connection with this ending was stable.
    #[must_use]
    pub fn is_stable(&self, ending: &Ending) -> bool {
        ending.cause.was_open() && ending.open_for >= STABLE.max(self.last_delay)
    }

    /// Takes note of an ending and of what was decided about it. Call it once for each, before the
    /// next decision.
    pub fn record(&mut self, ending: &Ending, decision: &Decision) {
        if self.is_stable(ending) {
            *self = Self::new();
        }
        let Some(delay) = decision.delay else { return };
        self.attempts = decision.attempt;
        self.last_delay = delay;
        if decision.counted {
            self.count(Subject::of(ending).key());
        }
    }

    /// Attempts that followed endings with this key since the last stable connection.
    pub(super) fn counted(&self, key: u16) -> u16 {
        self.counts[self.place(key)].attempts
    }

    fn count(&mut self, key: u16) {
        let count = &mut self.counts[self.place(key)];
        count.key = key;
        count.attempts = count.attempts.saturating_add(1);
    }

    /// The place of `key`. A new key takes the one with the fewest attempts, and inherits them (the
    /// Space-Saving algorithm): a server that closes with ever new codes runs out of attempts too.
    fn place(&self, key: u16) -> usize {
        let mut fewest = 0;
        for (place, count) in self.counts.iter().enumerate() {
            if count.attempts > 0 && count.key == key {
                return place;
            }
            if count.attempts < self.counts[fewest].attempts {
                fewest = place;
            }
        }
        fewest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_count_of_its_own() {
        let mut history = History::new();
        for key in [4000, 4001, 4000, 4002, 4003, 4000] {
            history.count(key);
        }
        assert_eq!(
            [4000, 4001, 4002, 4003].map(|key| history.counted(key)),
            [3, 1, 1, 1]
        );
    }

    #[test]
    fn ever_new_keys_run_out_as_well() {
        let mut history = History::new();
        for key in 4000..4016 {
            history.count(key);
        }
        assert_eq!([4015, 4016].map(|key| history.counted(key)), [4, 4]);
    }
}

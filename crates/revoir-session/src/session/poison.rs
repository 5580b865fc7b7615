//! A message at which connections fail is left out, so that the rest goes on.

use std::time::Duration;

/// A failure counts against a message that was written so shortly before.
pub const POISON_WINDOW: Duration = Duration::from_secs(2);

/// What a peer closes with that cannot take a message.
pub const POISON_CODES: [u16; 4] = [1003, 1007, 1009, 1011];

/// The message at which a connection has failed once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Suspicion {
    /// When the last connection failed in a way that a message may have caused.
    failed: Option<Duration>,
    /// The message that was the first without an acknowledgement then.
    number: Option<u64>,
}

impl Suspicion {
    pub(crate) fn failed(&mut self, now: Duration, code: Option<u16>) {
        let is_poison = code.is_some_and(|code| POISON_CODES.contains(&code));
        self.failed = is_poison.then_some(now);
    }

    /// The next connection has begun, and the first message that the peer does not have is `head`.
    /// Whether it failed for the second time.
    pub(crate) fn convict(&mut self, head: Option<(u64, Duration)>) -> bool {
        let failed = self.failed.take();
        let suspect = head.filter(|(_, written)| {
            failed.is_some_and(|failed| failed.saturating_sub(*written) <= POISON_WINDOW)
        });
        let before = self.number.take();
        let number = suspect.map(|(number, _)| number);
        if number.is_some() && number == before {
            return true;
        }
        self.number = number;
        false
    }
}

//! [`Refusal`]: what is answered where there is no place for a connection.

use std::time::Duration;

use revoir_proto::Random;
use revoir_proto::handshake::Headers;

use crate::drain::{NoPlace, whole_seconds};
use crate::entropy::Entropy;

/// Who comes over a limit may try again after 1 s to this: places get free at any time.
const BUSY_SECONDS: u32 = 5;

/// An answer with a time to come back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: &'static str,
    after: Duration,
}

impl Refusal {
    /// The fields of the answer.
    pub(super) fn headers(self) -> Headers {
        let mut headers = Headers::new();
        let seconds = whole_seconds(self.after).to_string();
        let digits = headers.push("Retry-After", seconds);
        debug_assert!(digits.is_ok());
        headers
    }
}

impl From<NoPlace> for Refusal {
    fn from(reason: NoPlace) -> Self {
        let busy = || Duration::from_secs(u64::from(1 + Entropy.next_u32() % BUSY_SECONDS));
        let (status, body, after) = match reason {
            NoPlace::InTotal => (503, "too many connections\n", busy()),
            NoPlace::PerAddress => (429, "too many connections from this address\n", busy()),
            NoPlace::TooFast(after) => (503, "too many requests at once\n", after),
            NoPlace::Draining(after) => (503, "this server is going away\n", after),
        };
        Self {
            status,
            body,
            after,
        }
    }
}

//! [`Talk`]: what the two ends of a session have said, and heard.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Both ends say something as often as this.
pub(super) const PACE: Duration = Duration::from_millis(20);

/// What one client and its backend have said, and heard.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub(super) at_client: Mutex<AtClient>,
    pub(super) at_backend: Mutex<AtBackend>,
}

#[derive(Debug, Default)]
pub(super) struct AtClient {
    pub(super) sent: u64,
    pub(super) got: Vec<u64>,
    pub(super) returned: Vec<u64>,
    /// What it was told of its session, and when.
    pub(super) verdicts: Vec<(Instant, &'static str)>,
    /// So many messages will not come, as it was told then.
    pub(super) missing: Vec<(Instant, u64)>,
    /// Another backend, as it was told then: so many messages may not have been read by the one before.
    pub(super) changes: Vec<(Instant, u64)>,
}

#[derive(Debug, Default)]
pub(super) struct AtBackend {
    /// Numbers that were given so far; one whose connection broke was not sent.
    pub(super) given: u64,
    /// When each was handed to the system.
    pub(super) sent: Vec<(u64, Instant)>,
    pub(super) got: Vec<u64>,
}

impl AtBackend {
    pub(super) const fn next(&mut self) -> u64 {
        self.given += 1;
        self.given - 1
    }
}

pub(super) type SharedTalk = Arc<Talk>;

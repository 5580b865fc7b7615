//! [`Comeback`]: when a client tries again.

use std::time::{Duration, SystemTime};

use fastrand::Rng;
use revoir::reconnect::History;
use revoir::{Ending, Policy};

/// When a client tries again after an ending, and what it remembers meanwhile.
pub(crate) trait Comeback {
    /// What one client remembers.
    type Memory;

    /// A client that is connected.
    fn connected(&self, random: &mut Rng) -> Self::Memory;

    /// The wait before the next attempt; `None`: the client gives up.
    fn wait(
        &self,
        memory: &mut Self::Memory,
        ending: &Ending,
        random: &mut Rng,
    ) -> Option<Duration>;
}

/// A client of this project: the same code that decides for every client of the library.
#[derive(Debug)]
pub(crate) struct Ours(pub(crate) Policy);

impl Comeback for Ours {
    type Memory = History;

    fn connected(&self, _random: &mut Rng) -> History {
        History::new()
    }

    fn wait(&self, history: &mut History, ending: &Ending, random: &mut Rng) -> Option<Duration> {
        // No ending here carries a date, so the time of day plays no part.
        let decision = self
            .0
            .decide(ending, history, SystemTime::UNIX_EPOCH, random.u32(..));
        history.record(ending, &decision);
        decision.delay
    }
}

//! [`StormOutcome`]: what the server saw.

use std::time::Duration;

/// A slot of the record.
pub(crate) const SLOT: Duration = Duration::from_millis(100);

const SLOTS_PER_SECOND: usize = 10;

/// Attempts and returns of one storm, in slots of 100 ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StormOutcome {
    pub(crate) clients: u32,
    pub(crate) attempts: u64,
    /// Clients that are connected again.
    pub(crate) back: u32,
    /// Clients that stopped trying.
    pub(crate) gave_up: u32,
    /// Clients that came back with their first attempt.
    pub(crate) first_try: u32,
    /// When half of the clients were back.
    pub(crate) half: Option<Duration>,
    /// When 99 of 100 were back.
    pub(crate) nearly: Option<Duration>,
    /// When all were back.
    pub(crate) all: Option<Duration>,
    /// Attempts in each slot.
    pub(crate) tried: Vec<u32>,
    /// Returns in each slot.
    pub(crate) returned: Vec<u32>,
}

impl StormOutcome {
    pub(crate) fn new(clients: u32) -> Self {
        Self {
            clients,
            attempts: 0,
            back: 0,
            gave_up: 0,
            first_try: 0,
            half: None,
            nearly: None,
            all: None,
            tried: Vec::new(),
            returned: Vec::new(),
        }
    }

    pub(crate) fn attempt(&mut self, at: Duration) {
        self.attempts += 1;
        count(&mut self.tried, at);
    }

    pub(crate) fn came_back(&mut self, at: Duration) {
        count(&mut self.returned, at);
        self.back += 1;
        let reached = |part: u64| u64::from(self.back) * 100 >= u64::from(self.clients) * part;
        if reached(50) {
            self.half.get_or_insert(at);
        }
        if reached(99) {
            self.nearly.get_or_insert(at);
        }
        if self.back == self.clients {
            self.all = Some(at);
        }
    }

    pub(crate) fn attempts_per_client(&self) -> f64 {
        self.attempts as f64 / f64::from(self.clients.max(1))
    }

    /// Attempts in the fullest slot of 100 ms.
    pub(crate) fn fullest_slot(&self) -> u32 {
        self.tried.iter().copied().max().unwrap_or(0)
    }

    /// Attempts in the fullest second, wherever it begins.
    pub(crate) fn fullest_second(&self) -> u64 {
        fullest_second(&self.tried)
    }

    /// Returns in the fullest second, over the mean of the seconds from the first to the last
    /// return.
    pub(crate) fn peak_over_mean(&self) -> Option<f64> {
        let first = self.returned.iter().position(|&count| count > 0)?;
        let seconds = (self.returned.len() - first) as f64 / SLOTS_PER_SECOND as f64;
        let mean = f64::from(self.back) / seconds.max(1.0);
        Some(fullest_second(&self.returned) as f64 / mean)
    }
}

fn count(slots: &mut Vec<u32>, at: Duration) {
    let slot = (at.as_millis() / SLOT.as_millis()) as usize;
    if slots.len() <= slot {
        slots.resize(slot + 1, 0);
    }
    slots[slot] += 1;
}

fn fullest_second(slots: &[u32]) -> u64 {
    let sum = |window: &[u32]| window.iter().map(|&count| u64::from(count)).sum();
    match slots.len() {
        0..SLOTS_PER_SECOND => sum(slots),
        _ => slots.windows(SLOTS_PER_SECOND).map(sum).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_fullest_second_may_begin_anywhere() {
        let mut outcome = StormOutcome::new(4);
        for ms in [950, 1_050, 1_850, 3_000] {
            outcome.attempt(at(ms));
        }
        assert_eq!(outcome.fullest_second(), 3);
        assert_eq!(outcome.fullest_slot(), 1);
    }

    #[test]
    fn shares_are_reached_with_the_client_that_completes_them() {
        let mut outcome = StormOutcome::new(3);
        for ms in [100, 200, 300] {
            outcome.came_back(at(ms));
        }
        assert_eq!(outcome.half, Some(at(200)));
        assert_eq!(outcome.nearly, Some(at(300)));
        assert_eq!(outcome.all, Some(at(300)));
    }

    #[test]
    fn an_even_return_has_a_peak_of_its_mean() {
        let mut outcome = StormOutcome::new(100);
        for client in 0..100 {
            outcome.came_back(at(5_000 + client * 100));
        }
        assert_eq!(outcome.peak_over_mean(), Some(1.0));
    }
}

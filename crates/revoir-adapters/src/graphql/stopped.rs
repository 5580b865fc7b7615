//! [`Stopped`]: identifiers whose operation the client has ended, and whose end by the server may be on its way.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// So many are remembered. An end that is on its way arrives within a round trip.
const LIMIT: usize = 64;

/// The last identifiers that the client has ended, and how many ends of each the server may still send.
#[derive(Debug, Default)]
pub(super) struct Stopped(VecDeque<(u64, u32)>);

impl Stopped {
    /// The client has ended `id`; so many ends of it may come.
    pub(super) fn add(&mut self, id: &str, ends: u32) {
        if self.0.len() == LIMIT {
            self.0.pop_front();
        }
        self.0.push_back((hash(id), ends));
    }

    /// How many ends of `id` may come, which is not among these any more.
    pub(super) fn take(&mut self, id: &str) -> u32 {
        let id = hash(id);
        let at = self.0.iter().position(|(one, _)| *one == id);
        at.and_then(|at| self.0.remove(at)).map_or(0, |one| one.1)
    }

    /// An end of `id` has come.
    pub(super) fn end(&mut self, id: &str) {
        match self.take(id).saturating_sub(1) {
            0 => {}
            ends => self.add(id, ends),
        }
    }

    /// What that server said will not come any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn memory(&self) -> usize {
        self.0.capacity() * size_of::<(u64, u32)>()
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_remembered() {
        let mut stopped = Stopped::default();
        for number in 0..100 {
            stopped.add(&number.to_string(), number);
        }
        assert_eq!([35, 36].map(|id| stopped.take(&id.to_string())), [0, 36]);
        stopped.end("99");
        assert_eq!(stopped.take("99"), 98);
        stopped.clear();
        assert_eq!(stopped.take("98"), 0);
    }
}

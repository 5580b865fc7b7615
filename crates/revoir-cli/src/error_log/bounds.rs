//! [`Bounds`]: how often the same may be said. Pure: time is passed in.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// For which time lines are counted together.
pub(super) const WINDOW: Duration = Duration::from_secs(1);

/// Counts what is said of each kind, and what is left out.
#[derive(Debug)]
pub(super) struct Bounds<K>(HashMap<K, Window>);

/// What was said of one kind since a moment.
#[derive(Debug)]
struct Window {
    since: Instant,
    said: u32,
    left_out: u64,
}

impl<K> Default for Bounds<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Clone + Eq + Hash> Bounds<K> {
    /// Whether something of this kind may be said now, of which `most` may be in a [`WINDOW`].
    pub(super) fn admit(&mut self, kind: &K, most: u32, now: Instant) -> bool {
        let window = self.0.entry(kind.clone()).or_insert(Window {
            since: now,
            said: 0,
            left_out: 0,
        });
        // One that is over is not begun anew before it is told what it left out.
        if window.is_over(now) && window.left_out == 0 {
            (window.since, window.said) = (now, 0);
        }
        let is_admitted = window.said < most;
        match is_admitted {
            true => window.said += 1,
            false => window.left_out += 1,
        }
        is_admitted
    }

    /// What was left out in windows that are over, each once. Those windows are forgotten.
    pub(super) fn over(&mut self, now: Instant) -> Vec<(K, u64)> {
        let over = self.0.extract_if(|_, window| window.is_over(now));
        over.filter(|(_, window)| window.left_out > 0)
            .map(|(kind, window)| (kind, window.left_out))
            .collect()
    }
}

impl Window {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_kind_so_many_are_said_and_the_others_counted() {
        let mut bounds = Bounds::default();
        let start = Instant::now();
        let said = |bounds: &mut Bounds<_>, kind, now| {
            let asked = (0..10).filter(|_| bounds.admit(&kind, 2, now));
            asked.count()
        };
        assert_eq!(said(&mut bounds, "a", start), 2);
        assert_eq!(said(&mut bounds, "b", start), 2);
        assert_eq!(bounds.over(start + WINDOW / 2), []);
        let later = start + WINDOW;
        assert_eq!(said(&mut bounds, "a", later), 0, "nobody was told yet");
        let mut over = bounds.over(later);
        over.sort_unstable();
        assert_eq!(over, [("a", 18), ("b", 8)]);
        assert_eq!(bounds.over(later), [], "each once");
        assert_eq!(said(&mut bounds, "a", later), 2);
    }

    #[test]
    fn what_is_said_seldom_is_always_said() {
        let mut bounds = Bounds::default();
        let start = Instant::now();
        for i in 0..100 {
            assert!(bounds.admit(&"a", 1, start + WINDOW * i));
        }
        assert_eq!(bounds.over(start + WINDOW * 200), []);
    }
}

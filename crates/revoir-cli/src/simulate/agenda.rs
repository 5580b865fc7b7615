//! [`Agenda`]: what happens next, for millions of things to come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Into how many parts the time is cut.
const PARTS: usize = 100_000;

/// Times in microseconds, and who they belong to. Only the part of time that has come is kept in
/// order: one heap of all would spend most of the simulation on moving entries around.
#[derive(Debug)]
pub(crate) struct Agenda {
    /// How long a part is, in microseconds.
    width: u64,
    until: u64,
    /// What is in the part that has come.
    due: BinaryHeap<Reverse<(u64, u32)>>,
    /// What is in each part; those that have come are empty.
    parts: Vec<Vec<(u64, u32)>>,
    /// The part that has come.
    at: usize,
}

impl Agenda {
    /// An agenda that forgets what is later than `until`.
    pub(crate) fn new(until: Duration) -> Self {
        let until = micros(until);
        Self {
            width: until / PARTS as u64 + 1,
            until,
            due: BinaryHeap::new(),
            parts: vec![Vec::new(); PARTS],
            at: 0,
        }
    }

    pub(crate) fn add(&mut self, at: Duration, who: u32) {
        let at = micros(at);
        if at > self.until {
            return;
        }
        // Below PARTS: the width times PARTS is more than `until`.
        let part = (at / self.width) as usize;
        match part <= self.at {
            true => self.due.push(Reverse((at, who))),
            false => self.parts[part].push((at, who)),
        }
    }

    /// The earliest entry, and the lowest number of those at the same time.
    pub(crate) fn next(&mut self) -> Option<(Duration, u32)> {
        while self.due.is_empty() {
            self.at += 1;
            let part = std::mem::take(self.parts.get_mut(self.at)?);
            self.due.extend(part.into_iter().map(Reverse));
        }
        let Reverse((at, who)) = self.due.pop()?;
        Some((Duration::from_micros(at), who))
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_in_order_also_those_added_meanwhile() {
        let mut agenda = Agenda::new(Duration::from_secs(10));
        let ms = Duration::from_millis;
        for (at, who) in [(9_999, 1), (5, 2), (5_000, 3), (10_000, 4), (0, 5)] {
            agenda.add(ms(at), who);
        }
        assert_eq!(agenda.next(), Some((ms(0), 5)));
        assert_eq!(agenda.next(), Some((ms(5), 2)));
        agenda.add(ms(5), 7);
        agenda.add(ms(6), 6);
        let rest: Vec<_> = std::iter::from_fn(|| agenda.next())
            .map(|(_, who)| who)
            .collect();
        assert_eq!(rest, [7, 6, 3, 1, 4]);
    }

    #[test]
    fn what_is_later_than_the_end_is_forgotten() {
        for until in [Duration::ZERO, Duration::from_micros(1), Duration::MAX] {
            let mut agenda = Agenda::new(until);
            agenda.add(Duration::ZERO, 1);
            agenda.add(until, 2);
            agenda.add(until.saturating_add(Duration::from_micros(1)), 3);
            assert_eq!(agenda.next().map(|(_, who)| who), Some(1));
            assert_eq!(agenda.next().map(|(_, who)| who), Some(2));
        }
    }
}

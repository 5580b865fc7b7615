//! [`Pacer`]: whose turn it is to dial. Pure: time is passed in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Between two attempts at a backend that does not accept, at first.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Between two attempts at a backend that does not accept, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many turns that nobody was there to give out are made up for.
const CATCH_UP: Duration = Duration::from_millis(20);

/// One who waits for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Messages wait.
    Urgent,
    Normal,
}

/// Gives out turns to dial one upstream.
///
/// While it accepts, they come at a steady rate. While it does not, one at a time is tried, with
/// pauses: a backend that starts is met by one connection, not by all.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// Between two turns.
    interval: Duration,
    next: Duration,
    reach: Reach,
    waiting: HashMap<Ticket, Priority>,
    /// In order. Whoever has left or moved up is passed over.
    urgent: VecDeque<Ticket>,
    normal: VecDeque<Ticket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Accepts,
    Away {
        /// Whether somebody is trying.
        tried: bool,
        next: Duration,
        pause: Duration,
    },
}

impl Pacer {
    /// `rate`: turns per second, at least one.
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / rate.max(1),
            next: Duration::ZERO,
            reach: Reach::Accepts,
            waiting: HashMap::new(),
            urgent: VecDeque::new(),
            normal: VecDeque::new(),
        }
    }

    /// Whether a newcomer need not wait: the upstream accepts, and nobody else waits.
    pub(crate) fn is_free(&self) -> bool {
        self.reach == Reach::Accepts && self.waiting.is_empty()
    }

    pub(crate) fn accepts(&self) -> bool {
        self.reach == Reach::Accepts
    }

    pub(crate) fn enqueue(&mut self, ticket: Ticket, priority: Priority) {
        self.waiting.insert(ticket, priority);
        match priority {
            Priority::Urgent => self.urgent.push_back(ticket),
            Priority::Normal => self.normal.push_back(ticket),
        }
    }

    /// Messages wait now for one who has waited without.
    pub(crate) fn promote(&mut self, ticket: Ticket) {
        if let Some(priority @ Priority::Normal) = self.waiting.get_mut(&ticket) {
            *priority = Priority::Urgent;
            self.urgent.push_back(ticket);
        }
    }

    /// One who has waited has left.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }

    /// Whose turn it is at `now`. Ask until there is nobody.
    pub(crate) fn grant(&mut self, now: Duration) -> Option<Ticket> {
        if self.next_grant()? > now {
            return None;
        }
        let ticket = self.take_first()?;
        match &mut self.reach {
            Reach::Accepts => {
                self.next = self.next.max(now.saturating_sub(CATCH_UP)) + self.interval;
            }
            Reach::Away { tried, .. } => *tried = true,
        }
        Some(ticket)
    }

    /// When the next turn can be given out. `None`: not before something else happens.
    pub(crate) fn next_grant(&self) -> Option<Duration> {
        if self.waiting.is_empty() {
            return None;
        }
        match self.reach {
            Reach::Accepts => Some(self.next),
            Reach::Away { tried: true, .. } => None,
            Reach::Away { next, .. } => Some(next),
        }
    }

    /// A backend accepted. Returns whether it did not before.
    pub(crate) fn accepted(&mut self, now: Duration) -> bool {
        let was_away = !self.accepts();
        if was_away {
            self.reach = Reach::Accepts;
            self.next = self.next.max(now);
        }
        was_away
    }

    /// A backend did not accept. Returns whether it did before.
    pub(crate) fn failed(&mut self, now: Duration) -> bool {
        let was_accepting = self.accepts();
        let pause = match self.reach {
            Reach::Accepts => FIRST_PAUSE,
            // Several turns may have been given out while it still seemed to accept.
            Reach::Away { tried: false, .. } => return false,
            Reach::Away { pause, .. } => (pause * 2).min(LONGEST_PAUSE),
        };
        self.reach = Reach::Away {
            tried: false,
            next: now + pause,
            pause,
        };
        was_accepting
    }

    /// A turn was not used.
    pub(crate) fn unused(&mut self) {
        if let Reach::Away { tried, .. } = &mut self.reach {
            *tried = false;
        }
    }

    fn take_first(&mut self) -> Option<Ticket> {
        let lists = [
            (&mut self.urgent, Priority::Urgent),
            (&mut self.normal, Priority::Normal),
        ];
        for (list, priority) in lists {
            while let Some(ticket) = list.pop_front() {
                if self.waiting.get(&ticket) == Some(&priority) {
                    self.waiting.remove(&ticket);
                    return Some(ticket);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn granted(pacer: &mut Pacer, now: Duration) -> Vec<u64> {
        std::iter::from_fn(|| pacer.grant(now).map(|ticket| ticket.0)).collect()
    }

    fn waiting(rate: u32, count: u64) -> Pacer {
        let mut pacer = Pacer::new(rate);
        for ticket in 0..count {
            pacer.enqueue(Ticket(ticket), Priority::Normal);
        }
        pacer
    }

    #[test]
    fn turns_come_in_order_at_the_rate() {
        let mut pacer = waiting(1000, 9000);
        let mut seen = Vec::new();
        let mut now = ms(1000);
        while let Some(next) = pacer.next_grant() {
            now = now.max(next);
            seen.extend(granted(&mut pacer, now));
        }
        assert!(seen.iter().copied().eq(0..9000));
        assert!((ms(9900)..=ms(10_000)).contains(&now), "{now:?}");
    }

    #[test]
    fn whoever_has_messages_goes_first_and_whoever_left_is_passed_over() {
        let mut pacer = waiting(1000, 5);
        pacer.enqueue(Ticket(9), Priority::Urgent);
        pacer.promote(Ticket(3));
        pacer.leave(Ticket(0));
        pacer.leave(Ticket(1));
        assert_eq!(granted(&mut pacer, ms(1000)), [9, 3, 2, 4]);
        assert_eq!(pacer.next_grant(), None);
    }

    #[test]
    fn a_backend_that_is_away_is_tried_by_one_at_a_time_with_growing_pauses() {
        let mut pacer = waiting(1000, 100);
        assert!(pacer.failed(ms(0)));
        let mut now = ms(0);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let next = pacer.next_grant().unwrap();
            pauses.push((next - now).as_millis());
            now = next;
            assert_eq!(granted(&mut pacer, now).len(), 1);
            assert_eq!(pacer.next_grant(), None);
            assert!(!pacer.failed(now));
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000]);
        now = pacer.next_grant().unwrap();
        granted(&mut pacer, now);
        assert!(pacer.accepted(now));
        assert!(!pacer.accepted(now));
        assert_eq!(granted(&mut pacer, now + ms(10)).len(), 11);
    }

    #[test]
    fn failures_of_turns_given_out_before_do_not_count_again() {
        let mut pacer = waiting(1000, 100);
        granted(&mut pacer, ms(1000));
        assert!(pacer.failed(ms(1000)));
        assert!(!pacer.failed(ms(1001)));
        assert_eq!(pacer.next_grant(), Some(ms(1100)));
    }

    #[test]
    fn an_unused_turn_goes_to_the_next_one() {
        let mut pacer = waiting(1000, 3);
        pacer.failed(ms(0));
        assert_eq!(granted(&mut pacer, ms(100)), [0]);
        pacer.unused();
        assert_eq!(granted(&mut pacer, ms(100)), [1]);
    }

    #[test]
    fn a_newcomer_waits_only_where_others_do() {
        let mut pacer = Pacer::new(1000);
        assert!(pacer.is_free());
        pacer.enqueue(Ticket(0), Priority::Normal);
        assert!(!pacer.is_free());
        granted(&mut pacer, ms(0));
        assert!(pacer.is_free());
        pacer.failed(ms(0));
        assert!(!pacer.is_free());
    }
}

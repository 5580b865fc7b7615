//! [`DialQueue`]: who may dial next, and when. Pure: time is passed in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Between two attempts at a backend that does not accept, at first.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Between two attempts at a backend that does not accept, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many permits that nobody was there to give out are made up for.
const CATCH_UP: Duration = Duration::from_millis(20);

/// One who waits for a permit to dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct QueueId(pub(crate) u64);

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Messages wait.
    Urgent,
    Normal,
}

/// Says who may dial an upstream next.
///
/// While it accepts, they come at a steady rate. While it does not, one at a time is tried, with
/// pauses: a backend that starts is met by one connection, not by all.
#[derive(Debug)]
pub(crate) struct DialQueue {
    /// Between two permits.
    interval: Duration,
    next: Duration,
    reach: Reach,
    waiting: HashMap<QueueId, Priority>,
    /// In order. Whoever has left or moved up is passed over.
    urgent: VecDeque<QueueId>,
    normal: VecDeque<QueueId>,
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

impl DialQueue {
    /// `rate`: permits per second, at least one.
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

    pub(crate) fn enqueue(&mut self, queue_id: QueueId, priority: Priority) {
        self.waiting.insert(queue_id, priority);
        match priority {
            Priority::Urgent => self.urgent.push_back(queue_id),
            Priority::Normal => self.normal.push_back(queue_id),
        }
    }

    /// Messages wait now for one who has waited without.
    pub(crate) fn promote(&mut self, queue_id: QueueId) {
        if let Some(priority @ Priority::Normal) = self.waiting.get_mut(&queue_id) {
            *priority = Priority::Urgent;
            self.urgent.push_back(queue_id);
        }
    }

    /// One who has waited has left.
    pub(crate) fn leave(&mut self, queue_id: QueueId) {
        self.waiting.remove(&queue_id);
    }

    /// Who may dial at `now`. Ask until there is nobody.
    pub(crate) fn grant(&mut self, now: Duration) -> Option<QueueId> {
        if self.next_grant()? > now {
            return None;
        }
        let queue_id = self.take_first()?;
        match &mut self.reach {
            Reach::Accepts => {
                self.next = self.next.max(now.saturating_sub(CATCH_UP)) + self.interval;
            }
            Reach::Away { tried, .. } => *tried = true,
        }
        Some(queue_id)
    }

    /// When the next permit can be given out. `None`: not before something else happens.
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
            // Several permits may have been given out while it still seemed to accept.
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

    /// A permit was not used.
    pub(crate) fn unused(&mut self) {
        if let Reach::Away { tried, .. } = &mut self.reach {
            *tried = false;
        }
    }

    fn take_first(&mut self) -> Option<QueueId> {
        let lists = [
            (&mut self.urgent, Priority::Urgent),
            (&mut self.normal, Priority::Normal),
        ];
        for (list, priority) in lists {
            while let Some(queue_id) = list.pop_front() {
                if self.waiting.get(&queue_id) == Some(&priority) {
                    self.waiting.remove(&queue_id);
                    return Some(queue_id);
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

    fn granted(queue: &mut DialQueue, now: Duration) -> Vec<u64> {
        std::iter::from_fn(|| queue.grant(now).map(|queue_id| queue_id.0)).collect()
    }

    fn waiting(rate: u32, count: u64) -> DialQueue {
        let mut queue = DialQueue::new(rate);
        for queue_id in 0..count {
            queue.enqueue(QueueId(queue_id), Priority::Normal);
        }
        queue
    }

    #[test]
    fn turns_come_in_order_at_the_rate() {
        let mut queue = waiting(1000, 9000);
        let mut seen = Vec::new();
        let mut now = ms(1000);
        while let Some(next) = queue.next_grant() {
            now = now.max(next);
            seen.extend(granted(&mut queue, now));
        }
        assert!(seen.iter().copied().eq(0..9000));
        assert!((ms(9900)..=ms(10_000)).contains(&now), "{now:?}");
    }

    #[test]
    fn whoever_has_messages_goes_first_and_whoever_left_is_passed_over() {
        let mut queue = waiting(1000, 5);
        queue.enqueue(QueueId(9), Priority::Urgent);
        queue.promote(QueueId(3));
        queue.leave(QueueId(0));
        queue.leave(QueueId(1));
        assert_eq!(granted(&mut queue, ms(1000)), [9, 3, 2, 4]);
        assert_eq!(queue.next_grant(), None);
    }

    #[test]
    fn a_backend_that_is_away_is_tried_by_one_at_a_time_with_growing_pauses() {
        let mut queue = waiting(1000, 100);
        assert!(queue.failed(ms(0)));
        let mut now = ms(0);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let next = queue.next_grant().unwrap();
            pauses.push((next - now).as_millis());
            now = next;
            assert_eq!(granted(&mut queue, now).len(), 1);
            assert_eq!(queue.next_grant(), None);
            assert!(!queue.failed(now));
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000]);
        now = queue.next_grant().unwrap();
        granted(&mut queue, now);
        assert!(queue.accepted(now));
        assert!(!queue.accepted(now));
        assert_eq!(granted(&mut queue, now + ms(10)).len(), 11);
    }

    #[test]
    fn failures_of_turns_given_out_before_do_not_count_again() {
        let mut queue = waiting(1000, 100);
        granted(&mut queue, ms(1000));
        assert!(queue.failed(ms(1000)));
        assert!(!queue.failed(ms(1001)));
        assert_eq!(queue.next_grant(), Some(ms(1100)));
    }

    #[test]
    fn an_unused_turn_goes_to_the_next_one() {
        let mut queue = waiting(1000, 3);
        queue.failed(ms(0));
        assert_eq!(granted(&mut queue, ms(100)), [0]);
        queue.unused();
        assert_eq!(granted(&mut queue, ms(100)), [1]);
    }

    #[test]
    fn a_newcomer_waits_only_where_others_do() {
        let mut queue = DialQueue::new(1000);
        assert!(queue.is_free());
        queue.enqueue(QueueId(0), Priority::Normal);
        assert!(!queue.is_free());
        granted(&mut queue, ms(0));
        assert!(queue.is_free());
        queue.failed(ms(0));
        assert!(!queue.is_free());
    }
}

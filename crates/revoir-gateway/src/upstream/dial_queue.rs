//! [`DialQueue`]: who may dial next, and when. Pure: time is passed in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::upstream::asking::{Asking, Priority, QueueId};
use crate::upstream::bad_paths::{BadPaths, Redials};
use crate::upstream::path_id::PathId;

/// How many permits that nobody was there to give out are made up for.
const CATCH_UP: Duration = Duration::from_millis(20);

/// How many paths are remembered while a backend is away.
const MOST_TRIED: usize = 16;

/// Says who may dial an upstream next.
///
/// While it accepts, they come at a steady rate. While it does not, one at a time is tried, with
/// pauses: a backend that starts is met by one connection, not by all. The same holds for the
/// re-dials of a path that answers badly, and nobody else waits for those.
#[derive(Debug)]
pub(crate) struct DialQueue {
    /// Between two permits.
    interval: Duration,
    next: Duration,
    reach: Reach,
    waiting: HashMap<QueueId, Asking>,
    /// In order. Whoever has left, or moved to the other one, is passed over.
    urgent: VecDeque<QueueId>,
    normal: VecDeque<QueueId>,
    /// Whoever waits for one of these waits there.
    bad_paths: BadPaths,
    /// While it is away: the paths that were tried last.
    tried_paths: VecDeque<PathId>,
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
    pub(crate) fn new(rate: u32, redials: Redials) -> Self {
        let mut queue = Self {
            interval: Duration::ZERO,
            next: Duration::ZERO,
            reach: Reach::Accepts,
            waiting: HashMap::new(),
            urgent: VecDeque::new(),
            normal: VecDeque::new(),
            bad_paths: BadPaths::default(),
            tried_paths: VecDeque::new(),
        };
        queue.set(rate, redials);
        queue
    }

    /// Gives out another number of permits per second, at least one, and with other pauses.
    pub(crate) fn set(&mut self, rate: u32, redials: Redials) {
        self.interval = Duration::from_secs(1) / rate.max(1);
        self.bad_paths.redials = redials;
    }

    /// Whether a newcomer need not wait: the upstream accepts, and nobody else waits for it.
    pub(crate) fn is_free(&self) -> bool {
        self.accepts() && self.urgent.is_empty() && self.normal.is_empty()
    }

    pub(crate) fn accepts(&self) -> bool {
        self.reach == Reach::Accepts
    }

    pub(crate) fn enqueue(&mut self, queue_id: QueueId, asking: Asking) {
        self.waiting.insert(queue_id, asking);
        self.list(asking.priority).push_back(queue_id);
    }

    /// One who has waited goes behind those of `priority` from now on.
    pub(crate) fn set_priority(&mut self, queue_id: QueueId, priority: Priority) {
        if let Some(asking) = self.waiting.get_mut(&queue_id)
            && asking.priority != priority
        {
            asking.priority = priority;
            if !self.bad_paths.keep(*asking, queue_id) {
                self.list(priority).push_back(queue_id);
            }
        }
    }

    /// One who has waited has left.
    pub(crate) fn leave(&mut self, queue_id: QueueId) {
        self.waiting.remove(&queue_id);
    }

    /// Who may dial at `now`. Ask until there is nobody.
    pub(crate) fn grant(&mut self, now: Duration) -> Option<QueueId> {
        match &mut self.reach {
            Reach::Accepts => {
                let probe = self.bad_paths.take_due(now, &mut self.waiting);
                if probe.is_some() {
                    return probe;
                }
                if self.next > now {
                    return None;
                }
                let queue_id = self.take_first()?;
                self.next = self.next.max(now.saturating_sub(CATCH_UP)) + self.interval;
                Some(queue_id)
            }
            Reach::Away { tried: true, .. } => None,
            Reach::Away { next, .. } if *next > now => None,
            Reach::Away { tried, .. } => {
                *tried = true;
                let queue_id = self.take_one_to_try();
                if queue_id.is_none() {
                    self.unused(None);
                }
                queue_id
            }
        }
    }

    /// When the next permit can be given out. `None`: not before something else happens.
    pub(crate) fn next_grant(&self) -> Option<Duration> {
        if self.waiting.is_empty() {
            return None;
        }
        match self.reach {
            Reach::Accepts => {
                let somebody_waits = !self.urgent.is_empty() || !self.normal.is_empty();
                let next = somebody_waits.then_some(self.next);
                next.into_iter().chain(self.bad_paths.next_due()).min()
            }
            Reach::Away { tried: true, .. } => None,
            Reach::Away { next, .. } => Some(next),
        }
    }

    /// A backend accepted somebody who asked for `path`. Returns whether it did not before.
    pub(crate) fn accepted(&mut self, now: Duration, path: PathId) -> bool {
        for queue_id in self.bad_paths.opened(path) {
            if let Some(asking) = self.waiting.get(&queue_id) {
                self.list(asking.priority).push_back(queue_id);
            }
        }
        self.is_reached(now)
    }

    /// A backend was there, and answered somebody as only one does who has none. That may be meant for
    /// them alone.
    pub(crate) fn answered_badly(&mut self, now: Duration, asking: Asking) {
        self.is_reached(now);
        // A client's own handshake is told: it does not speak for those who were accepted there.
        if !asking.is_new {
            self.bad_paths.answered(now, asking.path);
        }
    }

    /// No backend could be reached, or all answer badly, lastly somebody who asked for `path`. Returns
    /// whether one could before.
    pub(crate) fn failed(&mut self, now: Duration, path: PathId) -> bool {
        let was_accepting = self.accepts();
        let pauses = self.bad_paths.redials.away;
        let pause = match self.reach {
            Reach::Accepts => pauses.first,
            // Several permits may have been given out while it still seemed to accept.
            Reach::Away { tried: false, .. } => return false,
            Reach::Away { pause, .. } => pauses.after(pause),
        };
        self.reach = Reach::Away {
            tried: false,
            next: now + pause,
            pause,
        };
        self.tried_paths.push_back(path);
        if self.tried_paths.len() > MOST_TRIED {
            self.tried_paths.pop_front();
        }
        was_accepting
    }

    /// A permit was not used, which was for this.
    pub(crate) fn unused(&mut self, asking: Option<Asking>) {
        if let Reach::Away { tried, .. } = &mut self.reach {
            *tried = false;
        }
        if let Some(asking) = asking.filter(|asking| !asking.is_new) {
            self.bad_paths.unused(asking.path);
        }
    }

    /// Nobody could be tried for whoever got this, for want of something here: that takes its time, and
    /// says nothing of a backend.
    pub(crate) fn untried(&mut self, now: Duration, asking: Asking) {
        match &mut self.reach {
            Reach::Accepts => self.next = self.next.max(now + self.bad_paths.redials.away.first),
            Reach::Away { tried, next, pause } => (*tried, *next) = (false, now + *pause),
        }
        if !asking.is_new {
            self.bad_paths.untried(now, asking.path);
        }
    }

    fn is_reached(&mut self, now: Duration) -> bool {
        let was_away = !self.accepts();
        if was_away {
            self.reach = Reach::Accepts;
            self.next = self.next.max(now);
            self.tried_paths.clear();
        }
        was_away
    }

    const fn list(&mut self, priority: Priority) -> &mut VecDeque<QueueId> {
        match priority {
            Priority::Urgent => &mut self.urgent,
            Priority::Normal => &mut self.normal,
        }
    }

    fn take_first(&mut self) -> Option<QueueId> {
        for priority in [Priority::Urgent, Priority::Normal] {
            while let Some(queue_id) = self.list(priority).pop_front() {
                let asking = self.waiting.get(&queue_id);
                let Some(asking) = asking.filter(|asking| asking.priority == priority) else {
                    continue;
                };
                if asking.is_new || !self.bad_paths.keep(*asking, queue_id) {
                    self.waiting.remove(&queue_id);
                    return Some(queue_id);
                }
            }
        }
        None
    }

    /// The first whose path was not tried lately, so that many who ask for one path are not all tried
    /// before somebody else.
    fn take_one_to_try(&mut self) -> Option<QueueId> {
        let waiting = &self.waiting;
        // Whoever has moved to the other list stands in both.
        let listed = |queue_id: &QueueId, priority| {
            let asking = waiting.get(queue_id);
            asking.filter(|asking| asking.priority == priority)
        };
        let lists = [
            (&mut self.urgent, Priority::Urgent),
            (&mut self.normal, Priority::Normal),
        ];
        for (list, priority) in lists {
            while let Some(first) = list.front()
                && listed(first, priority).is_none()
            {
                list.pop_front();
            }
        }
        let urgent = self.urgent.iter().map(|one| (one, Priority::Urgent));
        let normal = self.normal.iter().map(|one| (one, Priority::Normal));
        let lists = urgent.chain(normal);
        let lists = lists.filter_map(|(one, priority)| Some((*one, listed(one, priority)?.path)));
        let bad_paths = self.bad_paths.waiting();
        let all = lists.chain(bad_paths.filter_map(|one| Some((*one, waiting.get(one)?.path))));
        let is_new = |(_, path): &(_, PathId)| !self.tried_paths.contains(path);
        let (queue_id, _) = all.clone().find(is_new).or_else(|| all.clone().next())?;
        self.waiting.remove(&queue_id);
        Some(queue_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn path(path: &str) -> PathId {
        PathId::of(path)
    }

    /// A re-dial.
    fn again(priority: Priority, at: &str) -> Asking {
        Asking {
            path: path(at),
            priority,
            is_new: false,
        }
    }

    fn granted(queue: &mut DialQueue, now: Duration) -> Vec<u64> {
        std::iter::from_fn(|| queue.grant(now).map(|queue_id| queue_id.0)).collect()
    }

    fn waiting(rate: u32, count: u64) -> DialQueue {
        let mut queue = DialQueue::new(rate, Redials::default());
        for queue_id in 0..count {
            queue.enqueue(QueueId(queue_id), again(Priority::Normal, "/"));
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
        queue.enqueue(QueueId(9), again(Priority::Urgent, "/"));
        queue.set_priority(QueueId(3), Priority::Urgent);
        queue.leave(QueueId(0));
        queue.leave(QueueId(1));
        assert_eq!(granted(&mut queue, ms(1000)), [9, 3, 2, 4]);
        assert_eq!(queue.next_grant(), None);
    }

    #[test]
    fn whoever_has_something_to_say_to_others_goes_behind_them() {
        let mut queue = DialQueue::new(1000, Redials::default());
        for queue_id in 0..5 {
            queue.enqueue(QueueId(queue_id), again(Priority::Urgent, "/"));
        }
        queue.set_priority(QueueId(1), Priority::Normal);
        queue.enqueue(QueueId(9), again(Priority::Normal, "/"));
        queue.set_priority(QueueId(0), Priority::Normal);
        assert_eq!(granted(&mut queue, ms(1000)), [2, 3, 4, 1, 9, 0]);
        assert_eq!(queue.next_grant(), None);
    }

    #[test]
    fn a_backend_that_is_away_is_tried_by_one_at_a_time_with_growing_pauses() {
        let mut queue = waiting(1000, 100);
        let mut redials = Redials::default();
        redials.away.longest = ms(300);
        queue.set(1000, redials);
        assert!(queue.failed(ms(0), path("/")));
        let mut now = ms(0);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let next = queue.next_grant().unwrap();
            pauses.push((next - now).as_millis());
            now = next;
            assert_eq!(granted(&mut queue, now).len(), 1);
            assert_eq!(queue.next_grant(), None);
            assert!(!queue.failed(now, path("/")));
        }
        assert_eq!(pauses, [100, 200, 300, 300, 300, 300]);
        now = queue.next_grant().unwrap();
        granted(&mut queue, now);
        assert!(queue.accepted(now, path("/")));
        assert!(!queue.accepted(now, path("/")));
        assert_eq!(granted(&mut queue, now + ms(10)).len(), 11);
    }

    #[test]
    fn whoever_has_moved_behind_others_is_not_tried_before_them() {
        let mut queue = DialQueue::new(1000, Redials::default());
        for queue_id in 0..3 {
            queue.enqueue(QueueId(queue_id), again(Priority::Urgent, "/"));
        }
        queue.failed(ms(0), path("/"));
        queue.set_priority(QueueId(0), Priority::Normal);
        let mut tried = Vec::new();
        while let Some(next) = queue.next_grant() {
            tried.extend(granted(&mut queue, next));
            queue.failed(next, path("/"));
        }
        assert_eq!(tried, [1, 2, 0]);
    }

    #[test]
    fn failures_of_turns_given_out_before_do_not_count_again() {
        let mut queue = waiting(1000, 100);
        granted(&mut queue, ms(1000));
        assert!(queue.failed(ms(1000), path("/")));
        assert!(!queue.failed(ms(1001), path("/")));
        assert_eq!(queue.next_grant(), Some(ms(1100)));
    }

    #[test]
    fn a_turn_that_could_not_be_used_costs_a_pause_and_blames_nobody() {
        let mut queue = waiting(1000, 3);
        assert_eq!(granted(&mut queue, ms(1000)).len(), 3);
        queue.untried(ms(1000), again(Priority::Normal, "/"));
        assert!(queue.accepts());
        queue.enqueue(QueueId(3), again(Priority::Normal, "/"));
        assert_eq!(queue.next_grant(), Some(ms(1100)));
        queue.failed(ms(1100), path("/"));
        queue.enqueue(QueueId(4), again(Priority::Normal, "/"));
        assert_eq!(granted(&mut queue, ms(1200)), [3]);
        queue.untried(ms(1200), again(Priority::Normal, "/"));
        assert_eq!(queue.next_grant(), Some(ms(1300)), "the pauses do not grow");
    }

    #[test]
    fn an_unused_turn_goes_to_the_next_one() {
        let mut queue = waiting(1000, 3);
        queue.failed(ms(0), path("/"));
        assert_eq!(granted(&mut queue, ms(100)), [0]);
        queue.unused(None);
        assert_eq!(granted(&mut queue, ms(100)), [1]);
    }

    #[test]
    fn a_newcomer_waits_only_where_others_do() {
        let mut queue = DialQueue::new(1000, Redials::default());
        assert!(queue.is_free());
        queue.enqueue(QueueId(0), again(Priority::Normal, "/"));
        assert!(!queue.is_free());
        granted(&mut queue, ms(0));
        assert!(queue.is_free());
        queue.failed(ms(0), path("/"));
        assert!(!queue.is_free());
    }

    /// A queue in which a re-dial of `/bad` was answered badly so often that the path is closed.
    fn with_a_bad_path() -> DialQueue {
        let mut queue = DialQueue::new(1000, Redials::default());
        for _ in 0..3 {
            queue.answered_badly(ms(0), again(Priority::Normal, "/bad"));
        }
        queue
    }

    #[test]
    fn nobody_waits_for_those_whose_path_answers_badly() {
        let mut queue = with_a_bad_path();
        for queue_id in 0..30 {
            queue.enqueue(QueueId(queue_id), again(Priority::Normal, "/bad"));
        }
        queue.enqueue(QueueId(100), again(Priority::Normal, "/good"));
        assert_eq!(granted(&mut queue, ms(1)), [100]);
        assert!(queue.is_free(), "a newcomer does not wait either");
        assert_eq!(queue.next_grant(), Some(ms(100)));
        // One at a time is tried, with pauses.
        assert_eq!(granted(&mut queue, ms(100)), [0]);
        queue.answered_badly(ms(100), again(Priority::Normal, "/bad"));
        assert_eq!(queue.next_grant(), Some(ms(300)));
        assert_eq!(granted(&mut queue, ms(300)), [1]);
        assert_eq!(queue.next_grant(), None);
        // One that left is made up for.
        queue.unused(Some(again(Priority::Normal, "/bad")));
        queue.set_priority(QueueId(29), Priority::Urgent);
        assert_eq!(granted(&mut queue, ms(300)), [29], "messages wait");
        queue.accepted(ms(300), path("/bad"));
        let rest = granted(&mut queue, ms(1000));
        assert_eq!(rest.first(), Some(&2));
    }

    #[test]
    fn a_newcomer_speaks_for_nobody_else() {
        let mut queue = DialQueue::new(1000, Redials::default());
        let new = Asking {
            is_new: true,
            ..again(Priority::Normal, "/chat")
        };
        for _ in 0..100 {
            queue.answered_badly(ms(0), new);
        }
        queue.enqueue(QueueId(0), again(Priority::Normal, "/chat"));
        assert_eq!(granted(&mut queue, ms(0)), [0]);
    }

    #[test]
    fn many_of_one_path_are_not_all_tried_before_another() {
        let mut queue = waiting(1000, 30);
        queue.enqueue(QueueId(100), again(Priority::Normal, "/good"));
        queue.failed(ms(0), path("/"));
        assert_eq!(granted(&mut queue, ms(100)), [100]);
        queue.failed(ms(100), path("/good"));
        assert_eq!(granted(&mut queue, ms(300)), [0]);
    }

    #[test]
    fn whoever_has_left_is_waited_for_no_more() {
        let mut queue = with_a_bad_path();
        queue.enqueue(QueueId(0), again(Priority::Normal, "/bad"));
        queue.enqueue(QueueId(1), again(Priority::Normal, "/bad"));
        assert!(granted(&mut queue, ms(50)).is_empty());
        queue.leave(QueueId(0));
        assert_eq!(granted(&mut queue, ms(200)), [1]);
        queue.leave(QueueId(1));
        assert_eq!(queue.next_grant(), None);
    }
}

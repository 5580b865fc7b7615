//! [`BadPaths`]: whoever dials again for a path that answers badly waits here. Pure: time is passed
//! in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::upstream::asking::{Asking, Priority, QueueId};
use crate::upstream::left_alone::Pauses;
use crate::upstream::path_id::PathId;

/// How re-dials go on while a backend cannot be reached, or a path answers badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redials {
    /// So many bad answers in a row, and the re-dials of a path come one at a time.
    pub in_a_row: u32,
    /// Between two attempts to reach a backend that is away.
    pub away: Pauses,
    /// Between two re-dials of such a path.
    pub path: Pauses,
}

impl Default for Redials {
    fn default() -> Self {
        Self {
            in_a_row: 3,
            // Whoever waits for it should not come later than without a gateway.
            away: Pauses {
                first: Duration::from_millis(100),
                longest: Duration::from_millis(100),
            },
            path: Pauses {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(1),
            },
        }
    }
}

/// The most paths that are told apart. Re-dials of others wait for nobody.
const MOST_PATHS: usize = 64;

/// The paths whose re-dials are answered badly, and who waits for them.
#[derive(Debug, Default)]
pub(super) struct BadPaths {
    all: HashMap<PathId, BadPath>,
    pub(super) redials: Redials,
}

#[derive(Debug)]
struct BadPath {
    in_a_row: u32,
    /// Whether somebody is trying.
    is_tried: bool,
    next: Duration,
    pause: Duration,
    waiting: VecDeque<QueueId>,
}

impl BadPath {
    const fn is_closed(&self, redials: Redials) -> bool {
        self.in_a_row >= redials.in_a_row
    }
}

impl BadPaths {
    /// A re-dial of `path` was answered badly.
    pub(super) fn answered(&mut self, now: Duration, path: PathId) {
        let redials = self.redials;
        if self.all.len() >= MOST_PATHS && !self.all.contains_key(&path) && !self.forget_one() {
            return;
        }
        let bad = self.all.entry(path).or_insert(BadPath {
            in_a_row: 0,
            is_tried: false,
            next: now,
            pause: Duration::ZERO,
            waiting: VecDeque::new(),
        });
        if bad.is_closed(redials) && !bad.is_tried {
            // It was on its way when the path was closed.
            return;
        }
        bad.in_a_row += 1;
        bad.is_tried = false;
        if bad.is_closed(redials) {
            bad.pause = redials.path.after(bad.pause);
            bad.next = now + bad.pause;
        }
    }

    /// `path` accepts. Returns who has waited for that.
    pub(super) fn opened(&mut self, path: PathId) -> VecDeque<QueueId> {
        let bad = self.all.remove(&path);
        bad.map(|bad| bad.waiting).unwrap_or_default()
    }

    /// Has a re-dial wait here, if its path is closed. Returns whether it is.
    pub(super) fn keep(&mut self, asking: Asking, queue_id: QueueId) -> bool {
        let redials = self.redials;
        let bad = self.all.get_mut(&asking.path);
        let Some(bad) = bad.filter(|bad| bad.is_closed(redials)) else {
            return false;
        };
        match asking.priority {
            Priority::Urgent => bad.waiting.push_front(queue_id),
            Priority::Normal => bad.waiting.push_back(queue_id),
        }
        true
    }

    /// Who may try a path at `now`.
    pub(super) fn take_due(
        &mut self,
        now: Duration,
        all: &mut HashMap<QueueId, Asking>,
    ) -> Option<QueueId> {
        let redials = self.redials;
        for bad in self.all.values_mut() {
            if !bad.is_closed(redials) || bad.is_tried || bad.next > now {
                continue;
            }
            while let Some(queue_id) = bad.waiting.pop_front() {
                // Whoever has left is passed over.
                if all.remove(&queue_id).is_some() {
                    bad.is_tried = true;
                    return Some(queue_id);
                }
            }
        }
        None
    }

    /// When somebody may try a path. `None`: nobody waits for that.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let redials = self.redials;
        let all = self.all.values();
        let due =
            all.filter(|bad| bad.is_closed(redials) && !bad.is_tried && !bad.waiting.is_empty());
        due.map(|bad| bad.next).min()
    }

    /// Whoever was to try `path` has not.
    pub(super) fn unused(&mut self, path: PathId) {
        if let Some(bad) = self.all.get_mut(&path) {
            bad.is_tried = false;
        }
    }

    /// Whoever was to try `path` could not: the next one is to, after the same pause.
    pub(super) fn untried(&mut self, now: Duration, path: PathId) {
        if let Some(bad) = self.all.get_mut(&path) {
            bad.is_tried = false;
            bad.next = now + bad.pause.max(self.redials.path.first);
        }
    }

    /// Everybody who waits here, and some who have left.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &QueueId> + Clone {
        self.all.values().flat_map(|bad| &bad.waiting)
    }

    /// Makes room for another path. Returns whether there is some.
    fn forget_one(&mut self) -> bool {
        let all = self.all.iter().filter(|(_, bad)| bad.waiting.is_empty());
        let oldest = all.min_by_key(|(_, bad)| bad.next).map(|(path, _)| *path);
        oldest.is_some_and(|path| self.all.remove(&path).is_some())
    }
}

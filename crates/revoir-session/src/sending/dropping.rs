//! What goes where a window is full and its client is away.

use crate::sending::{Item, Sending, Sequenced};
use crate::wire::GapReason;

impl Sequenced {
    /// So many messages went.
    const fn dropped(count: u64) -> Self {
        Self::Gap {
            count,
            reason: GapReason::Dropped,
        }
    }

    const fn is_dropped(&self) -> bool {
        matches!(
            self,
            Self::Gap {
                reason: GapReason::Dropped,
                ..
            }
        )
    }

    /// What both of them tell, if that is one thing: the later one does not replace the sum of changes.
    fn told_as_one(&self, later: &Self) -> Option<Self> {
        match (self, later) {
            (Self::BackendChanged(before), Self::BackendChanged(change)) => {
                let mut sum = *before;
                sum.add(*change);
                Some(Self::BackendChanged(sum))
            }
            (Self::Volatile(_), Self::Volatile(volatile)) => Some(Self::Volatile(*volatile)),
            _ => None,
        }
    }
}

impl Sending {
    /// Puts a gap in the place of the oldest message of the application; gaps for this reason that meet grow together. What is not
    /// the application's stays: nobody else tells of it, and what another gap counts may be a bound. But changes between which no
    /// message is left are told as one. Says whether there was a message. No connection has the session.
    pub(crate) fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = self.first_message() else {
            return false;
        };
        if let Some(item) = self.items.get_mut(oldest) {
            self.bytes -= item.what.bytes();
            item.what = Sequenced::dropped(1);
        }
        (self.at, self.cursor) = (0, self.acked);
        // Alone, or behind the gap that grows.
        match oldest {
            0 => {}
            1 if self.items[0].what.is_dropped() => self.join(0),
            _ => self.tidy(),
        }
        true
    }

    fn first_message(&self) -> Option<usize> {
        self.items.iter().position(|item| item.what.is_message())
    }

    /// Has whatever stands before the first message say once what it says.
    fn tidy(&mut self) {
        let end = self.first_message().unwrap_or(self.items.len());
        let mut number = self.acked;
        let mut unwritten = Vec::new();
        for at in 0..end {
            number += self.items[at].what.count();
            // What was written may have been told already.
            if number > self.written {
                let later = &self.items[at].what;
                let as_one = unwritten.iter().find_map(|&before: &usize| {
                    Some((before, self.items[before].what.told_as_one(later)?))
                });
                if let Some((before, both)) = as_one {
                    self.items[before].what = Sequenced::dropped(1);
                    self.items[at].what = both;
                }
                unwritten.push(at);
            }
        }
        for at in (1..end).rev() {
            self.join(at - 1);
        }
    }

    /// Makes one gap of this one and the next, if both are for what was dropped.
    fn join(&mut self, at: usize) {
        let pair = (self.items.get(at), self.items.get(at + 1));
        let (Some(Item { what: one, .. }), Some(Item { what: next, .. })) = pair else {
            return;
        };
        if one.is_dropped() && next.is_dropped() {
            let both = Sequenced::dropped(one.count() + next.count());
            self.items.remove(at);
            self.items[at].what = both;
        }
    }
}

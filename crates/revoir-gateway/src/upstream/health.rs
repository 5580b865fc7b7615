//! [`Health`]: whether an upstream is fit for another connection. Pure: time is passed in.

use std::time::Duration;

/// How long an upstream is left alone that did not accept, at first.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The same, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How many checks in a row it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// That fail, for an upstream to be left out.
    pub failures: u32,
    /// That succeed, for it to be taken in again.
    pub successes: u32,
}

/// What is known of an upstream, from checks and from those who dial it.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Whether checks have left it out.
    is_out: bool,
    /// Checks in a row that say otherwise.
    contrary: u32,
    /// It did not accept the last time.
    away: Option<Away>,
    /// It said that it restarts.
    restarting_until: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Away {
    until: Duration,
    pause: Duration,
}

/// How fit an upstream is. The best one is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fitness {
    /// It is due for a try, after it did not accept: one connection finds out.
    Due,
    Up,
    /// It did not accept lately; when it is due.
    Away(Duration),
    /// Checks have left it out.
    Out,
}

impl Health {
    pub(crate) fn fitness(&self, now: Duration) -> Fitness {
        match self.away {
            _ if self.is_out => Fitness::Out,
            None => Fitness::Up,
            Some(away) if away.until <= now => Fitness::Due,
            Some(away) => Fitness::Away(away.until),
        }
    }

    /// Whether it accepted the last time, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        !self.is_out && self.away.is_none()
    }

    /// It is tried now: nobody else needs to find out.
    pub(crate) fn tried(&mut self, now: Duration) {
        if let Some(away) = &mut self.away {
            away.until = now + away.pause;
        }
    }

    pub(crate) fn accepted(&mut self) {
        self.away = None;
    }

    pub(crate) fn failed(&mut self, now: Duration) {
        let pause = match self.away {
            None => FIRST_PAUSE,
            Some(away) => (away.pause * 2).min(LONGEST_PAUSE),
        };
        let until = now + pause;
        self.away = Some(Away { until, pause });
    }

    /// Takes note of a check. Returns whether that changes something.
    pub(crate) fn checked(&mut self, succeeded: bool, thresholds: Thresholds) -> bool {
        if succeeded {
            self.away = None;
        }
        if succeeded != self.is_out {
            self.contrary = 0;
            return false;
        }
        self.contrary += 1;
        let enough = match succeeded {
            true => thresholds.successes,
            false => thresholds.failures,
        };
        if self.contrary < enough {
            return false;
        }
        self.is_out = !succeeded;
        self.contrary = 0;
        true
    }

    /// It announced a restart, which takes up to `time`: others are fitter.
    pub(crate) fn restarts(&mut self, now: Duration, time: Duration) {
        self.restarting_until = now + time;
        if self.away.is_none() {
            self.failed(now);
        }
    }

    pub(crate) fn is_restarting(&self, now: Duration) -> bool {
        now < self.restarting_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn whoever_did_not_accept_is_tried_by_one_after_growing_pauses() {
        let mut health = Health::default();
        let mut now = s(100);
        for pause in [1, 2, 4, 8, 10, 10] {
            health.failed(now);
            assert_eq!(health.fitness(now), Fitness::Away(now + s(pause)));
            assert!(!health.is_up());
            now += s(pause);
            assert_eq!(health.fitness(now), Fitness::Due);
            health.tried(now);
            assert_eq!(health.fitness(now), Fitness::Away(now + s(pause)));
        }
        health.accepted();
        assert_eq!(health.fitness(now), Fitness::Up);
    }

    #[test]
    fn checks_leave_out_and_take_in_after_so_many_in_a_row() {
        let thresholds = Thresholds {
            failures: 3,
            successes: 2,
        };
        let mut health = Health::default();
        let mut check = |succeeded| {
            let changed = health.checked(succeeded, thresholds);
            (changed, health.fitness(s(1)) == Fitness::Out)
        };
        let seen: Vec<_> = [
            false, false, true, false, false, false, true, false, true, true,
        ]
        .into_iter()
        .map(&mut check)
        .collect();
        let changes: Vec<_> = seen.iter().map(|seen| seen.0).collect();
        assert_eq!(changes.iter().filter(|changed| **changed).count(), 2);
        assert_eq!(seen[5], (true, true));
        assert_eq!(seen[9], (true, false));
    }

    #[test]
    fn a_check_that_succeeds_ends_the_pause() {
        let thresholds = Thresholds {
            failures: 3,
            successes: 2,
        };
        let mut health = Health::default();
        health.failed(s(1));
        health.checked(true, thresholds);
        assert!(health.is_up());
    }

    #[test]
    fn a_restart_that_was_announced_makes_others_fitter() {
        let mut health = Health::default();
        health.restarts(s(5), s(30));
        assert!(!health.is_up() && health.is_restarting(s(34)));
        assert!(!health.is_restarting(s(35)));
    }
}

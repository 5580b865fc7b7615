//! [`Health`]: whether an upstream is fit for another connection. Pure: time is passed in.

use std::time::Duration;

use crate::upstream::answers::{Answers, BadAnswers};
use crate::upstream::left_alone::LeftAlone;
use crate::upstream::path_id::PathId;

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
    /// It could not be reached the last time, or answers badly wherever it is asked.
    away: Option<LeftAlone>,
    /// What it answered, path by path.
    answers: Answers,
    /// It said that it restarts.
    restarting_until: Duration,
    /// When it last did not accept.
    was_away: Option<Duration>,
    /// It has not spoken although it should have.
    is_silent: bool,
    /// What the first connection was asked for that fell silent, which counts as answered badly until it speaks.
    silent_at: Option<PathId>,
    /// Nobody got an answer while somebody waited for one.
    is_doubted: bool,
    /// Until then newcomers go elsewhere, where it is one of these.
    spared_until: Duration,
}

/// For so long an upstream that has fallen silent, or is doubted, is the last that newcomers go to. Then one of them finds out.
const SPARED: Duration = Duration::from_secs(60);

/// What came of an attempt at an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// It answered.
    Well,
    /// It was there, and broke off, or gave an answer that says that nobody else is: 502 to 504. That
    /// may be meant for this path alone.
    Badly,
    /// It was there, and there was no answer in time.
    Silent,
    /// There was no connection.
    Not,
    /// It was not tried, for want of something here.
    Untried,
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
    /// How fit it is for a handshake that asks for `path`.
    pub(crate) fn fitness(&self, now: Duration, path: PathId) -> Fitness {
        let away = self.away.map(|away| away.until);
        match away.max(self.answers.away(path)) {
            _ if self.is_out => Fitness::Out,
            None => Fitness::Up,
            Some(until) if until <= now => Fitness::Due,
            Some(until) => Fitness::Away(until),
        }
    }

    /// Whether it is there, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        !self.is_out && self.away.is_none()
    }

    /// Whether it is there, is not silent, and some path is not known to answer badly.
    pub(crate) fn accepts(&self) -> bool {
        self.is_up() && !self.is_silent && !self.answers.all_are_bad()
    }

    /// It is tried now: nobody else needs to find out.
    pub(crate) fn tried(&mut self, now: Duration, path: PathId) {
        if let Some(away) = &mut self.away {
            away.tried(now);
        }
        self.answers.tried(now, path);
        if self.says_nothing() {
            self.spared_until = now.saturating_add(SPARED);
        }
    }

    /// Takes note of what came of an attempt.
    pub(crate) fn reached(
        &mut self,
        now: Duration,
        path: PathId,
        reached: Reached,
        counts: BadAnswers,
    ) {
        match reached {
            Reached::Well | Reached::Not => self.speaks(),
            Reached::Silent => self.is_silent_since(now),
            Reached::Badly | Reached::Untried => {}
        }
        if matches!(reached, Reached::Badly | Reached::Silent | Reached::Not) {
            self.was_away = Some(now);
        }
        match reached {
            Reached::Well => {
                self.away = None;
                self.answers.good(path, counts);
            }
            Reached::Badly | Reached::Silent if self.answers.bad(now, path, counts) => {
                self.leave_alone(now, counts);
            }
            // It is there.
            Reached::Badly | Reached::Silent => self.away = None,
            Reached::Not => self.leave_alone(now, counts),
            Reached::Untried => {}
        }
    }

    /// When it last did not accept, as far as is known at `now`.
    pub(crate) fn was_away(&self, now: Duration) -> Option<Duration> {
        self.away.map(|_| now).or(self.was_away)
    }

    /// Whether newcomers go elsewhere, where they can, because it is silent or doubted. Once in a while one of them
    /// finds out: its own clients, who would, may have left, and it may never answer a question. While one that is
    /// only doubted `is_asked`, the answer finds out.
    pub(crate) fn is_spared(&self, now: Duration, is_asked: bool) -> bool {
        self.says_nothing() && (now < self.spared_until || (is_asked && !self.is_silent))
    }

    /// Whether it has not spoken since it should have.
    pub(crate) const fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// Whether it is silent or doubted.
    pub(super) const fn says_nothing(&self) -> bool {
        self.is_silent || self.is_doubted
    }

    /// Somebody waits for it, and nobody has had an answer since. It may be slow, so that says nothing else.
    pub(crate) const fn is_doubted_since(&mut self, now: Duration) {
        self.is_doubted = true;
        self.spared_until = now.saturating_add(SPARED);
    }

    const fn is_silent_since(&mut self, now: Duration) {
        if !self.is_silent {
            self.spared_until = now.saturating_add(SPARED);
        }
        self.is_silent = true;
    }

    /// A connection to it that was asked for `path` has fallen silent: others are fitter.
    pub(crate) fn falls_silent(&mut self, now: Duration, path: PathId, counts: BadAnswers) {
        // As many may fall silent as it has.
        if !self.is_silent() {
            self.silent_at = Some(path);
            if self.answers.bad(now, path, counts) {
                self.leave_alone(now, counts);
            }
        }
        self.is_silent_since(now);
    }

    /// It goes on: a connection to it that was silent speaks, or it has answered somebody.
    pub(crate) fn speaks(&mut self) {
        self.is_silent = false;
        self.is_doubted = false;
        if let Some(path) = self.silent_at.take() {
            self.answers.forget(path);
        }
    }

    /// It can be connected to. What it would answer is not known.
    pub(crate) fn is_there(&mut self, counts: BadAnswers) {
        if !self.answers.are_bad(counts) {
            self.away = None;
        }
    }

    fn leave_alone(&mut self, now: Duration, counts: BadAnswers) {
        self.away = Some(LeftAlone::after(self.away, now, counts.pauses));
    }

    /// Takes note of a check. Returns whether that changes something.
    pub(crate) fn checked(&mut self, succeeded: bool, thresholds: Thresholds) -> bool {
        // The system connects in the name of a process that is frozen.
        if succeeded && !self.is_silent {
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
    pub(crate) fn restarts(&mut self, now: Duration, time: Duration, counts: BadAnswers) {
        self.restarting_until = now + time;
        if self.away.is_none() {
            self.leave_alone(now, counts);
        }
    }

    pub(crate) fn is_restarting(&self, now: Duration) -> bool {
        now < self.restarting_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::left_alone::Pauses;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const COUNTS: BadAnswers = BadAnswers {
        paths: 3,
        of: 3,
        pauses: Pauses::OF_UPSTREAM,
    };

    fn path(path: &str) -> PathId {
        PathId::of(path)
    }

    /// What a handshake comes to.
    fn reach(health: &mut Health, now: Duration, at: &str, reached: Reached) {
        health.reached(now, path(at), reached, COUNTS);
    }

    #[test]
    fn whoever_did_not_accept_is_tried_by_one_after_growing_pauses() {
        let mut health = Health::default();
        let mut now = s(100);
        for pause in [1, 2, 4, 8, 10, 10] {
            reach(&mut health, now, "/", Reached::Not);
            assert_eq!(
                health.fitness(now, path("/")),
                Fitness::Away(now + s(pause))
            );
            assert!(!health.is_up());
            now += s(pause);
            assert_eq!(health.fitness(now, path("/")), Fitness::Due);
            health.tried(now, path("/"));
            assert_eq!(
                health.fitness(now, path("/")),
                Fitness::Away(now + s(pause))
            );
        }
        reach(&mut health, now, "/", Reached::Well);
        assert_eq!(health.fitness(now, path("/")), Fitness::Up);
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
            (changed, health.fitness(s(1), path("/")) == Fitness::Out)
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
        reach(&mut health, s(1), "/", Reached::Not);
        health.checked(true, thresholds);
        assert!(health.is_up());
    }

    #[test]
    fn a_restart_that_was_announced_makes_others_fitter() {
        let mut health = Health::default();
        health.restarts(s(5), s(30), COUNTS);
        assert!(!health.is_up() && health.is_restarting(s(34)));
        assert!(!health.is_restarting(s(35)));
    }

    #[test]
    fn a_bad_answer_is_for_its_path_and_many_are_for_the_upstream() {
        let mut health = Health::default();
        for second in 0..5 {
            reach(&mut health, s(second), "/bad", Reached::Badly);
        }
        assert_eq!(health.fitness(s(5), path("/bad")), Fitness::Away(s(14)));
        assert_eq!(health.fitness(s(5), path("/good")), Fitness::Up);
        assert!(health.is_up() && !health.accepts());
        reach(&mut health, s(5), "/good", Reached::Well);
        assert!(health.accepts());
        reach(&mut health, s(6), "/worse", Reached::Badly);
        assert!(health.is_up());
        reach(&mut health, s(6), "/worst", Reached::Badly);
        reach(&mut health, s(6), "/bad", Reached::Badly);
        assert!(!health.is_up());
        assert_eq!(health.fitness(s(6), path("/good")), Fitness::Away(s(7)));
        reach(&mut health, s(7), "/good", Reached::Well);
        assert!(health.is_up());
    }

    #[test]
    fn one_that_is_silent_is_so_until_it_was_heard_of() {
        let mut health = Health::default();
        reach(&mut health, s(1), "/", Reached::Silent);
        // Somebody before it may have said so.
        reach(&mut health, s(3), "/", Reached::Badly);
        assert!(health.is_silent());
        assert_eq!(health.was_away(s(9)), Some(s(3)));
        for (now, reached) in [(4, Reached::Well), (6, Reached::Not)] {
            reach(&mut health, s(now), "/", reached);
            assert!(!health.is_silent());
            health.falls_silent(s(now + 1), path("/"), COUNTS);
            assert!(health.is_silent());
        }
        assert_eq!(health.was_away(s(9)), Some(s(9)), "it still is");
        health.speaks();
        assert!(!health.is_silent());
    }

    #[test]
    fn one_that_is_silent_or_doubted_is_spared_and_one_newcomer_finds_out_at_a_time() {
        let mut health = Health::default();
        assert!(!health.is_spared(s(0), true));
        health.is_doubted_since(s(1));
        assert!(!health.is_silent() && health.accepts(), "it may be slow");
        assert!(health.is_spared(s(60), false) && !health.is_spared(s(61), false));
        assert!(health.is_spared(s(61), true), "the answer finds out");
        health.tried(s(61), path("/"));
        assert!(health.is_spared(s(120), false));
        health.speaks();
        assert!(!health.is_spared(s(62), true));
        health.falls_silent(s(100), path("/"), COUNTS);
        health.falls_silent(s(150), path("/"), COUNTS);
        assert!(health.is_spared(s(159), false) && !health.accepts());
        assert!(!health.is_spared(s(160), true), "it may never answer that");
        health.tried(s(160), path("/"));
        assert!(health.is_spared(s(219), false) && !health.is_spared(s(220), false));
    }

    #[test]
    fn a_connection_says_nothing_of_a_silent_upstream() {
        let thresholds = Thresholds {
            failures: 3,
            successes: 2,
        };
        let mut health = Health::default();
        health.restarts(s(1), s(30), COUNTS);
        health.falls_silent(s(1), path("/"), COUNTS);
        health.checked(true, thresholds);
        assert!(!health.is_up());
        health.speaks();
        assert_eq!(health.answers.away(path("/")), None, "it was silent there");
        health.checked(true, thresholds);
        assert!(health.is_up());
    }

    #[test]
    fn many_that_fall_silent_count_once_and_make_nobody_reachable() {
        let mut health = Health::default();
        reach(&mut health, s(1), "/", Reached::Not);
        for _ in 0..10 {
            health.falls_silent(s(1), path("/a"), COUNTS);
        }
        assert!(!health.is_up());
        assert_eq!(health.answers.away(path("/a")), Some(s(2)));
    }
}

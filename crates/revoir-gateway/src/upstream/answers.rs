//! [`Answers`]: how an upstream answered lately, path by path. Pure: time is passed in.

use std::collections::VecDeque;
use std::time::Duration;

use crate::upstream::left_alone::{LeftAlone, Pauses};
use crate::upstream::path_id::PathId;

/// How many paths answer badly before an upstream is left alone as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAnswers {
    /// So many paths,
    pub paths: usize,
    /// of so many that were asked for last.
    pub of: usize,
    /// How long an upstream or a path is left alone.
    pub pauses: Pauses,
}

impl Default for BadAnswers {
    fn default() -> Self {
        Self {
            paths: 5,
            of: 5,
            pauses: Pauses::OF_UPSTREAM,
        }
    }
}

/// The last answer on each of the paths that were asked for last.
///
/// An answer such as 503 may be meant for its path alone, so only that is left alone. Many paths that
/// answer so are an upstream that is away.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// The latest one is at the end. `None`: it was good.
    last: VecDeque<(PathId, Option<LeftAlone>)>,
}

impl Answers {
    pub(super) fn good(&mut self, path: PathId, counts: BadAnswers) {
        self.take(path);
        self.push(path, None, counts);
    }

    /// Returns whether so many paths answer badly that the upstream counts as away.
    pub(super) fn bad(&mut self, now: Duration, path: PathId, counts: BadAnswers) -> bool {
        let before = self.take(path);
        self.push(
            path,
            Some(LeftAlone::after(before, now, counts.pauses)),
            counts,
        );
        self.are_bad(counts)
    }

    /// Nothing is known of `path`.
    pub(super) fn forget(&mut self, path: PathId) {
        self.take(path);
    }

    /// Whether so many paths answer badly that the upstream counts as away.
    pub(super) fn are_bad(&self, counts: BadAnswers) -> bool {
        let bad = self.last.iter().filter(|(_, answer)| answer.is_some());
        bad.count() >= counts.paths
    }

    /// Until when `path` is left alone.
    pub(super) fn away(&self, path: PathId) -> Option<Duration> {
        let (_, answer) = self.last.iter().find(|(one, _)| *one == path)?;
        answer.map(|away| away.until)
    }

    /// `path` is tried at `now`.
    pub(super) fn tried(&mut self, now: Duration, path: PathId) {
        let found = self.last.iter_mut().find(|(one, _)| *one == path);
        if let Some((_, Some(away))) = found {
            away.tried(now);
        }
    }

    /// Whether no path is known to have answered well.
    pub(super) fn all_are_bad(&self) -> bool {
        !self.last.is_empty() && self.last.iter().all(|(_, answer)| answer.is_some())
    }

    fn take(&mut self, path: PathId) -> Option<LeftAlone> {
        let at = self.last.iter().position(|(one, _)| *one == path)?;
        self.last.remove(at)?.1
    }

    fn push(&mut self, path: PathId, answer: Option<LeftAlone>, counts: BadAnswers) {
        self.last.push_back((path, answer));
        while self.last.len() > counts.of {
            self.last.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: BadAnswers = BadAnswers {
        paths: 3,
        of: 4,
        pauses: Pauses::OF_UPSTREAM,
    };

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn path(path: &str) -> PathId {
        PathId::of(path)
    }

    #[test]
    fn one_path_is_never_enough_however_often_it_answers_badly() {
        let mut answers = Answers::default();
        for now in 0..100 {
            assert!(!answers.bad(s(now), path("/bad"), COUNTS));
        }
        assert_eq!(answers.away(path("/bad")), Some(s(99 + 10)));
        assert_eq!(answers.away(path("/good")), None);
    }

    #[test]
    fn so_many_of_the_last_paths_are_enough_and_a_good_answer_counts_against_them() {
        let mut answers = Answers::default();
        answers.good(path("/good"), COUNTS);
        assert!(!answers.bad(s(1), path("/1"), COUNTS));
        assert!(!answers.bad(s(1), path("/2"), COUNTS));
        assert!(!answers.all_are_bad());
        assert!(answers.bad(s(1), path("/3"), COUNTS));
        answers.good(path("/2"), COUNTS);
        assert!(!answers.bad(s(1), path("/1"), COUNTS));
        assert_eq!(answers.away(path("/2")), None);
    }

    #[test]
    fn no_more_paths_are_remembered_than_count() {
        let mut answers = Answers::default();
        for number in 0..1000 {
            answers.bad(s(1), path(&format!("/{number}")), COUNTS);
        }
        assert_eq!(answers.last.len(), COUNTS.of);
        assert!(answers.all_are_bad());
    }
}

//! [`AwayConfig`]: when an upstream counts as away, and how it is tried then.

use serde::{Deserialize, Serialize};

use crate::config::values::{self, Time};
use crate::upstream::{BadAnswers, Pauses, Redials};

/// When an upstream is left alone, and how it is tried then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AwayConfig {
    /// So many paths answer with 502, 503 or 504,
    pub bad_paths: usize,
    /// of so many that were asked for last.
    pub of: usize,
    /// How long an upstream, or a path of it, is left alone at first.
    #[serde(deserialize_with = "values::at_least_ms::<10, _>")]
    pub pause: Time,
    /// The longest of these pauses, which grow.
    pub longest_pause: Time,
    /// While no upstream can be reached: between two attempts, at first.
    #[serde(deserialize_with = "values::at_least_ms::<10, _>")]
    pub dial_pause: Time,
    /// The longest of these pauses, which grow. `None`: 100 ms, or the first one if that is longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_dial_pause: Option<Time>,
    /// So many re-dials of a path in a row that are answered so, and they come one at a time.
    #[serde(deserialize_with = "values::at_least_one")]
    pub path_redials: u32,
    /// Between two of those, at first.
    #[serde(deserialize_with = "values::at_least_ms::<10, _>")]
    pub path_pause: Time,
    /// The longest of these pauses, which grow.
    pub longest_path_pause: Time,
}

impl Default for AwayConfig {
    fn default() -> Self {
        let BadAnswers { paths, of, pauses } = BadAnswers::default();
        let redials = Redials::default();
        Self {
            bad_paths: paths,
            of,
            pause: Time(pauses.first),
            longest_pause: Time(pauses.longest),
            dial_pause: Time(redials.away.first),
            longest_dial_pause: None,
            path_redials: redials.in_a_row,
            path_pause: Time(redials.path.first),
            longest_path_pause: Time(redials.path.longest),
        }
    }
}

impl AwayConfig {
    /// The most paths that are remembered.
    const MOST: usize = 100;

    pub(super) const fn counts(self) -> BadAnswers {
        BadAnswers {
            paths: self.bad_paths,
            of: self.of,
            pauses: Pauses {
                first: self.pause.0,
                longest: self.longest_pause.0,
            },
        }
    }

    pub(super) fn redials(self) -> Redials {
        Redials {
            in_a_row: self.path_redials,
            away: Pauses {
                first: self.dial_pause.0,
                longest: self.longest_dial_pause().0,
            },
            path: Pauses {
                first: self.path_pause.0,
                longest: self.longest_path_pause.0,
            },
        }
    }

    fn longest_dial_pause(self) -> Time {
        let usual = Time(Redials::default().away.longest);
        self.longest_dial_pause
            .unwrap_or_else(|| usual.max(self.dial_pause))
    }

    /// The key whose value is wrong, and what would be right.
    pub(super) fn mistake(self) -> Option<(&'static str, String)> {
        let Self { bad_paths, of, .. } = self;
        if of == 0 || of > Self::MOST {
            return Some(("of", format!("{of}: give 1 to {}", Self::MOST)));
        }
        if bad_paths == 0 || bad_paths > of {
            let text = format!("{bad_paths}: give 1 to {of}, the value of `of`");
            return Some(("bad-paths", text));
        }
        let pauses = [
            ("longest-pause", self.pause, self.longest_pause),
            (
                "longest-dial-pause",
                self.dial_pause,
                self.longest_dial_pause(),
            ),
            (
                "longest-path-pause",
                self.path_pause,
                self.longest_path_pause,
            ),
        ];
        let mut wrong = pauses
            .into_iter()
            .filter(|(_, first, longest)| longest < first);
        let text = "it is shorter than the first of these pauses";
        wrong.next().map(|(key, ..)| (key, text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_pause_between_dials_may_be_set_without_the_longest_one() {
        let away = |text: &str| toml::from_str::<AwayConfig>(text).unwrap();
        for (text, longest) in [
            ("", 100),
            ("dial-pause = '50ms'", 100),
            ("dial-pause = '400ms'", 400),
            ("dial-pause = '400ms'\nlongest-dial-pause = '1s'", 1000),
        ] {
            let pauses = away(text).redials().away;
            assert_eq!(pauses.longest, Duration::from_millis(longest), "{text}");
            assert_eq!(away(text).mistake(), None, "{text}");
        }
        let wrong = away("dial-pause = '400ms'\nlongest-dial-pause = '300ms'").mistake();
        assert_eq!(wrong.map(|(key, _)| key), Some("longest-dial-pause"));
    }
}

//! [`AwayConfig`]: when answers that say that nobody is there make an upstream count as away.

use serde::{Deserialize, Serialize};

use crate::upstream::BadAnswers;

/// When an upstream is left alone that answers with 502, 503 or 504.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AwayConfig {
    /// So many paths answer so,
    pub bad_paths: usize,
    /// of so many that were asked for last.
    pub of: usize,
}

impl Default for AwayConfig {
    fn default() -> Self {
        let counts = BadAnswers::default();
        Self {
            bad_paths: counts.paths,
            of: counts.of,
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
        }
    }

    /// The key whose value is wrong, and what would be right.
    pub(super) fn mistake(self) -> Option<(&'static str, String)> {
        let Self { bad_paths, of } = self;
        if of == 0 || of > Self::MOST {
            return Some(("of", format!("{of}: give 1 to {}", Self::MOST)));
        }
        let text = || format!("{bad_paths}: give 1 to {of}, the value of `of`");
        (bad_paths == 0 || bad_paths > of).then(|| ("bad-paths", text()))
    }
}

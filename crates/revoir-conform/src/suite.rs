//! The suite: its cases, and its version.

use crate::case::{Case, File};

/// The version of the suite: the first number changes when a case asks for something else, the
/// second when cases are added, the third when only words change.
pub const VERSION: &str = "1.0.0";

/// The files of cases, in the order of a report.
const FILES: &[&str] = &[
    include_str!("../cases/opening-server.toml"),
    include_str!("../cases/opening-client.toml"),
    include_str!("../cases/codes.toml"),
    include_str!("../cases/closing.toml"),
    include_str!("../cases/tcp.toml"),
    include_str!("../cases/tls.toml"),
    include_str!("../cases/keepalive.toml"),
    include_str!("../cases/frames.toml"),
    include_str!("../cases/text.toml"),
    include_str!("../cases/limits.toml"),
    include_str!("../cases/compression.toml"),
    include_str!("../cases/pressure.toml"),
    include_str!("../cases/slow.toml"),
];

/// Cases that wait for a peer's own timer: minutes, so they are played only when asked for.
pub const SLOW: &str = "slow";

/// A part of the suite.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group {
    /// What the ids of its cases begin with.
    pub name: String,
    /// What it is about.
    pub about: String,
}

/// All cases.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suite {
    /// The groups, in the order of the cases.
    pub groups: Vec<Group>,
    /// The cases.
    pub cases: Vec<Case>,
}

impl Suite {
    /// The suite that this library has.
    ///
    /// # Errors
    ///
    /// Never for the released library: a test reads all files. The text says which line is wrong.
    pub fn load() -> Result<Self, String> {
        let mut suite = Self {
            groups: Vec::new(),
            cases: Vec::new(),
        };
        for text in FILES {
            let (name, about, cases) = File::read(text)?;
            if suite
                .groups
                .last()
                .is_none_or(|group: &Group| group.name != name)
            {
                suite.groups.push(Group { name, about });
            }
            suite.cases.extend(cases);
        }
        Ok(suite)
    }

    /// The cases that match one of the patterns (`close.*`). Without any pattern: all but the slow.
    #[must_use]
    pub fn chosen(&self, patterns: &[String]) -> Vec<Case> {
        let chosen = self.cases.iter().filter(|case| match patterns {
            [] => case.group != SLOW,
            patterns => patterns.iter().any(|pattern| case.matches(pattern)),
        });
        chosen.cloned().collect()
    }
}

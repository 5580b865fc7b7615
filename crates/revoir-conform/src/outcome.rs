//! What came of the cases.

use serde::{Deserialize, Serialize};

use crate::case::Role;
use crate::judge::Verdict;
use crate::record::Entry;
use crate::suite::VERSION;
use crate::told::Event;

/// What came of one case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The id of the case.
    pub case: String,
    /// The side that the implementation was on.
    pub role: Role,
    /// What the suite says.
    pub verdict: Verdict,
    /// What must hold and did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What should hold and did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// How long the last run took, in milliseconds.
    pub ms: u64,
    /// The verdicts of all runs, if there were several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Verdict>,
    /// What happened on the wire in the last run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wire: Vec<Entry>,
    /// What the application was told in the last run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Event>,
}

impl Outcome {
    /// Whether a process died in one of its runs, be it by this case or by one beside it.
    pub(crate) fn saw_a_death(&self) -> bool {
        self.verdict == Verdict::Crashed || self.runs.contains(&Verdict::Crashed)
    }
}

/// What came of a whole run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The version of the suite.
    pub suite: String,
    /// The implementation: `ws`.
    pub name: String,
    /// Its version, if it says it.
    #[serde(default)]
    pub version: String,
    /// Everything that its adapter says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello: Option<Event>,
    /// The side that it was on.
    pub role: Role,
    /// Whether it spoke TLS.
    pub tls: bool,
    /// The day of the run: `2026-11-30`.
    pub date: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What came of each case.
    pub cases: Vec<Outcome>,
}

impl Report {
    /// A report of today. The name and version are those of the adapter, if it says them.
    #[must_use]
    pub fn new(role: Role, tls: bool, hello: Option<Event>, cases: Vec<Outcome>) -> Self {
        let said = |name: &str| {
            let said = hello.as_ref().and_then(|hello| hello.rest.get(name));
            said.and_then(|said| said.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let (name, version) = (said("name"), said("version"));
        Self {
            suite: VERSION.to_owned(),
            name: if name.is_empty() {
                "unnamed".to_owned()
            } else {
                name
            },
            version,
            hello,
            role,
            tls,
            date: today(),
            ms: 0,
            cases,
        }
    }

    /// What files of this report are called: `ws-8.23.0-server`.
    #[must_use]
    pub fn file_name(&self) -> String {
        let parts = [
            &*self.name,
            &*self.version,
            self.role.id(),
            if self.tls { "tls" } else { "" },
        ];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let is_plain = |char: char| char.is_ascii_alphanumeric() || "-._+".contains(char);
        parts
            .join("-")
            .chars()
            .map(|char| if is_plain(char) { char } else { '-' })
            .collect()
    }

    /// How many cases came out so.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.cases
            .iter()
            .filter(|outcome| outcome.verdict == verdict)
            .count()
    }

    /// How many cases broke a rule.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.cases
            .iter()
            .filter(|outcome| outcome.verdict.is_failure())
            .count()
    }
}

/// The day in UTC: `2026-11-30`.
fn today() -> String {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let (year, month, day) = civil(since.as_secs() / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The date that is so many days after 1970-01-01, in the Gregorian calendar.
const fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March, so that the day that comes and goes is the last.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_787), (2026, 11, 30));
    }
}

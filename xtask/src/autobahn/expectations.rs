//! What the suite said, beside what we expect it to say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::role::{ROLES, Role};

/// The suite's two verdicts on one case.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Behaviors {
    behavior: String,
    #[serde(alias = "behaviorClose")]
    behavior_close: String,
}

/// The outcome of every case, in both roles. Cases are numbers, so that they sort as such.
pub(super) type Outcomes = BTreeMap<(Role, CaseId), Behaviors>;

/// `7.1.6`, in order of its numbers.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub(super) struct CaseId(Vec<u16>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectationsFile {
    case: Vec<Expectation>,
}

/// A case that is not OK, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    id: CaseId,
    #[serde(default = "both")]
    roles: Vec<Role>,
    behavior: String,
    behavior_close: String,
    reason: String,
}

fn both() -> Vec<Role> {
    ROLES.to_vec()
}

/// Reads the expectations, each of which needs a reason, and no two for the same case.
pub(super) fn read(path: &Path) -> anyhow::Result<Outcomes> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let file: ExpectationsFile =
        toml::from_str(&text).with_context(|| format!("read {}", path.display()))?;
    let mut expected = Outcomes::new();
    for case in file.case {
        let outcome = Behaviors {
            behavior: case.behavior,
            behavior_close: case.behavior_close,
        };
        if case.reason.trim().is_empty() || outcome.is_ok() {
            bail!(
                "{}: only what is not OK stands here, with a reason",
                case.id
            );
        }
        for role in case.roles {
            let earlier = expected.insert((role, case.id.clone()), outcome.clone());
            if earlier.is_some() {
                bail!("{}: two expectations for the {role}", case.id);
            }
        }
    }
    Ok(expected)
}

/// Every difference, in words: an outcome that is worse, better or missing.
pub(super) fn compare(expected: &Outcomes, outcomes: &Outcomes) -> Vec<String> {
    let mut found = Vec::new();
    for (case, outcome) in outcomes {
        let (role, id) = case;
        match expected.get(case) {
            Some(expectation) if expectation == outcome => {}
            Some(expectation) if outcome.is_ok() => {
                found.push(format!("{role} {id}: passes, expected {expectation}"));
            }
            Some(expectation) => {
                found.push(format!("{role} {id}: {outcome}, expected {expectation}"));
            }
            None if outcome.is_ok() => {}
            None => found.push(format!("{role} {id}: {outcome}")),
        }
    }
    for case in expected.keys().filter(|case| !outcomes.contains_key(case)) {
        let (role, id) = case;
        found.push(format!("{role} {id}: expected, but there is no such case"));
    }
    found
}

/// `514 OK, 3 INFORMATIONAL`.
pub(super) fn counts(outcomes: &Outcomes, role: Role) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (case, outcome) in outcomes {
        if case.0 == role {
            *counts.entry(outcome.to_string()).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect();
    counts.join(", ")
}

impl CaseId {
    /// Whether a run may leave it out: the sections of many and long messages.
    pub(super) fn is_sampled(&self) -> bool {
        self.0.first().is_some_and(|section| *section >= 12)
    }
}

impl Behaviors {
    fn is_ok(&self) -> bool {
        self.behavior == "OK" && self.behavior_close == "OK"
    }
}

impl std::fmt::Display for Behaviors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.behavior)?;
        if self.behavior_close != self.behavior {
            write!(f, " (closing: {})", self.behavior_close)?;
        }
        Ok(())
    }
}

impl TryFrom<String> for CaseId {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.split('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl std::fmt::Display for CaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u16::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(cases: &[(&str, &str, &str)]) -> Outcomes {
        let outcome = |&(id, behavior, close): &(&str, &str, &str)| {
            let id = CaseId::try_from(id.to_owned()).unwrap();
            let outcome = Behaviors {
                behavior: behavior.to_owned(),
                behavior_close: close.to_owned(),
            };
            ((Role::Client, id), outcome)
        };
        cases.iter().map(outcome).collect()
    }

    #[test]
    fn an_expected_outcome_is_no_difference() {
        let expected = outcomes(&[("7.1.6", "INFORMATIONAL", "OK")]);
        let found = outcomes(&[("7.1.6", "INFORMATIONAL", "OK"), ("1.1.1", "OK", "OK")]);
        assert!(compare(&expected, &found).is_empty());
    }

    #[test]
    fn failures_passes_and_missing_cases_are_differences() {
        let expected = outcomes(&[("7.1.6", "NON-STRICT", "OK"), ("7.1.7", "FAILED", "OK")]);
        let found = outcomes(&[("7.1.6", "OK", "OK"), ("10.1.1", "OK", "WRONG CODE")]);
        assert_eq!(
            compare(&expected, &found),
            [
                "client 7.1.6: passes, expected NON-STRICT (closing: OK)",
                "client 10.1.1: OK (closing: WRONG CODE)",
                "client 7.1.7: expected, but there is no such case",
            ]
        );
    }
}

//! Where a peer is known to differ, and why.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use revoir::Role;
use serde::Deserialize;
use serde_json::Value;

use crate::facts::Facts;
use crate::peer::role_name;
use crate::play::Outcome;

/// `expectations.toml`.
#[derive(Debug)]
pub(crate) struct Expectations {
    differences: Vec<Difference>,
    /// Which of them were met, by index and case.
    met: BTreeSet<(usize, String)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    difference: Vec<Difference>,
}

/// One value that is not what the case asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    peer: String,
    /// Our role; either, if it is left out.
    role: Option<String>,
    cases: Vec<String>,
    side: Side,
    field: String,
    /// JSON, so that there is a null.
    value: String,
    reason: String,
}

/// Who says it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Side {
    Ours,
    Peer,
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    /// As `expectations.toml` says.
    Noted,
    /// In words.
    Differs(Vec<String>),
}

impl Expectations {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let file: File =
            toml::from_str(&text).with_context(|| format!("read {}", path.display()))?;
        for difference in &file.difference {
            if difference.reason.trim().is_empty() {
                bail!("{}: a difference without a reason", path.display());
            }
        }
        Ok(Self {
            differences: file.difference,
            met: BTreeSet::new(),
        })
    }

    /// Compares what both sides said with what the case asks for, or with what is noted here.
    pub(crate) fn judge(
        &mut self,
        peer: &str,
        role: Role,
        case: &str,
        expected: &Outcome,
        actual: &Outcome,
    ) -> Verdict {
        let mut expected = expected.clone();
        let mut found = Vec::new();
        let mut noted = false;
        for (index, difference) in self.differences.iter().enumerate() {
            if !difference.is_about(peer, role, case) {
                continue;
            }
            self.met.insert((index, case.to_owned()));
            let facts = match difference.side {
                Side::Ours => &mut expected.ours,
                Side::Peer => &mut expected.peer,
            };
            let Ok(value) = serde_json::from_str(&difference.value) else {
                found.push(format!("expectations: {} is no JSON", difference.value));
                continue;
            };
            let field = difference.field.clone();
            if facts.insert(field, value) == serde_json::from_str(&difference.value).ok() {
                found.push(format!(
                    "expectations: {} is no difference",
                    difference.field
                ));
            }
            noted = true;
        }
        found.extend(differences("our", &expected.ours, &actual.ours));
        found.extend(differences("the peer's", &expected.peer, &actual.peer));
        match (found.is_empty(), noted) {
            (false, _) => Verdict::Differs(found),
            (true, true) => Verdict::Noted,
            (true, false) => Verdict::Ok,
        }
    }

    /// Cases that are noted and were not played.
    pub(crate) fn left_over(&self) -> Vec<String> {
        let mut left = Vec::new();
        for (index, difference) in self.differences.iter().enumerate() {
            for case in &difference.cases {
                if !self.met.contains(&(index, case.clone())) {
                    left.push(format!("{}: there is no case {case:?}", difference.peer));
                }
            }
        }
        left
    }
}

impl Difference {
    fn is_about(&self, peer: &str, role: Role, case: &str) -> bool {
        let role_fits = self
            .role
            .as_deref()
            .is_none_or(|own| own == role_name(role));
        self.peer == peer && role_fits && self.cases.iter().any(|own| own == case)
    }
}

/// Every field that differs. What a peer's API does not tell is not compared.
fn differences(whose: &str, expected: &Facts, actual: &Facts) -> Vec<String> {
    let mut found = Vec::new();
    for (field, value) in actual {
        let wanted = expected.get(field).unwrap_or(&Value::Null);
        if wanted != value {
            found.push(format!("{whose} {field} is {value}, not {wanted}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(code: u16) -> Outcome {
        Outcome {
            ours: Facts::from([("code".into(), json!(1000))]),
            peer: Facts::from([("code".into(), json!(code))]),
        }
    }

    fn noted(value: &str) -> Expectations {
        let difference = Difference {
            peer: "ws".into(),
            role: None,
            cases: vec!["1000 by us".into()],
            side: Side::Peer,
            field: "code".into(),
            value: value.into(),
            reason: "for the test".into(),
        };
        Expectations {
            differences: vec![difference],
            met: BTreeSet::new(),
        }
    }

    fn judge(expectations: &mut Expectations, actual: u16) -> Verdict {
        let (expected, actual) = (outcome(1000), outcome(actual));
        expectations.judge("ws", Role::Client, "1000 by us", &expected, &actual)
    }

    #[test]
    fn what_is_noted_is_expected() {
        let mut expectations = noted("1005");
        assert_eq!(judge(&mut expectations, 1005), Verdict::Noted);
        assert!(expectations.left_over().is_empty());
    }

    #[test]
    fn a_case_that_passes_though_a_difference_is_noted_fails() {
        assert_eq!(
            judge(&mut noted("1005"), 1000),
            Verdict::Differs(vec!["the peer's code is 1000, not 1005".into()])
        );
    }

    #[test]
    fn a_note_of_no_difference_and_a_note_of_no_case_fail() {
        assert_eq!(
            judge(&mut noted("1000"), 1000),
            Verdict::Differs(vec!["expectations: code is no difference".into()])
        );
        assert_eq!(
            noted("1005").left_over(),
            ["ws: there is no case \"1000 by us\""]
        );
    }
}

//! [`Verdict`]: what a build of revoir says of a row.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::Context;
use serde::Deserialize;

use super::row::{NOT_IN_CATALOGUE, Row};

/// The smallest probability that a verdict is taken to give to anything: shares are whole per cent.
const LEAST: f64 = 0.005;

/// What revoir says of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Verdict {
    /// What it names, most likely first, with its share in per cent. That none of the causes known
    /// to it fits stands among them as [`NOT_IN_CATALOGUE`].
    pub(super) named: Vec<(String, u8)>,
    /// Whether it says how sure it is. An engine that knows no "none of them" does not say how sure
    /// it is when it names nothing.
    pub(super) has_share: bool,
    /// It did not run: it does not know a flag, or says that the evidence contradicts itself.
    pub(super) failed: bool,
}

#[derive(Deserialize)]
struct Said {
    cause: Option<String>,
    causes: Vec<Ranked>,
    none_known: Option<u8>,
}

#[derive(Deserialize)]
struct Ranked {
    id: String,
    share: u8,
}

impl Verdict {
    /// Asks `binary`.
    pub(super) fn of(row: &Row, binary: &Path) -> anyhow::Result<Self> {
        let output = ask(row, binary)?;
        match output.status.success() {
            true => Self::read(&output.stdout),
            false => Ok(Self {
                failed: true,
                ..Self::default()
            }),
        }
    }

    pub(super) fn read(json: &[u8]) -> anyhow::Result<Self> {
        let output: Said = serde_json::from_slice(json).context("read the verdict")?;
        let causes = output.causes.into_iter().map(|of| (of.id, of.share));
        Ok(Self::new(
            causes.collect(),
            output.none_known,
            output.cause.is_some(),
        ))
    }

    /// Causes, most likely first, the share that it is none of them, and whether it says that one of
    /// them is the likeliest.
    pub(super) fn new(mut named: Vec<(String, u8)>, none: Option<u8>, names_one: bool) -> Self {
        let of_none = |share| (NOT_IN_CATALOGUE.to_owned(), share);
        match (none, names_one) {
            (Some(share), false) => named.insert(0, of_none(share)),
            (Some(share), true) => {
                let place = named.iter().position(|(_, other)| *other < share);
                named.insert(place.unwrap_or(named.len()), of_none(share));
            }
            // Nothing is shown then.
            (None, false) => named = vec![of_none(0)],
            (None, true) => {}
        }
        Self {
            has_share: none.is_some() || names_one,
            named,
            failed: false,
        }
    }

    /// The place of a right answer, from 1.
    pub(super) fn rank(&self, row: &Row) -> Option<usize> {
        let right = |(id, _): &(String, u8)| row.expected.contains(id);
        self.named.iter().position(right).map(|place| place + 1)
    }

    /// The share of what it names first.
    pub(super) fn share(&self) -> u8 {
        self.named.first().map_or(0, |(_, share)| *share)
    }

    /// Whether it names no cause.
    pub(super) fn is_none_known(&self) -> bool {
        self.named
            .first()
            .is_none_or(|(id, _)| id == NOT_IN_CATALOGUE)
    }

    /// The natural logarithm of the probability that it gives to the right answers.
    pub(super) fn log_score(&self, row: &Row) -> f64 {
        let right = self
            .named
            .iter()
            .filter(|(id, _)| row.expected.contains(id));
        let share: u32 = right.map(|(_, share)| u32::from(*share)).sum();
        (f64::from(share) / 100.0).clamp(LEAST, 1.0).ln()
    }
}

/// What `binary` says of a row.
pub(super) fn ask(row: &Row, binary: &Path) -> anyhow::Result<Output> {
    let mut child = Command::new(binary)
        .args(["diagnose", "--json", "--lang", "en"])
        .args(row.args())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("start {}", binary.display()))?;
    let text = row.stdin.clone().unwrap_or_default();
    if let Some(mut stdin) = child.stdin.take() {
        // Who does not read its input is asked all the same.
        let _ = stdin.write_all(text.as_bytes());
    }
    Ok(child.wait_with_output()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_of_them_has_a_place_by_its_share() {
        let json = br#"{"cause":"a","causes":[{"id":"a","share":60},{"id":"b","share":5}],"none_known":20}"#;
        let verdict = Verdict::read(json).unwrap();
        let names: Vec<_> = verdict.named.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(names, ["a", NOT_IN_CATALOGUE, "b"]);
        assert!(!verdict.is_none_known() && verdict.has_share);
        let json = br#"{"cause":null,"causes":[{"id":"a","share":40}],"none_known":35}"#;
        assert!(Verdict::read(json).unwrap().is_none_known());
    }

    #[test]
    fn an_engine_without_that_word_names_nothing_without_a_share() {
        let json = br#"{"cause":null,"causes":[{"id":"a","share":9}]}"#;
        let verdict = Verdict::read(json).unwrap();
        assert!(verdict.is_none_known() && !verdict.has_share);
        assert_eq!(verdict.named.len(), 1);
    }
}

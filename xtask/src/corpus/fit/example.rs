//! [`Example`]: a row as what counts for each cause, and [`Answer`]: what revoir reads from it.

use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::catalogue;
use super::weights::{Of, Weights};
use crate::corpus::row::{NOT_IN_CATALOGUE, Row};
use crate::corpus::verdict::{Verdict, ask};

/// What revoir reads from a row, as `--json` has it.
#[derive(Deserialize)]
pub(super) struct Answer {
    causes: Vec<WeighedCause>,
    signs: Vec<Sign>,
    read: Read,
    unrecognised: Vec<serde_json::Value>,
    contradictions: Vec<String>,
}

#[derive(Deserialize)]
struct WeighedCause {
    id: String,
    weight: i32,
}

#[derive(Deserialize)]
struct Sign {
    sign: String,
    basis: String,
}

#[derive(Deserialize)]
struct Read {
    code: Option<u16>,
    opened: Option<bool>,
    seen_by: Option<String>,
}

impl Answer {
    /// `None` if it does not run.
    pub(super) fn of(row: &Row, binary: &Path) -> anyhow::Result<Option<Self>> {
        let output = ask(row, binary)?;
        if !output.status.success() {
            return Ok(None);
        }
        let answer = serde_json::from_slice(&output.stdout);
        Ok(Some(
            answer.with_context(|| format!("what is read of {}", row.id))?,
        ))
    }
}

/// A weight that counts for a cause, and how much of it.
struct Term {
    cause: usize,
    weight: usize,
    part: f64,
}

/// A row, as what counts for each cause. The last place is that none of them fits.
pub(super) struct Example {
    product: String,
    is_working: bool,
    /// What no weight changes.
    pub(super) fixed: Vec<f64>,
    terms: Vec<Term>,
    pub(super) right: Vec<bool>,
    pub(super) counts: f64,
    has_code: bool,
    says_something: bool,
}

impl Example {
    /// Fails if the weights do not add up to what revoir says: then this is another model than its.
    pub(super) fn new(
        row: &Row,
        answer: &Answer,
        weights: &Weights,
        counts: f64,
    ) -> anyhow::Result<Self> {
        let causes = weights.causes.len();
        let shares = &weights.shares;
        let mut example = Self {
            product: row.product_name(),
            is_working: !row.address.is_empty(),
            fixed: vec![0.0; causes + 1],
            terms: Vec::new(),
            right: vec![false; causes + 1],
            counts,
            has_code: answer.read.code.is_some(),
            says_something: !answer.signs.is_empty() || answer.read.code.is_some(),
        };
        let mut none = shares.none_known;
        none += if answer.unrecognised.is_empty() {
            0
        } else {
            shares.not_recognised
        };
        none += if answer.contradictions.is_empty() {
            0
        } else {
            shares.contradicted
        };
        example.fixed[causes] = none.into();
        for cause in 0..causes {
            example.weigh(cause, answer, weights);
        }
        let ids = catalogue::ids()?;
        for id in &row.expected {
            example.right[catalogue::place(&ids, id)?] = true;
        }
        for ranked in &answer.causes {
            let own = example
                .weight(catalogue::place(&ids, &ranked.id)?, &weights.values)
                .round();
            ensure!(
                (own - f64::from(ranked.weight)).abs() < 0.5,
                "{}: {} weighs {} there and {own} here",
                row.id,
                ranked.id,
                ranked.weight
            );
        }
        Ok(example)
    }

    /// As `weigh` of `catalog/diagnosis/ranking.rs`.
    fn weigh(&mut self, index: usize, answer: &Answer, weights: &Weights) {
        let (cause, shares) = (&weights.causes[index], &weights.shares);
        let mut add = |of: Of, part: f64| {
            if let Some(weight) = weights.place(index, of) {
                self.terms.push(Term {
                    cause: index,
                    weight,
                    part,
                });
            }
        };
        add(Of::Prior, 1.0);
        for sign in &answer.signs {
            let tenths = match sign.basis.as_str() {
                "rule" => shares.ruled,
                "loose-words" => shares.loose,
                _ => shares.seen,
            };
            add(Of::Sign(sign.sign.clone()), f64::from(tenths) / 10.0);
        }
        let Read {
            code,
            opened,
            seen_by,
        } = &answer.read;
        if let Some(code) = code.filter(|_| *opened != Some(false)) {
            let holds = |range: &&String| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let bound = |text: &str| text.parse::<u16>().unwrap_or_default();
                (bound(first)..=bound(last)).contains(&code)
            };
            match cause.codes.keys().find(holds) {
                Some(range) => add(Of::Codes(range.clone()), 1.0),
                None => self.fixed[index] += f64::from(shares.wrong_code),
            }
        }
        if let Some(opened) = opened.filter(|_| !cause.any_phase) {
            let strikes_open = matches!(cause.phase.as_str(), "open" | "closing");
            self.fixed[index] += f64::from(match opened == strikes_open {
                true => shares.right_phase,
                false => shares.wrong_phase,
            });
        }
        if seen_by
            .as_ref()
            .is_some_and(|of| !cause.seen_by.contains(of))
        {
            self.fixed[index] += f64::from(shares.wrong_end);
        }
    }

    /// Whether it is a row, and no text or case of our own.
    pub(super) fn is_working(&self) -> bool {
        self.is_working
    }

    pub(super) fn turn(&self, turns: u64) -> u64 {
        turn(&self.product, turns)
    }

    /// Each weight that counts: the cause, the place of the weight, and how much of it.
    pub(super) fn terms(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        self.terms.iter().map(|of| (of.cause, of.weight, of.part))
    }

    /// What a cause weighs; whole weights are cut as revoir cuts them.
    fn weight(&self, cause: usize, values: &[f64]) -> f64 {
        let terms = self.terms.iter().filter(|term| term.cause == cause);
        let sum: f64 = terms
            .map(|term| (values[term.weight].round() * term.part).trunc())
            .sum();
        self.fixed[cause] + sum
    }

    /// What would be said with these weights. A cause that nothing speaks for is not named.
    pub(super) fn verdict(&self, weights: &Weights) -> Verdict {
        let none = weights.causes.len();
        let all: Vec<f64> = (0..=none)
            .map(|cause| self.weight(cause, &weights.values))
            .collect();
        let top = all.iter().copied().fold(f64::MIN, f64::max);
        let shares = shares(&all, top, weights);
        let speaks = |cause: &usize| {
            let terms = self.terms.iter().filter(|term| term.cause == *cause);
            let prior = weights.place(*cause, Of::Prior);
            let mut signs = terms.filter(|term| Some(term.weight) != prior);
            let phase = f64::from(weights.shares.right_phase);
            let in_phase = self.fixed[*cause] >= phase;
            in_phase
                || signs.any(|term| (weights.values[term.weight].round() * term.part).trunc() > 0.0)
        };
        let decided = (0..none).any(|cause| speaks(&cause));
        let is_named = |cause: &usize| {
            if decided {
                speaks(cause)
            } else {
                self.has_code && self.fixed[*cause] >= 0.0
            }
        };
        let mut named: Vec<usize> = (0..none).filter(is_named).collect();
        named.sort_by(|one, other| all[*other].total_cmp(&all[*one]));
        let mut named: Vec<(String, u8)> = named
            .into_iter()
            .map(|cause| (weights.causes[cause].id.clone(), shares[cause]))
            .collect();
        let of_none = shares[none];
        let first = named.first().map_or(0, |(_, share)| *share);
        let place = match first == 0 || first < of_none || !self.says_something {
            true => 0,
            false => named
                .iter()
                .position(|(_, share)| *share < of_none)
                .unwrap_or(named.len()),
        };
        named.insert(place, (NOT_IN_CATALOGUE.to_owned(), of_none));
        Verdict {
            named,
            has_share: true,
            failed: false,
        }
    }
}

/// As `Total` of `catalog/diagnosis/shares.rs`, of evidence that somebody tells.
fn shares(all: &[f64], top: f64, weights: &Weights) -> Vec<u8> {
    let shares = &weights.shares;
    let parts = |per_cent: i32| -> Vec<f64> {
        let part = |weight: &f64| {
            let below = ((top - weight) * f64::from(per_cent) / 100.0).trunc();
            10_f64.powf(-below / 10.0)
        };
        let parts: Vec<f64> = all.iter().map(part).collect();
        let sum: f64 = parts.iter().sum();
        parts.into_iter().map(|part| part / sum).collect()
    };
    let doubt = shares.doubt as f64;
    let (believed, doubted) = (parts(shares.believed), parts(shares.believed_in_doubt));
    let pairs = believed.iter().zip(&doubted);
    pairs
        .map(|(believed, doubted)| (believed * (100.0 - doubt) + doubted * doubt) as u8)
        .collect()
}

/// In which turn a row is left out, which its product decides.
pub(super) fn turn_of(row: &Row, turns: u64) -> u64 {
    turn(&row.product_name(), turns)
}

fn turn(product: &str, turns: u64) -> u64 {
    // FNV-1a, as in `row`, but of other bits: all products here are of one half.
    let hash = product
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    (hash >> 40) % turns
}

//! [`Example`]: a row as what counts for each cause, and [`Answer`]: what revoir reads from it.

use std::path::Path;

use anyhow::{Context, ensure};
use revoir_codes::CloseCode;
use revoir_codes::catalog::causes::{CauseFacts, Witness};
use revoir_codes::catalog::diagnosis::{
    Contradiction, Diagnosis, Evidence, Observed, ReadFrom, Sign, Unrecognised, diagnose,
};
use serde::Deserialize;

use super::weights::{Of, Weights};
use crate::corpus::row::Row;
use crate::corpus::verdict::{Verdict, ask};
use crate::data::code_range;
use crate::fnv;

/// What revoir reads from a row, as `--json` has it, and what it says of it.
pub(super) struct Answer {
    read: Diagnosis,
    weights: Vec<WeighedCause>,
    verdict: Verdict,
}

#[derive(Deserialize)]
struct SaidCauses {
    causes: Vec<WeighedCause>,
    signs: Vec<SaidSign>,
    read: Read,
    unrecognised: Vec<SaidLine>,
    contradictions: Vec<String>,
}

#[derive(Deserialize)]
struct WeighedCause {
    id: String,
    weight: i32,
}

#[derive(Deserialize)]
struct SaidSign {
    sign: String,
    basis: String,
}

#[derive(Deserialize)]
struct SaidLine {
    line: String,
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
        let place = || format!("what is read of {}", row.id);
        let said: SaidCauses = serde_json::from_slice(&output.stdout).with_context(place)?;
        Ok(Some(Self {
            read: said.diagnosis().with_context(place)?,
            weights: said.causes,
            verdict: Verdict::read(&output.stdout).with_context(place)?,
        }))
    }
}

impl SaidCauses {
    fn diagnosis(&self) -> anyhow::Result<Diagnosis> {
        let mut read = diagnose(&Evidence::new());
        read.code = self.read.code.map(CloseCode::new);
        read.opened = self.read.opened;
        if let Some(id) = &self.read.seen_by {
            let all = [Witness::Browser, Witness::Client, Witness::Server];
            read.witness = Some(by_id(&all, Witness::id, id)?);
        }
        for said in &self.signs {
            let all = [ReadFrom::Loose, ReadFrom::Ruled, ReadFrom::Seen];
            read.signs.push(Observed {
                sign: by_id(Sign::ALL, Sign::id, &said.sign)?,
                value: String::new(),
                basis: by_id(&all, ReadFrom::id, &said.basis)?,
            });
        }
        for id in &self.contradictions {
            read.contradictions
                .push(by_id(Contradiction::ALL, Contradiction::id, id)?);
        }
        let lines = self.unrecognised.iter().map(|of| Unrecognised {
            line: of.line.clone(),
            nearest: Vec::new(),
        });
        read.unrecognised = lines.collect();
        Ok(read)
    }
}

fn by_id<T: Copy>(all: &[T], id: fn(T) -> &'static str, wanted: &str) -> anyhow::Result<T> {
    let found = all.iter().copied().find(|of| id(*of) == wanted);
    found.with_context(|| format!("revoir knows no `{wanted}`"))
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
    read: Diagnosis,
    /// What no weight changes.
    pub(super) fixed: Vec<f64>,
    terms: Vec<Term>,
    pub(super) right: Vec<bool>,
    pub(super) counts: f64,
}

impl Example {
    /// Fails if the weights do not add up to what revoir says, or the verdict is not its own: then this
    /// is another model than its.
    pub(super) fn new(
        row: &Row,
        answer: Answer,
        weights: &Weights,
        in_revoir: &'static [CauseFacts],
        counts: f64,
    ) -> anyhow::Result<Self> {
        let causes = weights.causes.len();
        let mut example = Self {
            product: row.product_name(),
            is_working: !row.address.is_empty(),
            read: answer.read,
            fixed: vec![0.0; causes + 1],
            terms: Vec::new(),
            right: vec![false; causes + 1],
            counts,
        };
        example.fixed[causes] = example.none_known(weights);
        for cause in 0..causes {
            example.weigh(cause, weights);
        }
        for id in &row.expected {
            example.right[weights.place_of_cause(id)?] = true;
        }
        for ranked in &answer.weights {
            let own = example.weight(weights.place_of_cause(&ranked.id)?, &weights.values);
            ensure!(
                (own.round() - f64::from(ranked.weight)).abs() < 0.5,
                "{}: {} weighs {} there and {own} here",
                row.id,
                ranked.id,
                ranked.weight
            );
        }
        let (own, said) = (example.verdict(in_revoir), answer.verdict);
        ensure!(
            own == said,
            "{}: it says {said:?} there and {own:?} here",
            row.id
        );
        Ok(example)
    }

    /// What speaks for none of the causes.
    fn none_known(&self, weights: &Weights) -> f64 {
        let shares = &weights.shares;
        let if_any = |any: bool, weight: i32| if any { weight } else { 0 };
        let none = shares.none_known
            + if_any(!self.read.unrecognised.is_empty(), shares.not_recognised)
            + if_any(!self.read.contradictions.is_empty(), shares.contradicted);
        none.into()
    }

    /// Which weights count for a cause, as revoir adds them up.
    fn weigh(&mut self, index: usize, weights: &Weights) {
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
        for seen in &self.read.signs {
            let tenths = match seen.basis {
                ReadFrom::Loose => shares.loose,
                ReadFrom::Ruled => shares.ruled,
                ReadFrom::Seen => shares.seen,
            };
            add(
                Of::Sign(seen.sign.id().to_owned()),
                f64::from(tenths) / 10.0,
            );
        }
        let (code, opened) = (self.read.code.map(CloseCode::get), self.read.opened);
        if let Some(code) = code.filter(|_| opened != Some(false)) {
            let has = |range: &&String| {
                code_range(range).is_some_and(|(first, last)| (first..=last).contains(&code))
            };
            match cause.codes.keys().find(has) {
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
        let end = self.read.witness.map(Witness::id);
        if end.is_some_and(|end| !cause.seen_by.iter().any(|of| of == end)) {
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

    /// What revoir would say with the weights of these causes.
    pub(super) fn verdict(&self, causes: &'static [CauseFacts]) -> Verdict {
        let diagnosis = self.read.clone().ranked_among(causes);
        let named = diagnosis.ranked.iter();
        Verdict::new(
            named.map(|of| (of.cause.id.to_owned(), of.share)).collect(),
            Some(diagnosis.none_known),
            diagnosis.likeliest().is_some(),
        )
    }
}

/// In which turn a row is left out, which its product decides.
pub(super) fn turn_of(row: &Row, turns: u64) -> u64 {
    turn(&row.product_name(), turns)
}

fn turn(product: &str, turns: u64) -> u64 {
    // Of other bits than the half: all products here are of one.
    (fnv::hash(product.bytes()) >> 40) % turns
}

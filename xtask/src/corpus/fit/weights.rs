//! [`Weights`]: what causes.toml and shares.toml say.

use std::collections::HashMap;
use std::fmt;

use anyhow::ensure;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::causes::{self, Codes};
use revoir_codes::catalog::diagnosis::Sign;

use crate::corpus::row::NOT_IN_CATALOGUE;
use crate::data::{CauseFacts, Data, Shares, code_range};

/// What a weight is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// How common the cause is.
    Prior,
    /// A sign.
    Sign(String),
    /// A code or a range of codes, as causes.toml has it.
    Codes(String),
}

/// Every weight, with the causes that have them.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    pub(super) causes: Vec<CauseFacts>,
    pub(super) shares: Shares,
    /// In decibans; as long as they are climbed, not whole.
    pub(super) values: Vec<f64>,
    places: HashMap<(usize, Of), usize>,
    keys: Vec<(usize, Of)>,
}

/// A weight that would be another one.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) cause: String,
    pub(super) of: Of,
    pub(super) from: i16,
    pub(super) to: i16,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = match &self.of {
            Of::Prior => "prior",
            Of::Sign(of) | Of::Codes(of) => of,
        };
        write!(f, "{}: {of} {} -> {}", self.cause, self.from, self.to)
    }
}

impl Weights {
    pub(super) fn read() -> anyhow::Result<Self> {
        let data = Data::read(&crate::root().join("crates/revoir-codes/data"))?;
        let mut weights = Self {
            causes: data.causes,
            shares: data.diagnosis.shares,
            values: Vec::new(),
            places: HashMap::new(),
            keys: Vec::new(),
        };
        for index in 0..weights.causes.len() {
            let cause = weights.causes[index].clone();
            weights.add(index, Of::Prior, cause.prior);
            for (sign, weight) in cause.signs {
                weights.add(index, Of::Sign(sign), weight);
            }
            for (codes, weight) in cause.codes {
                weights.add(index, Of::Codes(codes), weight);
            }
        }
        Ok(weights)
    }

    fn add(&mut self, cause: usize, of: Of, value: i16) {
        self.places.insert((cause, of.clone()), self.values.len());
        self.keys.push((cause, of));
        self.values.push(value.into());
    }

    /// Where the weight of something is.
    pub(super) fn place(&self, cause: usize, of: Of) -> Option<usize> {
        self.places.get(&(cause, of)).copied()
    }

    /// The place of a cause in the catalogue; behind the last that of none of them.
    pub(super) fn place_of_cause(&self, id: &str) -> anyhow::Result<usize> {
        let place = self.causes.iter().position(|cause| cause.id == id);
        ensure!(place.is_some() || id == NOT_IN_CATALOGUE, "no cause `{id}`");
        Ok(place.unwrap_or(self.causes.len()))
    }

    /// The causes of revoir with these weights, as whole decibans. They stay in memory: a fit asks for
    /// seven of them.
    pub(super) fn in_revoir(&self) -> &'static [causes::CauseFacts] {
        let all = causes::all_causes(Locale::english()).enumerate();
        let all: Vec<causes::CauseFacts> = all
            .map(|(index, (cause, _))| self.cause_in_revoir(index, cause))
            .collect();
        all.leak()
    }

    fn cause_in_revoir(&self, index: usize, cause: &causes::CauseFacts) -> causes::CauseFacts {
        let own = &self.causes[index];
        let value = |of: Of, before: i16| {
            let place = self.place(index, of);
            place.map_or(before, |place| self.values[place].round() as i16)
        };
        let sign =
            |(sign, before): &(Sign, i16)| (*sign, value(Of::Sign(sign.id().to_owned()), *before));
        let codes = |codes: &Codes| {
            let bounds = Some((codes.first, codes.last));
            let key = own.codes.keys().find(|key| code_range(key) == bounds);
            let weight = key.map(|key| value(Of::Codes(key.clone()), codes.weight));
            Codes {
                weight: weight.unwrap_or(codes.weight),
                ..*codes
            }
        };
        let mut fitted = cause.clone();
        fitted.prior = value(Of::Prior, cause.prior);
        fitted.signs = cause.signs.iter().map(sign).collect::<Vec<_>>().leak();
        fitted.codes = cause.codes.iter().map(codes).collect::<Vec<_>>().leak();
        fitted
    }

    /// The weights of `fitted` that are others, as whole decibans.
    pub(super) fn changes(&self, fitted: &Self) -> Vec<Change> {
        let pairs = self.values.iter().zip(&fitted.values).zip(&self.keys);
        let whole = |value: &f64| value.round() as i16;
        pairs
            .filter(|((from, to), _)| whole(from) != whole(to))
            .map(|((from, to), (cause, of))| Change {
                cause: self.causes[*cause].id.clone(),
                of: of.clone(),
                from: whole(from),
                to: whole(to),
            })
            .collect()
    }
}

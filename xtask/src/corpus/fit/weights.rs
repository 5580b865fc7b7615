//! [`Weights`]: what causes.toml and shares.toml say.

use std::collections::HashMap;
use std::fmt;

use crate::data::{CauseFacts, Data, Shares};

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

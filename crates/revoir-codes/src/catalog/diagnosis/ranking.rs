//! From signs to causes: every cause is weighed, and the weights are compared.
//!
//! Weights are decibans, ten times the logarithm of a likelihood ratio: a sign of weight 10 is ten
//! times as likely if the cause is the right one, one of weight 20 a hundred times. The weights of
//! independent signs add up, on top of how common the cause is to begin with.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::evidence::Observed;
use super::shares::Total;
use crate::catalog::causes::{CauseFacts, Phase, Witness};
use crate::code::CloseCode;
use crate::generated::diagnosis::SHARES;
use crate::generated::signs::Sign;

/// A cause, with what speaks for and against it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ranked {
    /// The cause.
    pub cause: &'static CauseFacts,
    /// Its weight in decibans: how common it is, and everything below added up.
    pub weight: i32,
    /// Its share among all causes, in per cent, if the weights are taken for probabilities.
    pub share: u8,
    /// The share in words.
    pub confidence: Confidence,
    /// The signs for it, heaviest first.
    pub supporting: Vec<Weighed>,
    /// The signs against it, heaviest first.
    pub contradicting: Vec<Weighed>,
}

/// A sign with what it weighs for one cause, in decibans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The sign.
    pub observed: Observed,
    /// Positive for the cause, negative against it.
    pub weight: i16,
}

/// How sure it is that a cause is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Hardly: below 10 %.
    Unlikely,
    /// One of several: from 10 %.
    Possible,
    /// More likely than all others together: from 60 %.
    Probable,
    /// From 95 %.
    AlmostCertain,
}

impl Confidence {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Unlikely => "unlikely",
            Self::Possible => "possible",
            Self::Probable => "probable",
            Self::AlmostCertain => "almost-certain",
        }
    }

    pub(super) const fn of(share: u8) -> Self {
        match share {
            0..10 => Self::Unlikely,
            10..60 => Self::Possible,
            60..95 => Self::Probable,
            _ => Self::AlmostCertain,
        }
    }
}

/// What a ranking stands on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grounds<'a> {
    pub(super) signs: &'a [Observed],
    pub(super) code: Option<CloseCode>,
    pub(super) opened: Option<bool>,
    pub(super) witness: Option<Witness>,
    /// Whether nothing is known of a text.
    pub(super) is_unrecognised: bool,
    /// Whether what was told cannot be true together.
    pub(super) is_contradictory: bool,
    /// Whether somebody tells it, and this program did not look itself.
    pub(super) is_told: bool,
}

/// The causes that anything speaks for, and those so common that they are likely all the same; most likely
/// first. If nothing speaks for any, those that the code does not exclude. The order of equals is that of the causes in the life of a connection. With
/// them the share, in per cent, that it is none of them.
pub(super) fn rank(grounds: &Grounds<'_>, causes: &'static [CauseFacts]) -> (Vec<Ranked>, u8) {
    let all: Vec<Ranked> = causes.iter().map(|cause| weigh(cause, grounds)).collect();
    let none = none_known(grounds);
    let top = all.iter().map(|ranked| ranked.weight).max().unwrap_or(0);
    let top = top.max(none);
    let below = |ranked: &Ranked| top - ranked.weight;
    let total = Total::new(all.iter().map(below).chain([top - none]), grounds.is_told);
    let none = total.share(top - none);
    let decided = all.iter().any(|ranked| !ranked.supporting.is_empty());
    let is_named = |ranked: &Ranked| {
        let unopposed = ranked.contradicting.is_empty();
        let speaks = match decided {
            true => !ranked.supporting.is_empty(),
            false => grounds.code.is_some() && unopposed,
        };
        speaks || decided && unopposed && ranked.share >= SHARES.named_from
    };
    let mut found: Vec<Ranked> = all
        .into_iter()
        .map(|ranked| {
            let share = total.share(top - ranked.weight);
            Ranked {
                share,
                confidence: Confidence::of(share),
                ..ranked
            }
        })
        .filter(is_named)
        .collect();
    found.sort_by_key(|ranked| -ranked.weight);
    (found, none)
}

/// What speaks for a cause that nobody here has written down.
fn none_known(grounds: &Grounds<'_>) -> i32 {
    let mut weight = SHARES.none_known;
    if grounds.is_unrecognised {
        weight += SHARES.not_recognised;
    }
    if grounds.is_contradictory {
        weight += SHARES.contradicted;
    }
    weight
}

/// One cause: how common it is, and what speaks for and against it.
fn weigh(cause: &'static CauseFacts, grounds: &Grounds<'_>) -> Ranked {
    let mut all: Vec<Weighed> = grounds
        .signs
        .iter()
        .filter_map(|observed| {
            let weight = cause.weight_of(observed.sign)?;
            let weight = weight * observed.basis.tenths() / 10;
            Some(Weighed {
                observed: observed.clone(),
                weight,
            })
        })
        .collect();
    all.extend(phase(cause, grounds));
    all.extend(code(cause, grounds));
    all.extend(end(cause, grounds));
    all.sort_by_key(|weighed| -i32::from(weighed.weight.abs()));
    let sum: i32 = all.iter().map(|weighed| i32::from(weighed.weight)).sum();
    let (supporting, contradicting) = all.into_iter().partition(|weighed| weighed.weight > 0);
    Ranked {
        cause,
        weight: i32::from(cause.prior) + sum,
        share: 0,
        confidence: Confidence::Unlikely,
        supporting,
        contradicting,
    }
}

/// Whether the connection had opened, against the phase in which the cause strikes.
fn phase(cause: &CauseFacts, grounds: &Grounds<'_>) -> Option<Weighed> {
    let opened = grounds.opened.filter(|_| !cause.any_phase)?;
    let strikes_open = matches!(cause.phase, Phase::Open | Phase::Closing);
    let sign = if opened {
        Sign::Opened
    } else {
        Sign::NeverOpened
    };
    let weight = if opened == strikes_open {
        SHARES.right_phase
    } else {
        SHARES.wrong_phase
    };
    Some(weighed(sign, String::new(), weight))
}

/// The code that was seen, against the codes that the cause produces.
fn code(cause: &CauseFacts, grounds: &Grounds<'_>) -> Option<Weighed> {
    // Libraries give a code of their own to what never opened.
    let code = grounds.code.filter(|_| grounds.opened != Some(false))?;
    let known = cause.codes.iter().find(|codes| codes.contains(code));
    let (sign, weight) = match known.map(|codes| codes.weight) {
        Some(0) => return None,
        Some(weight) => (Sign::CodeFits, weight),
        None => (Sign::CodeUnlike, SHARES.wrong_code),
    };
    Some(weighed(sign, code.get().to_string(), weight))
}

/// Who reports it, against who can see it.
fn end(cause: &CauseFacts, grounds: &Grounds<'_>) -> Option<Weighed> {
    let witness = grounds.witness?;
    let unlike = !cause.seen_by.contains(&witness);
    unlike.then(|| weighed(Sign::Elsewhere, String::new(), SHARES.wrong_end))
}

fn weighed(sign: Sign, value: String, weight: i16) -> Weighed {
    Weighed {
        observed: Observed::seen(sign, value),
        weight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_words() {
        assert_eq!(Confidence::of(100), Confidence::AlmostCertain);
        assert_eq!(Confidence::of(94), Confidence::Probable);
        assert_eq!(Confidence::of(59), Confidence::Possible);
        assert_eq!(Confidence::of(9), Confidence::Unlikely);
    }
}

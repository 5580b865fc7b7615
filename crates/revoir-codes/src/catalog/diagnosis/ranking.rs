//! From signs to causes: every cause is weighed, and the weights are compared.
//!
//! Weights are decibans, ten times the logarithm of a likelihood ratio: a sign of weight 10 is ten
//! times as likely if the cause is the right one, one of weight 20 a hundred times. The weights of
//! independent signs add up, on top of how common the cause is to begin with.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::evidence::Observed;
use super::reading::Reading;
use crate::catalog::causes::{CauseFacts, Phase};
use crate::generated::catalog::CAUSES;
use crate::generated::signs::Sign;

/// The phase of a connection that opened excludes the causes of the others, but for mistakes of
/// whoever reports it.
const WRONG_PHASE: i16 = -30;
/// The right phase is no more than consistent.
const RIGHT_PHASE: i16 = 3;
/// A code that this cause does not produce.
const WRONG_CODE: i16 = -12;
/// An end at which this cause is not seen as this code.
const WRONG_END: i16 = -10;

/// How common endings are that have none of the causes here.
const NONE_KNOWN: i32 = 8;
/// A text of which nothing is known is one more reason for such a cause.
const NOT_RECOGNISED: i32 = 6;
/// If two things that were told cannot both be true, little follows from either.
const CONTRADICTED: i32 = 12;

/// How much, in per cent, of what somebody tells means something else than it says: a server's 500 for a
/// subprotocol, a wrong accept key for a redirect. What revoir saw itself does not.
const DOUBT: u64 = 3;

/// How much a sign weighs, in tenths, that a rule read from words: texts that nobody here has seen are
/// misread at times. Messages on record are not.
const RULED: i16 = 7;
/// The same of one that loose words stand for.
const LOOSE: i16 = 5;

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

/// The causes that anything speaks for, most likely first; if nothing speaks for any, those that the
/// code does not exclude. The order of equals is that of the causes in the life of a connection. With
/// them the share, in per cent, that it is none of them.
pub(super) fn rank(reading: &Reading) -> (Vec<Ranked>, u8) {
    let all: Vec<Ranked> = CAUSES.iter().map(|cause| weigh(cause, reading)).collect();
    let none = none_known(reading);
    let top = all.iter().map(|ranked| ranked.weight).max().unwrap_or(0);
    let top = top.max(none);
    let below = |ranked: &Ranked| top - ranked.weight;
    let shares = Shares::new(all.iter().map(below).chain([top - none]), reading.is_told);
    let none = shares.of(top - none);
    let decided = all.iter().any(|ranked| !ranked.supporting.is_empty());
    let speaks = |ranked: &Ranked| match decided {
        true => !ranked.supporting.is_empty(),
        false => reading.code.is_some() && ranked.contradicting.is_empty(),
    };
    let mut found: Vec<Ranked> = all
        .into_iter()
        .filter(speaks)
        .map(|ranked| {
            let share = shares.of(top - ranked.weight);
            Ranked {
                share,
                confidence: Confidence::of(share),
                ..ranked
            }
        })
        .collect();
    found.sort_by_key(|ranked| -ranked.weight);
    (found, none)
}

/// What speaks for a cause that nobody here has written down.
fn none_known(reading: &Reading) -> i32 {
    let mut weight = NONE_KNOWN;
    if !reading.unrecognised.is_empty() {
        weight += NOT_RECOGNISED;
    }
    if !reading.contradictions.is_empty() {
        weight += CONTRADICTED;
    }
    weight
}

/// What each is worth of everything together.
struct Shares {
    total: u64,
    /// The same of little belief; 0 where nothing is doubted.
    doubted: u64,
}

impl Shares {
    /// `below` has how much less than the first each weighs.
    fn new(below: impl Iterator<Item = i32>, is_told: bool) -> Self {
        let (mut total, mut doubted) = (0, 0);
        for below in below {
            total += odds(below);
            doubted += if is_told { doubtful(below) } else { 0 };
        }
        Self { total, doubted }
    }

    /// The share in per cent.
    fn of(&self, below: i32) -> u8 {
        let doubt = if self.doubted == 0 { 0 } else { DOUBT };
        // In hundredths of a per cent.
        let believed = odds(below) * (100 - doubt) * 100 / self.total.max(1);
        let doubted = doubtful(below) * doubt * 100 / self.doubted.max(1);
        u8::try_from((believed + doubted) / 100).unwrap_or(100)
    }
}

/// One cause: how common it is, and what speaks for and against it.
fn weigh(cause: &'static CauseFacts, reading: &Reading) -> Ranked {
    let mut all: Vec<Weighed> = reading
        .signs
        .iter()
        .filter_map(|observed| {
            let weight = cause.weight_of(observed.sign)?;
            let weight = weight * believed(reading, observed.sign) / 10;
            Some(Weighed {
                observed: observed.clone(),
                weight,
            })
        })
        .collect();
    all.extend(phase(cause, reading));
    all.extend(code(cause, reading));
    all.extend(end(cause, reading));
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

/// How much a sign is believed, in tenths.
fn believed(reading: &Reading, sign: Sign) -> i16 {
    if reading.loose.contains(&sign) {
        LOOSE
    } else if reading.ruled.contains(&sign) {
        RULED
    } else {
        10
    }
}

/// Whether the connection had opened, against the phase in which the cause strikes.
fn phase(cause: &CauseFacts, reading: &Reading) -> Option<Weighed> {
    let opened = reading.opened.filter(|_| !cause.any_phase)?;
    let strikes_open = matches!(cause.phase, Phase::Open | Phase::Closing);
    let sign = if opened {
        Sign::Opened
    } else {
        Sign::NeverOpened
    };
    let weight = if opened == strikes_open {
        RIGHT_PHASE
    } else {
        WRONG_PHASE
    };
    Some(weighed(sign, String::new(), weight))
}

/// The code that was seen, against the codes that the cause produces.
fn code(cause: &CauseFacts, reading: &Reading) -> Option<Weighed> {
    // Libraries give a code of their own to what never opened.
    let code = reading.code.filter(|_| reading.opened != Some(false))?;
    let known = cause.codes.iter().find(|codes| codes.contains(code));
    let (sign, weight) = match known.map(|codes| codes.weight) {
        Some(0) => return None,
        Some(weight) => (Sign::CodeFits, weight),
        None => (Sign::CodeUnlike, WRONG_CODE),
    };
    Some(weighed(sign, code.get().to_string(), weight))
}

/// Who reports it, against who can see it.
fn end(cause: &CauseFacts, reading: &Reading) -> Option<Weighed> {
    let witness = reading.witness?;
    let unlike = !cause.seen_by.contains(&witness);
    unlike.then(|| weighed(Sign::Elsewhere, String::new(), WRONG_END))
}

fn weighed(sign: Sign, value: String, weight: i16) -> Weighed {
    Weighed {
        observed: Observed { sign, value },
        weight,
    }
}

/// What is left of a million after so many decibans of evidence. Signs depend on one another and are
/// misread, so that two thirds of what they add up to is believed: with more, verdicts on strangers'
/// cases were surer than they were right.
fn odds(decibans: i32) -> u64 {
    powers(decibans * 2 / 3)
}

/// The same where what was told means something else than it says.
fn doubtful(decibans: i32) -> u64 {
    powers(decibans / 4)
}

/// What is left of a million after so many decibans.
fn powers(decibans: i32) -> u64 {
    // 10^6 / 10^(d/10) for d from 0 to 9.
    const DECADE: [u64; 10] = [
        1_000_000, 794_328, 630_957, 501_187, 398_107, 316_228, 251_189, 199_526, 158_489, 125_893,
    ];
    let decibans = decibans.unsigned_abs();
    let within = DECADE[(decibans % 10) as usize];
    within / 10_u64.saturating_pow(decibans / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_decibans_are_a_factor_of_ten() {
        assert_eq!(powers(0), 1_000_000);
        assert_eq!(powers(10), 100_000);
        assert_eq!(powers(13), 50_118);
        assert_eq!(powers(400), 0);
        assert_eq!(odds(30), 10_000);
    }

    #[test]
    fn shares_have_words() {
        assert_eq!(Confidence::of(100), Confidence::AlmostCertain);
        assert_eq!(Confidence::of(94), Confidence::Probable);
        assert_eq!(Confidence::of(59), Confidence::Possible);
        assert_eq!(Confidence::of(9), Confidence::Unlikely);
    }
}

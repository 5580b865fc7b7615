//! From weights to shares, and the numbers by which it is done (`data/shares.toml`).

use crate::generated::diagnosis::SHARES;

/// The numbers by which signs become weights, and weights shares. Weights are decibans.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Shares {
    /// How much of the weight of a sign counts that loose words stand for, in tenths.
    pub loose: i16,
    /// The same of one that a rule read.
    pub ruled: i16,
    /// The same of one that was seen.
    pub seen: i16,
    /// What the wrong phase of a connection weighs.
    pub wrong_phase: i16,
    /// What the right one does.
    pub right_phase: i16,
    /// What a code weighs that the cause does not produce.
    pub wrong_code: i16,
    /// What it weighs that a cause is not seen at this end.
    pub wrong_end: i16,
    /// How common it is that none of the causes known fits.
    pub none_known: i32,
    /// What a text adds to that of which nothing is known.
    pub not_recognised: i32,
    /// What two things add that cannot both be true.
    pub contradicted: i32,
    /// How much of what the weights add up to is believed, in per cent.
    pub believed: i32,
    /// How much of what is told means something else than it says, in per cent.
    pub doubt: u64,
    /// How much of the weights is believed then, in per cent.
    pub believed_in_doubt: i32,
    /// From this share on, in per cent, a cause is named that nothing speaks for or against.
    pub named_from: u8,
}

impl Shares {
    /// The numbers that are in use.
    #[must_use]
    pub const fn get() -> Self {
        SHARES
    }
}

/// What each is worth of everything together.
pub(super) struct Total {
    all: u64,
    /// The same of little belief; 0 where nothing is doubted.
    doubted: u64,
}

impl Total {
    /// `below` has how much less than the first each weighs.
    pub(super) fn new(below: impl Iterator<Item = i32>, is_told: bool) -> Self {
        let (mut all, mut doubted) = (0, 0);
        for below in below {
            all += odds(below);
            doubted += if is_told { doubtful(below) } else { 0 };
        }
        Self { all, doubted }
    }

    /// The share in per cent.
    pub(super) fn share(&self, below: i32) -> u8 {
        let doubt = if self.doubted == 0 { 0 } else { SHARES.doubt };
        // In hundredths of a per cent.
        let believed = odds(below) * (100 - doubt) * 100 / self.all.max(1);
        let doubted = doubtful(below) * doubt * 100 / self.doubted.max(1);
        u8::try_from((believed + doubted) / 100).unwrap_or(100)
    }
}

/// What is left of a million after so many decibans of evidence.
fn odds(decibans: i32) -> u64 {
    powers(decibans * SHARES.believed / 100)
}

/// The same where what was told means something else than it says.
fn doubtful(decibans: i32) -> u64 {
    powers(decibans * SHARES.believed_in_doubt / 100)
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
    }

    #[test]
    fn what_is_told_is_never_quite_certain() {
        let below = || core::iter::once(0).chain(core::iter::repeat_n(60, 60));
        let told = Total::new(below(), true);
        let seen = Total::new(below(), false);
        assert!(told.share(0) < seen.share(0));
        assert!(told.share(60) >= seen.share(60));
    }
}

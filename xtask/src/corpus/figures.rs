//! [`Figures`]: how often verdicts are right, and how often as sure as they say.

use std::fmt::Write;

use super::row::Row;
use super::verdict::Verdict;

/// From this share on, in per cent, a verdict is a sure one.
const SURE: u8 = 90;

/// The smallest number of verdicts in a bin of the table of reliability.
const LEAST_BIN: usize = 10;

/// Where its bins may end, in per cent.
const EDGES: [u8; 8] = [20, 40, 60, 75, 90, 95, 98, 101];

/// How often verdicts are right.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) rows: usize,
    pub(super) first: usize,
    pub(super) first_three: usize,
    /// Verdicts that none of the causes known fits, and how many of these are right.
    pub(super) none_known: usize,
    pub(super) none_right: usize,
    pub(super) sure: usize,
    pub(super) sure_right: usize,
    /// It did not run.
    pub(super) failed: usize,
    /// The mean of the natural logarithms of what the right answers were given.
    pub(super) log_score: f64,
    pub(super) bins: Vec<Bin>,
}

/// Verdicts that are about as sure as one another.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bin {
    /// In per cent.
    pub(super) from: u8,
    pub(super) below: u8,
    pub(super) count: usize,
    pub(super) right: usize,
    /// The sum of their shares, in per cent.
    sum: usize,
}

impl Bin {
    fn mean(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }
}

impl Figures {
    pub(super) fn of(judged: &[(Row, Verdict)]) -> Self {
        let mut figures = Self {
            rows: judged.len(),
            ..Self::default()
        };
        let mut sum = 0.0;
        for (row, verdict) in judged {
            let rank = verdict.rank(row);
            let right = rank == Some(1);
            figures.first += usize::from(right);
            figures.first_three += usize::from(rank.is_some_and(|rank| rank <= 3));
            figures.failed += usize::from(verdict.failed);
            if verdict.is_none_known() {
                figures.none_known += 1;
                figures.none_right += usize::from(right);
            }
            if verdict.has_share && verdict.share() >= SURE {
                figures.sure += 1;
                figures.sure_right += usize::from(right);
            }
            sum += verdict.log_score(row);
        }
        figures.log_score = sum / judged.len().max(1) as f64;
        figures.bins = bins(judged);
        figures
    }

    pub(super) fn sure_wrong(&self) -> usize {
        self.sure - self.sure_right
    }

    /// For people.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        let mut line = |what: &str, count: usize, of: usize| {
            let _ = writeln!(text, "{what:<34} {}", share(count, of));
        };
        line("right first", self.first, self.rows);
        line("right in the first three", self.first_three, self.rows);
        line("none known, of all", self.none_known, self.rows);
        line("  of these right", self.none_right, self.none_known);
        line("with 90 % or more, of all", self.sure, self.rows);
        line("  of these right", self.sure_right, self.sure);
        line(
            "wrong with 90 % or more, of all",
            self.sure_wrong(),
            self.rows,
        );
        line("not run", self.failed, self.rows);
        let _ = writeln!(
            text,
            "{:<34} {:.3}",
            "log score (nearer to 0 is better)", self.log_score
        );
        text += "\n| stated | verdicts | mean stated | right | interval |\n|---|---|---|---|---|\n";
        for bin in &self.bins {
            let (low, high) = wilson(bin.right, bin.count);
            let _ = writeln!(
                text,
                "| {} to {} % | {} | {:.0} % | {:.0} % | {:.0} to {:.0} % |",
                bin.from,
                (bin.below - 1).min(100),
                bin.count,
                bin.mean(),
                100.0 * bin.right as f64 / bin.count.max(1) as f64,
                100.0 * low,
                100.0 * high
            );
        }
        text
    }
}

/// `12 of 40, 30 % (18 to 45)`.
fn share(count: usize, of: usize) -> String {
    if of == 0 {
        return format!("{count} of 0");
    }
    let (low, high) = wilson(count, of);
    format!(
        "{count} of {of}, {:.1} % ({:.0} to {:.0})",
        100.0 * count as f64 / of as f64,
        100.0 * low,
        100.0 * high
    )
}

/// The Wilson score interval of 95 % for a share.
pub(super) fn wilson(count: usize, of: usize) -> (f64, f64) {
    const Z: f64 = 1.959_964;
    if of == 0 {
        return (0.0, 1.0);
    }
    let n = of as f64;
    let p = count as f64 / n;
    let centre = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (
        ((centre - half) / scale).max(0.0),
        ((centre + half) / scale).min(1.0),
    )
}

/// Verdicts by how sure they are, in bins of ten at least.
fn bins(judged: &[(Row, Verdict)]) -> Vec<Bin> {
    let mut bins: Vec<Bin> = Vec::new();
    let mut from = 0;
    for below in EDGES {
        let mut bin = Bin {
            from,
            below,
            ..Bin::default()
        };
        for (row, verdict) in judged {
            if verdict.has_share && (from..below).contains(&verdict.share()) {
                bin.count += 1;
                bin.right += usize::from(verdict.rank(row) == Some(1));
                bin.sum += usize::from(verdict.share());
            }
        }
        bins.push(bin);
        from = below;
    }
    // A small bin joins the next one, the last one the one before it.
    let mut joined: Vec<Bin> = Vec::new();
    for bin in bins {
        match joined.last_mut() {
            Some(last) if last.count < LEAST_BIN => join(last, &bin),
            _ => joined.push(bin),
        }
    }
    if joined.len() > 1
        && joined.last().is_some_and(|last| last.count < LEAST_BIN)
        && let (Some(last), Some(before)) = (joined.pop(), joined.last_mut())
    {
        join(before, &last);
    }
    joined
}

fn join(bin: &mut Bin, next: &Bin) {
    bin.below = next.below;
    bin.count += next.count;
    bin.right += next.right;
    bin.sum += next.sum;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::row::NOT_IN_CATALOGUE;

    fn judged(named: &[(&str, u8)], expected: &str) -> (Row, Verdict) {
        let row = serde_json::json!({
            "id": "x", "address": "", "product": "p", "argv": ["--code", "1006"],
            "cause_in_words": "", "expected": [expected],
        });
        let named = named.iter().map(|(id, share)| ((*id).to_owned(), *share));
        let verdict = Verdict {
            named: named.collect(),
            has_share: true,
            failed: false,
        };
        (serde_json::from_value(row).unwrap(), verdict)
    }

    #[test]
    fn figures_count_what_their_names_say() {
        let all = [
            judged(&[("a", 95), ("b", 5)], "a"),
            judged(&[("a", 95), ("b", 5)], "b"),
            judged(&[("a", 40), ("b", 30), ("c", 20), ("d", 10)], "d"),
            judged(&[(NOT_IN_CATALOGUE, 60), ("b", 30)], NOT_IN_CATALOGUE),
            judged(&[(NOT_IN_CATALOGUE, 60), ("b", 30)], "b"),
        ];
        let figures = Figures::of(&all);
        assert_eq!((figures.first, figures.first_three), (2, 4));
        assert_eq!((figures.none_known, figures.none_right), (2, 1));
        assert_eq!((figures.sure, figures.sure_wrong()), (2, 1));
        let expected = [0.95_f64, 0.05, 0.1, 0.6, 0.3].map(f64::ln);
        assert!((figures.log_score - expected.iter().sum::<f64>() / 5.0).abs() < 1e-9);
        assert_eq!(figures.bins.len(), 1);
    }

    #[test]
    fn bins_hold_ten_verdicts_or_are_the_only_one() {
        let mut all = vec![judged(&[("a", 97)], "a"); 11];
        all.extend(vec![judged(&[("a", 50)], "b"); 12]);
        all.extend(vec![judged(&[("a", 99)], "a"); 3]);
        let bins = Figures::of(&all).bins;
        let counts: Vec<_> = bins.iter().map(|bin| (bin.count, bin.right)).collect();
        assert_eq!(counts, [(12, 0), (14, 14)]);
    }

    #[test]
    fn the_interval_is_that_of_wilson() {
        let (low, high) = wilson(8, 10);
        assert!((low - 0.490).abs() < 0.001 && (high - 0.943).abs() < 0.001);
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }
}

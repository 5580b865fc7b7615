//! [`Rounds`]: servers beside each other, round by round.

use std::fmt::Write;

use crate::record::Record;
use crate::report::Spread;

/// What was recorded of several servers in several rounds.
#[derive(Clone, Copy, Debug)]
pub struct Rounds<'a>(pub &'a [Record]);

/// A case of a table, with its connections.
#[derive(Clone, Debug)]
pub struct Column {
    /// The case, as it is displayed.
    pub case: String,
    /// Open connections.
    pub connections: usize,
}

impl Rounds<'_> {
    /// Whether anything was recorded of a case.
    #[must_use]
    pub fn has(&self, case: &str) -> bool {
        self.0.iter().any(|record| record.case == case)
    }

    /// A figure of one server.
    pub fn spread(
        &self,
        case: &str,
        stack: &str,
        figure: impl Fn(&Record) -> f64,
    ) -> Option<Spread> {
        Spread::of_figures(self.figures(case, stack, figure))
    }

    /// The CPU of one server over that of another one in the same round.
    #[must_use]
    pub fn over(&self, case: &str, one: &str, other: &str) -> Option<Spread> {
        let costs = |stack| self.figures(case, stack, |record| record.cost);
        let pairs = costs(one).into_iter().zip(costs(other));
        Spread::of_figures(pairs.map(|(one, other)| one / other).collect())
    }

    /// A table with a row for each of `stacks` and four columns for each case: CPU in microseconds,
    /// that over the CPU of `bare`, thousands of messages in a second, and the share of the time on
    /// the processor. `what`: the heading of the rows.
    #[must_use]
    pub fn table(&self, what: &str, stacks: &[&str], cases: &[Column], bare: &str) -> String {
        let mut text = format!("| {what} |");
        for Column { connections, .. } in cases {
            let _ = write!(
                text,
                " CPU, {connections} connections | x bare | rate | busy |"
            );
        }
        let line = "|--:".repeat(4 * cases.len());
        let _ = write!(text, "\n|---{line}|\n");
        for stack in stacks {
            let _ = write!(text, "| {stack} |");
            for Column { case, .. } in cases {
                let cells = self.cells(case, stack, bare);
                text += &cells.unwrap_or_else(|| " | | | |".to_owned());
            }
            text.push('\n');
        }
        text
    }

    fn cells(&self, case: &str, stack: &str, bare: &str) -> Option<String> {
        Some(format!(
            " {} | {} | {} | {:.2} |",
            self.spread(case, stack, |record| record.cost / 1e3)?
                .show(2),
            self.over(case, stack, bare)?.show(2),
            self.spread(case, stack, |record| record.rate / 1e3)?
                .show(0),
            self.spread(case, stack, |record| record.busy)?.median
        ))
    }

    /// A figure of every round, in the order of the rounds.
    fn figures(&self, case: &str, stack: &str, figure: impl Fn(&Record) -> f64) -> Vec<f64> {
        let records = self
            .0
            .iter()
            .filter(|record| record.case == case && record.stack == stack);
        records.map(figure).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_stands_beside_the_bare_one_of_its_round() {
        let record = |stack: &str, cost| Record {
            case: "a case".to_owned(),
            stack: stack.to_owned(),
            cost,
            rate: 1e4,
            busy: 0.5,
        };
        let records = [
            record("bare", 1e3),
            record("ours", 2e3),
            record("bare", 2e3),
            record("ours", 2e3),
        ];
        let case = Column {
            case: "a case".to_owned(),
            connections: 10,
        };
        let table = Rounds(&records).table("server", &["ours", "absent"], &[case], "bare");
        assert_eq!(
            table,
            "| server | CPU, 10 connections | x bare | rate | busy |\n\
             |---|--:|--:|--:|--:|\n\
             | ours | 2.00 (2.00-2.00) | 1.50 (1.00-2.00) | 10 (10-10) | 0.50 |\n\
             | absent | | | | |\n"
        );
    }
}

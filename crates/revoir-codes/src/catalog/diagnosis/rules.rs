//! Rules: what a line says by the words that stand in it, however it is worded.

use super::words::{self, Word};
use crate::catalog::causes::Witness;
use crate::generated::diagnosis::RULES;
use crate::generated::signs::Sign;

/// What a line says if certain words stand in it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Groups of sequences of words; one of each group has to stand in the line.
    pub says: &'static [&'static [&'static str]],
    /// Sequences of which none may stand in it.
    pub but_not: &'static [&'static str],
    /// Whether it looks also where a message on record says something.
    pub always: bool,
    /// Whether it looks only where nothing else says anything of the whole evidence: words that tell
    /// how far a connection came, and not why it ended.
    pub last: bool,
    /// Whether it looks at the words of addresses and paths, at which no other rule looks.
    pub address: bool,
    /// The signs that it is.
    pub signs: &'static [Sign],
    /// Whether it is said of connections that had opened, or of those that never did.
    pub opened: Option<bool>,
    /// At which end it is said.
    pub witness: Option<Witness>,
    /// A line that it reads.
    pub example: &'static str,
}

/// Every rule.
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

/// The rules among those that are wanted that say something of a line.
pub(super) fn reading(
    line: &[Word],
    is_wanted: impl Fn(&Rule) -> bool,
) -> impl Iterator<Item = &'static Rule> {
    let reads = move |rule: &&Rule| is_wanted(rule) && rule.reads(line);
    rules().iter().filter(reads)
}

impl Rule {
    fn reads(&self, line: &[Word]) -> bool {
        let any = |all: &[&str]| all.iter().any(|sequence| words::contains(line, sequence));
        self.says.iter().all(|group| any(group)) && !any(self.but_not)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::catalog::diagnosis::lines;

    #[test]
    fn every_rule_reads_its_example() {
        let silent: Vec<_> = rules()
            .iter()
            .filter(|rule| {
                let words = match rule.address {
                    true => lines::words_of_addresses(rule.example),
                    false => words::words(rule.example),
                };
                !rule.reads(&words)
            })
            .map(|rule| rule.example)
            .collect();
        assert!(silent.is_empty(), "{silent:#?}");
    }
}

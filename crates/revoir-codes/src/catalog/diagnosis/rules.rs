//! Rules: what a line says by the words that stand in it, however it is worded.

use super::lines::Line;
use super::words::{self, Word};
use crate::catalog::causes::Witness;
use crate::generated::diagnosis::RULES;
use crate::generated::signs::Sign;

/// What a line says if certain words stand in it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Groups of sequences of words; one of each group has to stand in the line. `^` before a sequence
    /// is the beginning of the line, `$` behind it the end, `*` behind a word any end of it.
    pub says: &'static [&'static [&'static str]],
    /// Sequences of which none may stand in it.
    pub but_not: &'static [&'static str],
    /// Whether it looks also where a message on record says something.
    pub always: bool,
    /// Whether it looks only where nothing else says anything of the whole evidence: words that tell
    /// how far a connection came, and not why it ended.
    pub last: bool,
    /// Which part of the addresses in a line it looks at; `None` for the line without them.
    pub part: Option<Part>,
    /// The signs that it is.
    pub signs: &'static [Sign],
    /// Whether it is said of connections that had opened, or of those that never did.
    pub opened: Option<bool>,
    /// At which end it is said.
    pub witness: Option<Witness>,
    /// A line that it reads.
    pub example: &'static str,
}

/// A part of a URL, at which a rule looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The name or the address of the host.
    Host,
    /// The path, and the names of the parameters.
    Path,
}

/// Every rule.
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

/// The rules among those that are wanted that say something of a line.
pub(super) fn reading(
    line: &Line<'_>,
    is_wanted: impl Fn(&Rule) -> bool,
) -> impl Iterator<Item = &'static Rule> {
    let reads = move |rule: &&Rule| is_wanted(rule) && rule.reads(line);
    rules().iter().filter(reads)
}

impl Rule {
    fn reads(&self, line: &Line<'_>) -> bool {
        let mut addresses = line.addresses.iter();
        match self.part {
            None => self.says_of(&line.words),
            Some(Part::Host) => addresses.any(|of| self.says_of(&of.host)),
            Some(Part::Path) => addresses.any(|of| self.says_of(&of.path)),
        }
    }

    fn says_of(&self, words: &[Word]) -> bool {
        let any = |all: &[&str]| all.iter().any(|sequence| words::contains(words, sequence));
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
            .filter(|rule| !rule.reads(&lines::line(rule.example)))
            .map(|rule| rule.example)
            .collect();
        assert!(silent.is_empty(), "{silent:#?}");
    }
}

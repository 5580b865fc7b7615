//! The prose about codes and causes, as it stands in the tables of one language.

use crate::generated::keys::Phrases;

/// The reference text of one language.
#[derive(Debug)]
pub(crate) struct Bodies {
    /// In the order of `facts::ENTRIES`.
    pub(crate) entries: &'static [EntryText],
    /// In the order of `catalog::CAUSES`.
    pub(crate) causes: &'static [CauseText],
    /// In the order of `Sign::ALL`.
    pub(crate) signs: &'static [&'static str],
    pub(crate) pairs: &'static [PairText],
    pub(crate) phrases: Phrases,
}

/// The prose about one code, or about the codes of one range.
#[derive(Debug)]
#[non_exhaustive]
pub struct EntryText {
    /// The name as a heading.
    pub title: &'static str,
    /// One line.
    pub short: &'static str,
    /// The description.
    pub meaning: &'static str,
    /// What people commonly get wrong.
    pub trap: &'static str,
    /// What the other side did.
    pub peer: &'static str,
    /// The typical cause, as a phrase.
    pub cause: &'static str,
    /// When to send it.
    pub usage: &'static str,
    /// What a client does next.
    pub next: &'static str,
    /// What a server does next, when its client's connection ended this way.
    pub server_next: &'static str,
    /// When it appears.
    pub(crate) seen: &'static [&'static str],
    /// How to fix it, most useful first.
    pub fix: &'static [&'static str],
    /// What implementations do.
    pub(crate) note: &'static [&'static str],
}

/// The prose about one cause.
#[derive(Debug)]
#[non_exhaustive]
pub struct CauseText {
    /// The cause, as a heading.
    pub title: &'static str,
    /// Signs that tell it from its neighbours.
    pub evidence: &'static [&'static str],
    /// A check that confirms it.
    pub confirm: &'static str,
    /// What to do.
    pub fix: &'static [&'static str],
}

/// What separates two codes, by hand.
#[derive(Debug)]
pub(crate) struct PairText {
    pub(crate) low: u16,
    pub(crate) high: u16,
    pub(crate) intro: &'static str,
}

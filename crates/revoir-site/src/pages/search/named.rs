//! What somebody may have meant who follows an address that leads nowhere.
//!
//! A search shows whatever has something to do with the words. Here that would be noise: an entry has to be called by every
//! word. `assets/matcher.js` does the same for pages that lie in files.

use std::cmp::Reverse;

use revoir_codes::catalog::Locale;
use revoir_codes::catalog::terms::terms;

use super::entries::Entry;
use super::matcher::{BEGINS, Hit, Index, SAME, STEM, closeness, numbers, pair, wanted};

/// Words of an address that say only what kind of page it is.
pub(super) const KINDS: [&str; 15] = [
    "cause",
    "causes",
    "closecode",
    "closecodes",
    "code",
    "codes",
    "compare",
    "error",
    "errors",
    "html",
    "page",
    "range",
    "ranges",
    "search",
    "vs",
];

/// From so many letters on, a word may be the beginning of a name, or have a slip: `env` begins too much, and `docs` is nearly
/// `dns`.
const BEGINNING: usize = 4;
const SLIP: usize = 6;
/// A word may be longer than a name by so many letters: `timeouts`.
const ENDING: usize = 2;

/// What it counts that the path of a page is called so, or its title.
const PATH: u32 = 3;
const TITLED: u32 = 2;

impl Index {
    /// The entries that are called by all of these words, best first. A close code among the words leaves only its pages.
    pub(super) fn named(&self, locale: &Locale, words: &str) -> Vec<Hit> {
        let mut wanted = wanted(words);
        let codes = numbers(&wanted);
        if !codes.is_empty() {
            let own = |entry: &&Entry| codes.iter().any(|code| entry.is_of(*code));
            let entries = self.entries.iter().filter(own).map(Entry::hit);
            return pair(locale, &codes).into_iter().chain(entries).collect();
        }
        if wanted.iter().any(|term| !KINDS.contains(&term.as_str())) {
            wanted.retain(|term| !KINDS.contains(&term.as_str()));
        }
        let scored = self
            .entries
            .iter()
            .map(|entry| (self.calls(entry, &wanted), entry));
        let mut found: Vec<_> = scored.filter(|(score, _)| *score > 0).collect();
        // Stable: of two that fit equally, the first one wins.
        found.sort_by_key(|(score, _)| Reverse(*score));
        let best = found.first().map_or(0, |(score, _)| *score);
        // Less than two thirds was not meant.
        found.retain(|(score, _)| score * 3 >= best * 2);
        found.into_iter().map(|(_, entry)| entry.hit()).collect()
    }

    /// How well an entry is called by these words; 0: one of them is no name of it.
    fn calls(&self, entry: &Entry, wanted: &[String]) -> u32 {
        let path = match entry.anchor {
            None => terms(&entry.address.path()),
            Some(_) => Vec::new(),
        };
        let mut sum = 0;
        for term in wanted {
            let known = self.knows(term);
            let named = entry.fields.names();
            let named = named.filter_map(|(name, is_title)| {
                let times = if is_title { TITLED } else { 1 };
                nearness(term, name, known).map(|close| close * times)
            });
            let placed = path
                .iter()
                .filter_map(|name| nearness(term, name, known).map(|close| close * PATH));
            match named.chain(placed).max() {
                Some(close) => sum += close,
                None => return 0,
            }
        }
        sum
    }
}

/// How close a word is to a name. `None`: at most by chance.
fn nearness(term: &str, name: &str, known: bool) -> Option<u32> {
    let (length, other) = (term.chars().count(), name.chars().count());
    let close = closeness(term, length, name, known)?;
    let is_meant = match close {
        SAME => true,
        BEGINS => length >= BEGINNING,
        STEM => length <= other + ENDING,
        _ => length >= SLIP,
    };
    is_meant.then_some(close)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(tag: &str, words: &str) -> Vec<String> {
        let locale = Locale::find(tag).unwrap();
        let hits = Index::of(locale).named(locale, words).into_iter();
        hits.map(|hit| match hit.anchor {
            Some(anchor) => format!("{}#{anchor}", hit.address.path()),
            None => hit.address.path(),
        })
        .collect()
    }

    #[test]
    fn who_is_called_so_is_meant() {
        for (words, page) in [
            ("cuases", "causes"),
            ("idle timeout", "idle-timeouts"),
            ("abnormal closure", "codes/1006"),
            ("codes going away", "codes/1001"),
            ("ingress nginx", "idle-timeouts#ingress-nginx"),
            ("implementation", "implementations"),
            ("causes tls expired", "causes#tls-expired"),
            ("graphql ws", "products#graphql-ws"),
            ("nginx", "idle-timeouts#nginx"),
        ] {
            let found = pages("en", words);
            assert_eq!(found.first().map(String::as_str), Some(page), "{found:?}");
        }
    }

    #[test]
    fn a_code_leaves_only_its_own_pages() {
        assert_eq!(pages("en", "code 1006"), ["codes/1006"]);
        assert_eq!(pages("fr", "errors 1006 9999"), ["codes/1006"]);
        assert_eq!(
            pages("en", "1006 1012"),
            ["compare/1006-vs-1012", "codes/1006", "codes/1012"]
        );
    }

    #[test]
    fn nothing_is_better_than_noise() {
        for words in [
            "nope",
            "docs",
            "about",
            "wp admin",
            "index php",
            "env",
            "sitemap",
            "privacy",
            "blog how to",
            "xyzzy",
            "",
        ] {
            assert!(
                pages("en", words).is_empty(),
                "{words}: {:?}",
                pages("en", words)
            );
        }
    }
}

//! [`Index`]: which entries fit what somebody typed, best first.
//!
//! `assets/matcher.js` does the same with the same numbers, so that the page finds what the server finds; `cargo xtask js`
//! asks both the same questions.

use std::collections::{BTreeMap, HashMap};

use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::diagnosis::{Evidence, diagnose};
use revoir_codes::catalog::terms::{is_nearly, terms};

use super::entries::{Entry, FIELDS, SIGNS, entries};
use crate::pages::address::{Address, code};

/// As many results as a reader looks at.
pub(crate) const MOST: usize = 12;

/// What a term weighs in each field.
pub(super) const WEIGHTS: [u32; FIELDS] = [100, 80, 40, 50, 20];

/// One of more messages than these weighs less.
const MANY: u32 = 20;

/// What every term counts, however many have it.
const KNOWN: u32 = 3;

/// What a deciban counts by which an entry is more common than others that fit as well.
const COMMON_AS: u32 = 125;

/// How well a term has to fit: the same, its beginning, its stem, or nearly.
pub(super) const SAME: u32 = 8;
pub(super) const BEGINS: u32 = 6;
pub(super) const STEM: u32 = 5;
const NEARLY: u32 = 4;

/// What it counts to be the code whose number was typed, or its range.
const NUMBER: u32 = 30_000;
const RANGE: u32 = 18_000;

/// What it counts to be called by the status or the time that was typed: `403`, `60s`.
const STATUS: u32 = 15_000;
const TIME: u32 = 9_000;

/// With so many terms, a text may be a line of a console or a log.
const LINE: usize = 3;

/// From this share on, in per cent, a cause that `revoir diagnose` reads in a line counts: three quarters of that part of the
/// best score.
const HEARD: u8 = 10;

/// Who scores less than this part of the best is no result.
const LEAST_PART: u32 = 8;

/// No more terms are looked at.
const LONGEST: usize = 48;

/// No more of a text is read as a line, in bytes.
const LONGEST_LINE: usize = 2000;

/// Words that say nothing of what is looked for.
pub(super) const COMMON: [&str; 99] = [
    "a",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "but",
    "by",
    "for",
    "from",
    "has",
    "how",
    "i",
    "in",
    "is",
    "it",
    "its",
    "my",
    "of",
    "on",
    "or",
    "that",
    "the",
    "this",
    "to",
    "was",
    "what",
    "when",
    "why",
    "with",
    "you",
    "le",
    "la",
    "les",
    "de",
    "des",
    "du",
    "et",
    "un",
    "une",
    "do",
    "does",
    "did",
    "can",
    "could",
    "should",
    "would",
    "will",
    "if",
    "we",
    "our",
    "they",
    "there",
    "any",
    "some",
    "so",
    "than",
    "have",
    "had",
    "been",
    "being",
    "get",
    "getting",
    "got",
    "use",
    "used",
    "using",
    "try",
    "trying",
    "help",
    "question",
    "issue",
    "problem",
    "bug",
    "me",
    "am",
    "into",
    "via",
    "im",
    "ve",
    "don",
    "t",
    "s",
    "because",
    "then",
    "which",
    "who",
    "only",
    "also",
    "about",
    "just",
    "like",
    "even",
    "where",
    "make",
    "websocket",
    "socket",
    "sockets",
];

/// Everything that can be found in one language.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) entries: Vec<Entry>,
    /// Where a term stands.
    terms: BTreeMap<String, Vec<Place>>,
}

/// That an entry has a term.
#[derive(Clone, Copy, Debug)]
struct Place {
    entry: usize,
    weight: u32,
}

/// A result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) address: Address,
    /// A place on the page.
    pub(crate) anchor: Option<String>,
    pub(crate) title: String,
    pub(crate) detail: String,
}

impl Index {
    pub(crate) fn of(locale: &'static Locale) -> Self {
        let entries = entries(locale);
        let mut all: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let counts = entry.fields.counts();
            for (term, field) in entry.fields.iter() {
                let place = Place {
                    entry: index,
                    weight: weight(field, counts[field]),
                };
                all.entry(term.to_owned()).or_default().push(place);
            }
        }
        Self {
            entries,
            terms: all,
        }
    }

    /// The entries that fit what somebody typed, best first; [`heard`]: the causes that it tells of.
    pub(crate) fn find(
        &self,
        locale: &Locale,
        typed: &str,
        heard: &[(&'static str, u8)],
    ) -> Vec<Hit> {
        let wanted = wanted(typed);
        let numbers = numbers(&wanted);
        let mut scores = vec![0; self.entries.len()];
        for term in &wanted {
            for (index, fit) in self.fits(term) {
                scores[index] += fit;
            }
        }
        let scores = scores.into_iter().zip(&self.entries);
        let mut found: Vec<(u32, &Entry)> = scores
            .map(|(score, entry)| (score + entry.figures_count(&wanted), entry))
            .collect();
        let best = found.iter().map(|(total, _)| *total).max().unwrap_or(0);
        for (total, entry) in &mut found {
            let share = heard.iter().find(|(cause, _)| entry.cause == Some(cause));
            *total += share.map_or(0, |(_, share)| best * u32::from(*share) * 3 / 400);
            if *total > 0 && !is_word(typed) {
                *total += entry.prior * COMMON_AS;
            }
            *total += entry.number_counts(&numbers);
        }
        found.retain(|(total, _)| *total > 0);
        // Stable: of two that fit equally, the first one wins.
        found.sort_by_key(|(total, _)| std::cmp::Reverse(*total));
        let best = found.first().map_or(0, |(total, _)| *total);
        let fitting = found
            .into_iter()
            .filter(|(total, _)| total * LEAST_PART >= best)
            .map(|(_, entry)| entry.hit());
        pair(locale, &numbers)
            .into_iter()
            .chain(fitting)
            .take(MOST)
            .collect()
    }

    /// Whether something has this very term.
    pub(super) fn knows(&self, term: &str) -> bool {
        self.terms.contains_key(term)
    }

    /// How well a term fits the entries that have it or something like it.
    fn fits(&self, term: &str) -> HashMap<usize, u32> {
        let exact = self.terms.contains_key(term);
        let length = term.chars().count();
        let total = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let mut best: HashMap<usize, u32> = HashMap::new();
        for (known, places) in &self.terms {
            let Some(closeness) = closeness(term, length, known, exact) else {
                continue;
            };
            let often = u32::try_from(places.len()).unwrap_or(u32::MAX);
            // A term that few have says more.
            let rare = KNOWN + ((total * total) / (often * often)).max(1).ilog2();
            for place in places {
                let fit = closeness * place.weight * rare;
                let so_far = best.entry(place.entry).or_default();
                *so_far = fit.max(*so_far);
            }
        }
        best
    }
}

/// What one of so many terms of a field weighs.
fn weight(field: usize, count: u32) -> u32 {
    let whole = WEIGHTS[field];
    if field < SIGNS {
        return whole;
    }
    (whole * whole * MANY / count.max(MANY)).isqrt()
}

/// The terms to look for: each once, and without what says nothing unless there is nothing else.
pub(super) fn wanted(typed: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for term in terms(&without_bounds(&without_ports(typed))) {
        if !all.contains(&term) && all.len() < LONGEST {
            all.push(term);
        }
    }
    if all.iter().any(|term| !COMMON.contains(&term.as_str())) {
        all.retain(|term| !COMMON.contains(&term.as_str()));
    }
    all
}

/// Whether a text is the name of something, such as a setting.
fn is_word(typed: &str) -> bool {
    typed.is_ascii() && !typed.trim().contains(char::is_whitespace)
}

/// Whether a text may be a line of a console or a log.
fn is_line(typed: &str) -> bool {
    typed.len() <= LONGEST_LINE && !is_word(typed) && wanted(typed).len() >= LINE
}

/// The causes that `revoir diagnose` reads in a line of a console or a log, with their shares in per cent.
pub(super) fn heard(typed: &str) -> Vec<(&'static str, u8)> {
    if !is_line(typed) {
        return Vec::new();
    }
    let mut evidence = Evidence::new();
    evidence.texts.push(typed.to_owned());
    let diagnosis = diagnose(&evidence);
    if diagnosis.signs.is_empty() {
        return Vec::new();
    }
    let shares = diagnosis.ranked.iter().map(|of| (of.cause.id, of.share));
    shares.filter(|(_, share)| *share >= HEARD).collect()
}

/// The text without the ports of addresses, which look like codes.
fn without_ports(typed: &str) -> String {
    let mut out = String::with_capacity(typed.len());
    for part in typed.split_inclusive(':') {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let is_port = digits > 0 && out.strip_suffix(':').is_some_and(ends_with_host);
        if is_port {
            out.pop();
        }
        out.push_str(if is_port { &part[digits..] } else { part });
    }
    out
}

/// The text without the numbers between which a code has to lie, as browsers say.
fn without_bounds(typed: &str) -> String {
    // Of the same length, byte by byte.
    let (mut out, mut lower) = (typed.to_owned(), typed.to_ascii_lowercase());
    for bounds in [
        "1000, or between 3000 and 4999",
        "1000 or between 3000 and 4999",
    ] {
        while let Some(at) = lower.find(bounds) {
            for text in [&mut out, &mut lower] {
                text.replace_range(at..at + bounds.len(), " ");
            }
        }
    }
    out
}

/// Whether a text ends with a host: a name or address with a dot, localhost, or IPv6.
fn ends_with_host(text: &str) -> bool {
    let of_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let name = &text[text.trim_end_matches(of_name).len()..];
    let is_local = name.to_ascii_lowercase().ends_with("localhost");
    name.contains('.') || is_local || text.ends_with(']') || text.ends_with("::1")
}

/// The close codes among the terms.
pub(super) fn numbers(wanted: &[String]) -> Vec<CloseCode> {
    wanted.iter().filter_map(|term| code(term)).collect()
}

/// The comparison of the two codes that were typed.
pub(super) fn pair(locale: &Locale, numbers: &[CloseCode]) -> Option<Hit> {
    let &[a, b] = numbers else { return None };
    (a.name().is_some() && b.name().is_some()).then(|| {
        let (a, b) = (a.min(b), a.max(b));
        Hit {
            address: Address::pair(a, b),
            anchor: None,
            title: format!("{} / {}", a.get(), b.get()),
            detail: locale.labels.compare.to_owned(),
        }
    })
}

/// How close a term is to one that is known. `None`: not at all.
pub(super) fn closeness(term: &str, length: usize, known: &str, exact: bool) -> Option<u32> {
    if term == known {
        return Some(SAME);
    }
    if length >= 3 && known.starts_with(term) {
        return Some(BEGINS);
    }
    let other = known.chars().count();
    if other >= 4 && length <= other + 3 && term.starts_with(known) {
        return Some(STEM);
    }
    (!exact && is_nearly(term, known)).then_some(NEARLY)
}

/// What it counts to be called by this term, if it is a status or a time.
fn figure_counts(term: &str) -> u32 {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match term.strip_suffix('s') {
        Some(seconds) if is_number(seconds) => TIME,
        None if is_number(term) && (200..600).contains(&term.parse().unwrap_or(0)) => STATUS,
        _ => 0,
    }
}

impl Entry {
    pub(super) fn hit(&self) -> Hit {
        Hit {
            address: self.address,
            anchor: self.anchor.clone(),
            title: self.title.clone(),
            detail: self.detail.clone(),
        }
    }

    /// Whether it is that of this code, rather than of a range.
    pub(super) fn is_of(&self, code: CloseCode) -> bool {
        self.numbers == (code.get(), code.get())
    }

    /// What it counts that a status or a time was typed.
    fn figures_count(&self, wanted: &[String]) -> u32 {
        let own = wanted.iter().filter(|term| self.fields.name(term));
        let counts = own.map(|term| match figure_counts(term) {
            // A time is that of a product before it is that of a cause.
            TIME if self.address != Address::IdleTimeouts => 0,
            counts => counts,
        });
        counts.max().unwrap_or(0)
    }

    /// What it counts that these numbers were typed.
    fn number_counts(&self, numbers: &[CloseCode]) -> u32 {
        let (first, last) = self.numbers;
        let inside = |code: &CloseCode| (first..=last).contains(&code.get());
        match numbers.iter().any(inside) {
            true if first == last => NUMBER,
            true => RANGE,
            false => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(tag: &str, typed: &str) -> Vec<String> {
        let locale = Locale::find(tag).unwrap();
        let hits = Index::of(locale).find(locale, typed, &heard(typed));
        hits.into_iter().map(|hit| hit.title).collect()
    }

    #[test]
    fn a_number_finds_its_code_first() {
        assert_eq!(titles("en", "1006")[0], "1006 Abnormal Closure");
        assert!(titles("fr", "code: 1012")[0].starts_with("1012 "));
        assert!(titles("en", "2500")[0].contains(" to 2999: unassigned"));
        assert!(titles("en", "4401")[0].starts_with("4401 "));
    }

    #[test]
    fn a_port_is_no_code() {
        for (typed, expected) in [
            (
                "connect ECONNREFUSED 127.0.0.1:3000",
                "connect ECONNREFUSED 127.0.0.1",
            ),
            (
                "'ws://localhost:1006/a' failed",
                "'ws://localhost/a' failed",
            ),
            ("[fe80::1]:4000 ::1:4001", "[fe80::1] ::1"),
            ("code:1006, close: 1012", "code:1006, close: 1012"),
            ("at 16:05:54 code:1006", "at 16:05:54 code:1006"),
        ] {
            assert_eq!(without_ports(typed), expected);
        }
        assert!(titles("en", "connect ECONNREFUSED 127.0.0.1:3000")[0].contains("refused"));
    }

    #[test]
    fn a_text_that_is_too_long_is_no_line() {
        let line = "WebSocket connection failed: Error during WebSocket handshake: Unexpected response code: 403";
        assert!(!heard(line).is_empty());
        let long = format!("{line}{}", "\na b c".repeat(LONGEST_LINE / 6));
        assert!(heard(&long).is_empty());
    }

    #[test]
    fn the_bounds_of_a_code_are_no_codes_however_often_they_stand_there() {
        let bounds = "either 1000, or between 3000 and 4999. ";
        assert_eq!(without_bounds(&bounds.repeat(2)), "either  . ".repeat(2));
    }

    #[test]
    fn two_numbers_find_their_comparison_first() {
        assert_eq!(titles("en", "1005 vs 1006")[0], "1005 / 1006");
        assert_eq!(titles("en", "1006-1005")[0], "1005 / 1006");
    }

    #[test]
    fn a_name_in_any_case_an_alias_and_a_slip_find_a_code() {
        assert_eq!(titles("en", "Service REST")[0], "1012 Service Restart");
        assert_eq!(titles("en", "try_again_later")[0], "1013 Try Again Later");
        assert_eq!(titles("en", "abnormel closure")[0], "1006 Abnormal Closure");
    }

    #[test]
    fn every_language_finds_a_title_of_every_other() {
        for tag in ["en", "fr", "vi", "zh", "de", "ar"] {
            for typed in ["khoi dong lai", "redemarrage", "重启", "service restart"] {
                let all = titles(tag, typed);
                assert!(
                    all.iter().take(2).any(|title| title.starts_with("1012 ")),
                    "{tag} {typed}: {all:?}"
                );
            }
        }
    }

    #[test]
    fn a_message_from_a_console_finds_the_cause() {
        assert!(titles("en", "ERR_CONNECTION_REFUSED")[0].contains("refused"));
        assert_eq!(titles("en", "proxy_read_timeout")[0], "nginx");
    }

    #[test]
    fn nothing_finds_nothing() {
        assert!(titles("en", "  ").is_empty());
        assert!(titles("en", "xyzzy").is_empty());
    }
}

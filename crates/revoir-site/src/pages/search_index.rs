//! The search: what can be found, and how. `assets/search.js` searches the same entries in the same
//! way, so that the page finds what the server finds.

use revoir_codes::catalog::causes::causes;
use revoir_codes::catalog::intermediaries::intermediaries;
use revoir_codes::catalog::vendor::vendors;
use revoir_codes::catalog::{Locale, explain};
use revoir_codes::{CloseCode, CodeRange};
use serde::Serialize;

use crate::pages::address::{Address, anchor, code};
use crate::pages::frame::Frame;

/// As many results as a reader looks at.
const MOST: usize = 12;

/// Something that can be found.
#[derive(Debug)]
pub(crate) struct SearchEntry {
    pub(crate) address: Address,
    /// A place on the page.
    pub(crate) anchor: Option<String>,
    /// Shown as the result; in the language of the page, or English.
    pub(crate) title: String,
    /// One more line.
    pub(crate) detail: String,
    /// Searched as well, and not shown; lower case.
    terms: String,
    /// The numbers by which it is found before all others.
    numbers: (u16, u16),
}

/// Everything that can be found, in the language of `locale`, best first.
pub(crate) fn entries(locale: &'static Locale) -> Vec<SearchEntry> {
    let mut entries = Vec::new();
    for code in CloseCode::registered() {
        let of = explain(code, locale);
        let aliases = of.facts.aliases.join(" ");
        let words = [of.facts.name, of.facts.id, &aliases, of.text.cause];
        entries.push(SearchEntry {
            address: Address::Code(code),
            anchor: None,
            title: format!("{} {}", code.get(), of.text.title),
            detail: of.text.short.to_owned(),
            terms: words.join(" ").to_lowercase(),
            numbers: (code.get(), code.get()),
        });
    }
    for range in CodeRange::ALL {
        if range == CodeRange::Protocol {
            continue;
        }
        let of = explain(CloseCode::new(range.bounds().0), locale);
        // 3000 is registered itself; the range speaks of its neighbours.
        let of = match range {
            CodeRange::Registered => explain(CloseCode::new(3999), locale),
            _ => of,
        };
        entries.push(SearchEntry {
            address: Address::Range(range),
            anchor: None,
            title: locale.range(range).to_owned(),
            detail: of.text.short.to_owned(),
            terms: range.name().to_owned(),
            numbers: range.bounds(),
        });
    }
    for (facts, text) in causes(locale) {
        entries.push(SearchEntry {
            address: Address::Causes,
            anchor: Some(facts.id.to_owned()),
            title: text.title.replace('`', ""),
            detail: locale.phase(facts.phase).to_owned(),
            terms: format!("1006 {}", code_spans(text.evidence)).to_lowercase(),
            numbers: (0, 0),
        });
    }
    for vendor in vendors() {
        for named in vendor.codes {
            let number = named.code.get();
            entries.push(SearchEntry {
                address: Address::Products,
                anchor: Some(anchor(vendor.name)),
                title: format!("{number} {}", named.name),
                detail: vendor.name.to_owned(),
                terms: String::new(),
                numbers: (0, 0),
            });
        }
    }
    for of in intermediaries() {
        entries.push(SearchEntry {
            address: Address::IdleTimeouts,
            anchor: Some(anchor(of.name)),
            title: of.name.to_owned(),
            detail: locale.labels.idle_timeouts.to_owned(),
            terms: of.setting.unwrap_or_default().to_lowercase(),
            numbers: (0, 0),
        });
    }
    entries
}

/// What stands in backticks: the messages and tools by which a cause is recognised.
fn code_spans(texts: &[&str]) -> String {
    let spans = texts
        .iter()
        .flat_map(|text| text.split('`').skip(1).step_by(2));
    spans.collect::<Vec<_>>().join(" ")
}

/// The entries that fit what somebody typed, best first.
pub(crate) fn find(locale: &'static Locale, typed: &str) -> Vec<SearchEntry> {
    let typed = typed.to_lowercase();
    let words: Vec<&str> = typed.split_whitespace().collect();
    if words.is_empty() {
        return Vec::new();
    }
    let number = typed
        .split(|c: char| !c.is_ascii_digit())
        .find_map(code)
        .map_or(0, CloseCode::get);
    let mut found: Vec<(u8, SearchEntry)> = entries(locale)
        .into_iter()
        .filter_map(|entry| Some((entry.rank(&words, number)?, entry)))
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found
        .into_iter()
        .map(|(_, entry)| entry)
        .take(MOST)
        .collect()
}

impl SearchEntry {
    /// Where it is, seen from a page.
    pub(crate) fn href(&self, frame: &Frame) -> String {
        let page = frame.page(self.address);
        match &self.anchor {
            Some(anchor) => format!("{page}#{anchor}"),
            None => page,
        }
    }

    /// How well it fits, 0 best. `None`: it does not.
    fn rank(&self, words: &[&str], number: u16) -> Option<u8> {
        let (first, last) = self.numbers;
        if number != 0 && first == number && last == number {
            return Some(0);
        }
        let title = self.title.to_lowercase();
        let all = |text: &str| words.iter().all(|word| text.contains(word));
        if all(&title) {
            return Some(1);
        }
        if all(&format!(
            "{title} {} {}",
            self.detail.to_lowercase(),
            self.terms
        )) {
            return Some(2);
        }
        (number != 0 && (first..=last).contains(&number)).then_some(3)
    }
}

/// An entry as the script reads it; short keys, because every reader loads it.
#[derive(Serialize)]
struct ScriptEntry<'a> {
    /// Path below the language.
    p: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<&'a str>,
    t: &'a str,
    d: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    w: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<(u16, u16)>,
}

/// The entries as a script that hands them to `search.js`.
///
/// A script rather than JSON, because a page that was opened as a file may load no other kind.
pub(crate) fn script(locale: &'static Locale) -> String {
    let entries = entries(locale);
    let lines: Vec<ScriptEntry<'_>> = entries
        .iter()
        .map(|entry| ScriptEntry {
            p: entry.address.path(),
            a: entry.anchor.as_deref(),
            t: &entry.title,
            d: &entry.detail,
            w: &entry.terms,
            n: (entry.numbers != (0, 0)).then_some(entry.numbers),
        })
        .collect();
    // Serializing plain structs into memory has no way to fail.
    let json = serde_json::to_string(&lines).unwrap_or_default();
    format!("revoirSearch.entries({json});\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(tag: &str, typed: &str) -> Vec<String> {
        let locale = Locale::find(tag).unwrap();
        find(locale, typed)
            .into_iter()
            .map(|entry| entry.title)
            .collect()
    }

    #[test]
    fn a_number_finds_its_code_first() {
        assert_eq!(titles("en", "1006")[0], "1006 Abnormal Closure");
        assert!(titles("fr", "code: 1012")[0].starts_with("1012 "));
        assert!(titles("en", "2500")[0].starts_with("1016 to 2999"));
    }

    #[test]
    fn a_name_in_any_case_and_an_alias_find_a_code() {
        assert_eq!(titles("en", "Service REST")[0], "1012 Service Restart");
        assert_eq!(titles("en", "try_again_later")[0], "1013 Try Again Later");
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

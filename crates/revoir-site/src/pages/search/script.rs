//! The entries as a script that hands them to `search.js`.

use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;
use serde::Serialize;

use super::entries::{Entry, FIELDS};
use super::index;
use super::matcher::{COMMON, WEIGHTS};
use super::named::KINDS;

/// What the script of a language has; short keys, because whoever searches loads it.
#[derive(Serialize)]
struct ScriptIndex<'a> {
    /// What a comparison is called.
    compare: &'static str,
    weights: [u32; FIELDS],
    common: &'static [&'static str],
    /// The words of an address that say only what kind of page it is.
    kinds: &'static [&'static str],
    /// The codes that have comparisons.
    registered: Vec<u16>,
    entries: Vec<ScriptEntry<'a>>,
}

#[derive(Serialize)]
struct ScriptEntry<'a> {
    /// Path below the language.
    p: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<&'a str>,
    t: &'a str,
    d: &'a str,
    /// Terms, by what they weigh.
    w: [String; FIELDS],
    /// The cause that it stands for, if that is not the place on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<(u16, u16)>,
}

/// The matcher with the entries. A script rather than JSON, because a page that was opened as a file may load no
/// other kind.
pub(crate) fn script(locale: &'static Locale) -> String {
    let entry = |entry: &'static Entry| ScriptEntry {
        p: entry.address.path(),
        a: entry.anchor.as_deref(),
        t: &entry.title,
        d: &entry.detail,
        w: entry.fields.texts(),
        c: entry.cause.filter(|_| entry.anchor.is_none()),
        n: (entry.numbers != (0, 0)).then_some(entry.numbers),
    };
    let index = ScriptIndex {
        compare: locale.labels.compare,
        weights: WEIGHTS,
        common: &COMMON,
        kinds: &KINDS,
        registered: CloseCode::registered().map(CloseCode::get).collect(),
        entries: index(locale).entries.iter().map(entry).collect(),
    };
    // Serializing plain structs into memory has no way to fail.
    let json = serde_json::to_string(&index).unwrap_or_default();
    let words = include_str!("../../../assets/words.js");
    let matcher = include_str!("../../../assets/matcher.js");
    format!("{words}{matcher}revoirSearch.load(revoirMatcher({json}));\n")
}

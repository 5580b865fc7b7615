//! The search as a script, which the box loads when it is first used: `assets/matcher.js` and `assets/diagnosis.js` with what they
//! know.

use std::sync::LazyLock;

use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::terms::terms;
use serde::Serialize;

use super::entries::{Entry, FIELDS, SIGNS, TELLING};
use super::index;
use super::matcher::{COMMON, WEIGHTS};
use super::named::KINDS;
use crate::pages::diagnosis;

/// What the script of a language has; short keys, because whoever searches loads it.
#[derive(Serialize)]
struct ScriptIndex<'a> {
    /// What a comparison is called.
    compare: &'static str,
    weights: [u32; FIELDS],
    /// From this weight on, a sign points at a cause.
    telling: i16,
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
    /// Terms, by what they weigh, but for those of the title, of the line below it, and of messages.
    w: [String; SIGNS],
    /// The cause that it stands for, if that is not the place on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<(u16, u16)>,
    /// How common it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    r: Option<u32>,
}

/// The matcher with the entries, and what reads a line. A script rather than JSON, because a page that was opened as a file may
/// load no other kind.
pub(crate) fn script(locale: &'static Locale) -> String {
    // The same in every language. Serializing plain structs into memory has no way to fail.
    static DIAGNOSIS: LazyLock<String> =
        LazyLock::new(|| serde_json::to_string(&diagnosis::data()).unwrap_or_default());
    let entry = |entry: &'static Entry| ScriptEntry {
        p: entry.address.path(),
        a: entry.anchor.as_deref(),
        t: &entry.title,
        d: &entry.detail,
        w: entry.fields.texts(&terms(&entry.title)),
        c: entry.cause.filter(|_| entry.anchor.is_none()),
        n: (entry.numbers != (0, 0)).then_some(entry.numbers),
        r: (entry.prior > 0).then_some(entry.prior),
    };
    let index = ScriptIndex {
        compare: locale.labels.compare,
        weights: WEIGHTS,
        telling: TELLING,
        common: &COMMON,
        kinds: &KINDS,
        registered: CloseCode::registered().map(CloseCode::get).collect(),
        entries: index(locale).entries.iter().map(entry).collect(),
    };
    let json = serde_json::to_string(&index).unwrap_or_default();
    let words = include_str!("../../../assets/words.js");
    let matcher = include_str!("../../../assets/matcher.js");
    let reader = include_str!("../../../assets/diagnosis.js");
    let known = &*DIAGNOSIS;
    format!("{words}{matcher}{reader}revoirSearch.load(revoirMatcher({json}, {known}));\n")
}

//! What the compiler cannot see in the data: keys, placeholders, figures, staleness, script.

use std::collections::BTreeSet;

use super::emit::RANGES;
use super::model::{AboutLocale, Bodies, Data, EntryText, FactsFile, Locale, Texts, code_range};
use super::named;
use super::observed::conflicts;
use super::stamp::{hash, table_hash};

/// Every problem, in words. Empty when the data is sound.
pub(crate) fn problems(data: &Data) -> Vec<String> {
    let mut found = Vec::new();
    facts(data, &mut found);
    found.extend(data.diagnosis.problems(data));
    found.extend(conflicts(data));
    for locale in &data.locales {
        keys(data, locale, &mut found);
        for text in texts(locale) {
            typography(&locale.about, &text, &mut found);
            figures(data, &text, &mut found);
        }
        if locale.about.tag != "en" {
            against_english(data, locale, &mut found);
        }
    }
    found
}

/// One text of one language, with a name for messages.
struct Text<'a> {
    place: String,
    key: String,
    text: &'a str,
}

/// Every text of a language.
fn texts(locale: &Locale) -> Vec<Text<'_>> {
    let tag = &locale.about.tag;
    let mut all = Vec::new();
    let mut add = |file: &str, key: String, text| {
        all.push(Text {
            place: format!("{tag}/{file}: {key}"),
            key: format!("{file}:{key}"),
            text,
        });
    };
    for (key, text) in locale.labels.iter().filter(|(key, _)| *key != "english") {
        add("labels.toml", key.clone(), text.as_str());
    }
    if let Some(bodies) = &locale.bodies {
        for (key, text) in bodies.phrases.iter().filter(|(key, _)| *key != "english") {
            add("phrases.toml", key.clone(), text.as_str());
        }
        for (code, entry) in &bodies.entries {
            for (key, text) in entry.texts() {
                add("codes.toml", format!("{code}.{key}"), text);
            }
        }
        for (id, cause) in &bodies.causes {
            for (key, text) in cause.texts() {
                add("causes.toml", format!("{id}.{key}"), text);
            }
        }
        for (key, text) in bodies.signs.iter().filter(|(key, _)| *key != "english") {
            add("signs.toml", key.clone(), text.as_str());
        }
        for (pair, text) in &bodies.pairs {
            add("pairs.toml", format!("{pair}.intro"), text.intro.as_str());
        }
    }
    all
}

// ---------------------------------------------------------------- the facts themselves

fn facts(data: &Data, found: &mut Vec<String>) {
    let codes: Vec<u16> = data
        .facts
        .code
        .iter()
        .filter_map(|entry| entry.code)
        .collect();
    if codes.len() != data.facts.code.len() || !codes.is_sorted() {
        let late = codes.windows(2).find(|pair| pair[0] > pair[1]);
        let late = late.map_or_else(String::new, |pair| {
            format!(": {} stands behind {}", pair[1], pair[0])
        });
        found.push(format!(
            "codes.toml: every [[code]] needs a number, in ascending order{late}"
        ));
    }
    let ranges: Vec<&str> = data
        .facts
        .range
        .iter()
        .map(|entry| entry.id.as_str())
        .collect();
    let expected: Vec<&str> = RANGES.into_iter().filter(|id| *id != "protocol").collect();
    if ranges != expected {
        found.push(format!(
            "codes.toml: the ranges must be {expected:?}, not {ranges:?}"
        ));
    }
    found.extend(bounds(&data.facts));
    for entry in data.facts.entries() {
        for related in &entry.related {
            if !codes.contains(related) {
                found.push(format!(
                    "codes.toml: {}: {related} is not registered",
                    entry.key()
                ));
            }
        }
        for item in entry.seen.iter().chain(&entry.note) {
            if item.source.is_empty() {
                found.push(format!(
                    "codes.toml: {}: {} has no source",
                    entry.key(),
                    item.id
                ));
            }
            let ages = ["read", "measured", "reported"].contains(&&*item.evidence);
            if ages != item.date.is_some() {
                found.push(format!(
                    "codes.toml: {}: {} is {}: `date` is {}",
                    entry.key(),
                    item.id,
                    item.evidence,
                    if ages { "missing" } else { "too much" }
                ));
            }
        }
        if entry.code.is_some() && entry.doc.as_deref().is_none_or(str::is_empty) {
            let problem = format!("codes.toml: {}: `doc` is missing", entry.key());
            found.push(problem);
        }
        if entry.senders.is_empty() == (entry.wire == "frame") {
            found.push(format!(
                "codes.toml: {}: `senders` contradicts `wire`",
                entry.key()
            ));
        }
    }
}

/// The ranges have every number once, and every registered code lies where it may: 1000 and up to the first
/// unassigned number are the protocol's and all registered, others are of the range for registration.
fn bounds(facts: &FactsFile) -> Vec<String> {
    let all = facts.all_bounds();
    let mut found = Vec::new();
    let gapless = all
        .windows(2)
        .all(|pair| u32::from(pair[0].1) + 1 == u32::from(pair[1].0));
    let whole =
        all.first().is_some_and(|of| of.0 == 0) && all.last().is_some_and(|of| of.1 == u16::MAX);
    if all.len() != RANGES.len() || !gapless || !whole {
        found.push("codes.toml: the ranges do not have every number once".to_owned());
        return found;
    }
    let (protocol, unassigned, registered) = (all[1], all[2], all[3]);
    let within = |(first, last): (u16, u16), code: u16| (first..=last).contains(&code);
    let codes: BTreeSet<u16> = facts.code.iter().filter_map(|entry| entry.code).collect();
    for &code in &codes {
        if within(unassigned, code) {
            found.push(format!(
                "codes.toml: {code} is registered: `protocol-unassigned` begins after it, at {}",
                code.saturating_add(1)
            ));
        } else if !within(protocol, code) && !within(registered, code) {
            found.push(format!(
                "codes.toml: {code}: no code of this range is registered"
            ));
        }
    }
    let missing = (protocol.0..=protocol.1).filter(|code| !codes.contains(code));
    found.extend(missing.map(|code| {
        format!("codes.toml: {code} is not registered, so `protocol-unassigned` begins too late")
    }));
    found
}

// ---------------------------------------------------------------- keys

fn keys(data: &Data, locale: &Locale, found: &mut Vec<String>) {
    let tag = &locale.about.tag;
    same_keys(
        &format!("{tag}/labels.toml"),
        &data.locales[0].labels,
        &locale.labels,
        found,
    );
    let Some(bodies) = &locale.bodies else { return };
    same_keys(
        &format!("{tag}/phrases.toml"),
        &data.english().phrases,
        &bodies.phrases,
        found,
    );
    same_set(
        &format!("{tag}/codes.toml"),
        data.facts.entries().map(|entry| entry.key()),
        bodies.entries.keys().cloned(),
        found,
    );
    for entry in data.facts.entries() {
        let Some(text) = bodies.entries.get(&entry.key()) else {
            continue;
        };
        let place = |list| format!("{tag}/codes.toml: {}.{list}", entry.key());
        let ids = |texts: &Texts| texts.keys().cloned().collect::<Vec<_>>();
        let seen = entry.seen.iter().map(|item| item.id.clone());
        let note = entry.note.iter().map(|item| item.id.clone());
        same_set(&place("seen"), seen, ids(&text.seen), found);
        same_set(
            &place("fix"),
            entry.fix.iter().cloned(),
            ids(&text.fix),
            found,
        );
        same_set(&place("note"), note, ids(&text.note), found);
        let file = format!("{tag}/codes.toml");
        found.extend(named::problems(data, &file, entry, text));
    }
    let causes = data.causes.iter().map(|cause| cause.id.clone());
    same_set(
        &format!("{tag}/causes.toml"),
        causes,
        bodies.causes.keys().cloned(),
        found,
    );
    let own = bodies.signs.keys().filter(|key| *key != "english");
    same_set(
        &format!("{tag}/signs.toml"),
        data.diagnosis.signs.iter().cloned(),
        own.cloned(),
        found,
    );
    let pairs = data.english().pairs.keys().cloned();
    same_set(
        &format!("{tag}/pairs.toml"),
        pairs,
        bodies.pairs.keys().cloned(),
        found,
    );
    for pair in bodies.pairs.keys() {
        if code_range(pair).is_none_or(|(low, high)| low == high) {
            found.push(format!("{tag}/pairs.toml: `{pair}` is not `low-high`"));
        }
    }
}

fn same_keys(place: &str, english: &Texts, own: &Texts, found: &mut Vec<String>) {
    let keys = |texts: &Texts| -> Vec<String> {
        texts
            .keys()
            .filter(|key| *key != "english")
            .cloned()
            .collect()
    };
    same_set(place, keys(english), keys(own), found);
}

fn same_set(
    place: &str,
    expected: impl IntoIterator<Item = String>,
    own: impl IntoIterator<Item = String>,
    found: &mut Vec<String>,
) {
    let expected: BTreeSet<_> = expected.into_iter().collect();
    let own: BTreeSet<_> = own.into_iter().collect();
    found.extend(
        expected
            .difference(&own)
            .map(|key| format!("{place}: `{key}` is missing")),
    );
    found.extend(
        own.difference(&expected)
            .map(|key| format!("{place}: `{key}` is unknown")),
    );
}

// ---------------------------------------------------------------- one text

fn typography(about: &AboutLocale, text: &Text<'_>, found: &mut Vec<String>) {
    let Text { place, key, text } = text;
    let mut complain = |what: &str| found.push(format!("{place}: {what}"));
    let separator = key.ends_with(":colon");
    if (text.trim() != *text && !separator) || text.is_empty() {
        complain("empty, or with space around it");
    }
    if text.contains("  ") || text.contains("...") {
        complain("two spaces in a row, or three dots for an ellipsis");
    }
    if text.chars().any(char::is_control) {
        complain("contains a control character");
    }
    let letters = prose(text);
    let long = letters.chars().filter(|c| c.is_alphabetic()).count() >= 90;
    let excused = key.contains(".confirm");
    if !about.letters.is_empty()
        && long
        && !excused
        && !letters.chars().any(|c| about.letters.contains(c))
    {
        complain("does not look like this language: none of its letters occurs");
    }
    if !in_script(&about.script, &letters)
        && !excused
        && !about.same.iter().any(|same| same == text)
    {
        complain(&format!("has no letter of the script {}", about.script));
    }
}

/// The text without `code` and without placeholders.
fn prose(text: &str) -> String {
    text.split('`')
        .step_by(2)
        .map(without_placeholders)
        .collect()
}

fn without_placeholders(text: &str) -> String {
    let mut out = String::new();
    for (i, part) in text.split('{').enumerate() {
        out += match part.split_once('}') {
            Some((_, rest)) if i > 0 => rest,
            _ => part,
        };
    }
    out
}

fn in_script(script: &str, text: &str) -> bool {
    let belongs = |c: char| match script {
        "Hans" => matches!(c, '\u{4e00}'..='\u{9fff}'),
        "Jpan" => matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'),
        "Kore" => matches!(c, '\u{ac00}'..='\u{d7af}'),
        "Cyrl" => matches!(c, '\u{400}'..='\u{4ff}'),
        "Arab" => matches!(c, '\u{600}'..='\u{6ff}'),
        "Deva" => matches!(c, '\u{900}'..='\u{97f}'),
        "Thai" => matches!(c, '\u{e00}'..='\u{e7f}'),
        _ => c.is_alphabetic(),
    };
    text.chars().any(belongs) || !text.chars().any(char::is_alphabetic)
}

/// Every number in a sentence is a close code, an HTTP status in the facts, or part of a name on
/// the list; everything else has to be a `{figure}`.
fn figures(data: &Data, text: &Text<'_>, found: &mut Vec<String>) {
    let mut rest = prose(text.text);
    for name in &data.facts.names_with_digits {
        rest = rest.replace(name.as_str(), " ");
    }
    let numbers = rest
        .split(|c: char| !c.is_ascii_digit())
        .filter(|run| !run.is_empty());
    for number in numbers {
        let known = number.parse::<u16>().is_ok_and(|number| {
            let code = data
                .facts
                .code
                .iter()
                .any(|entry| entry.code == Some(number));
            let bounds = [0, 999, 3000, 3999, 4000, 4999, 5000];
            let private = (4000..=4999).contains(&number);
            code || private
                || bounds.contains(&number)
                || data.facts.http_statuses.contains(&number)
        });
        if !known {
            found.push(format!(
                "{}: the number {number} is not in the facts",
                text.place
            ));
        }
    }
    for name in placeholders(text.text) {
        let filled_later = ["phrases", "labels", "signs"];
        let phrase = filled_later.iter().any(|file| text.key.starts_with(file));
        if !phrase && !data.facts.figures.contains_key(name) {
            found.push(format!("{}: no figure `{name}`", text.place));
        }
    }
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}').map(|(name, _)| name))
        .collect()
}

/// The parts in backticks, in any order.
fn code_spans(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

// ---------------------------------------------------------------- translations

fn against_english(data: &Data, locale: &Locale, found: &mut Vec<String>) {
    let english = texts(&data.locales[0]);
    for own in texts(locale) {
        let Some(source) = english.iter().find(|text| text.key == own.key) else {
            continue;
        };
        if placeholders(source.text) != placeholders(own.text) {
            found.push(format!(
                "{}: other placeholders than the English",
                own.place
            ));
        }
        if code_spans(source.text) != code_spans(own.text) {
            found.push(format!("{}: other `code` than the English", own.place));
        }
        let translatable = prose(source.text).chars().any(char::is_alphabetic);
        let excused = own.key.contains(".confirm") || own.key.ends_with(".title");
        if own.text == source.text
            && translatable
            && !excused
            && !locale.about.same.iter().any(|same| same == own.text)
        {
            found.push(format!("{}: is the English text", own.place));
        }
    }
    let tag = &locale.about.tag;
    let mut stale = |place: String, stamped: Option<&String>, fresh: &str| {
        let problem = match stamped {
            Some(stamp) if stamp == fresh => return,
            Some(_) => "the English has changed since this was translated (see its `git diff`)",
            None => "not stamped yet with the English it was translated from",
        };
        found.push(format!(
            "{tag}/{place}: {problem}; bring it up to date, then run `cargo xtask data --stamp {tag}`"
        ));
    };
    stale(
        "labels.toml".to_owned(),
        locale.labels.get("english"),
        &table_hash(&data.locales[0].labels),
    );
    if let Some(bodies) = &locale.bodies {
        stale_bodies(data.english(), bodies, &mut stale);
    }
}

fn stale_bodies(
    english: &Bodies,
    own: &Bodies,
    stale: &mut impl FnMut(String, Option<&String>, &str),
) {
    stale(
        "phrases.toml".to_owned(),
        own.phrases.get("english"),
        &table_hash(&english.phrases),
    );
    stale(
        "signs.toml".to_owned(),
        own.signs.get("english"),
        &table_hash(&english.signs),
    );
    let fresh_entry = |text: &EntryText| hash(text.texts());
    for (key, source) in &english.entries {
        if let Some(text) = own.entries.get(key) {
            stale(
                format!("codes.toml: [{key}]"),
                text.english.as_ref(),
                &fresh_entry(source),
            );
        }
    }
    for (key, source) in &english.causes {
        if let Some(text) = own.causes.get(key) {
            stale(
                format!("causes.toml: [{key}]"),
                text.english.as_ref(),
                &hash(source.texts()),
            );
        }
    }
    for (key, source) in &english.pairs {
        if let Some(text) = own.pairs.get(key) {
            let fresh = hash([("intro".to_owned(), source.intro.as_str())]);
            stale(
                format!("pairs.toml: [{key}]"),
                text.english.as_ref(),
                &fresh,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_and_removed() {
        assert_eq!(
            placeholders("{a} after {b}, {a}"),
            BTreeSet::from(["a", "b"])
        );
        assert_eq!(without_placeholders("{a} after {b}."), " after .");
        assert_eq!(prose("run `ss -ltnp` now"), "run  now");
    }

    #[test]
    fn a_registered_code_below_3000_lies_in_the_range_of_the_protocol() {
        let mut data = Data::read(&crate::root().join("crates/revoir-codes/data")).unwrap();
        assert_eq!(bounds(&data.facts), Vec::<String>::new());
        let facts = &mut data.facts;
        let last = facts.code.iter().rposition(|entry| entry.code < Some(3000));
        let entry = &mut facts.code[last.unwrap()];
        let code = entry.code.unwrap();
        entry.code = Some(code + 1);
        let found = bounds(facts);
        let registered = format!(
            "{} is registered: `protocol-unassigned` begins after it",
            code + 1
        );
        assert!(found[0].contains(&registered), "{found:?}");
        assert!(
            found[1].contains(&format!("{code} is not registered")),
            "{found:?}"
        );
    }

    #[test]
    fn a_script_is_recognised() {
        assert!(in_script("Hans", "服务 restart"));
        assert!(!in_script("Hans", "restart"));
        assert!(in_script("Hans", "1012"));
    }
}

//! One word for one thing: no text of a language uses a synonym that `data/glossary.toml` rules out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Deserialize;

use crate::locale_files::{Text, data, texts_of};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Glossary {
    term: Vec<Term>,
}

/// A thing, its word in each language, and the words that may not be used for it.
#[derive(Deserialize)]
struct Term {
    id: String,
    not: BTreeMap<String, Vec<String>>,
    #[serde(flatten)]
    words: BTreeMap<String, String>,
}

fn glossary() -> Vec<Term> {
    let text = fs::read_to_string(data().join("glossary.toml")).unwrap();
    toml::from_str::<Glossary>(&text).unwrap().term
}

/// What is prose: without `code` and “what others say”.
fn prose(text: &str) -> String {
    let without_code: String = text.split('`').step_by(2).collect();
    let mut quoted = false;
    without_code
        .chars()
        .filter(|c| {
            match c {
                '“' => quoted = true,
                '”' => quoted = false,
                _ => return !quoted,
            }
            false
        })
        .collect()
}

/// Whether `word` stands in `text`, as whole words in scripts that have spaces.
fn uses(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let spaced = word.chars().any(|c| c.is_alphabetic() && c < '\u{2e80}')
        && !word.chars().any(|c| c >= '\u{2e80}');
    text.match_indices(&word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !spaced || !(inside(before) || inside(after))
    })
}

#[test]
fn no_text_uses_a_synonym_that_the_glossary_rules_out() {
    let terms = glossary();
    let mut found = Vec::new();
    for tag in ["en", "zh-Hans", "vi", "fr"] {
        for Text { file, key, text } in texts_of(tag) {
            let prose = prose(&text);
            for term in &terms {
                let ruled_out = term.not.get(tag).into_iter().flatten();
                for word in ruled_out.filter(|word| uses(&prose, word)) {
                    let right = term.words.get(tag).map_or("reword it", String::as_str);
                    found.push(format!(
                        "{file}: {key}: “{word}” is ruled out ({}): {right}",
                        term.id
                    ));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} to change:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn every_term_of_the_glossary_is_one_thing_and_rules_something_out() {
    let languages = BTreeSet::from(["en", "zh-Hans", "vi", "fr"]);
    let mut ids = BTreeSet::new();
    for term in glossary() {
        assert!(ids.insert(term.id.clone()), "{} twice", term.id);
        assert!(
            term.words.contains_key("en"),
            "{}: no English word",
            term.id
        );
        let named = term.words.keys().chain(term.not.keys());
        for tag in named.map(String::as_str) {
            assert!(languages.contains(tag), "{}: `{tag}`", term.id);
        }
        assert!(!term.not.is_empty(), "{} rules nothing out", term.id);
        for (tag, word) in &term.words {
            let ruled_out = term.not.get(tag).into_iter().flatten();
            let itself: Vec<_> = ruled_out.filter(|not| *not == word).collect();
            assert!(itself.is_empty(), "{}: {itself:?}", term.id);
        }
    }
    assert!(ids.len() >= 40, "{} terms", ids.len());
}

#[test]
fn a_synonym_is_found_as_a_whole_word_and_outside_of_code() {
    assert!(uses("Mend the proxy.", "mend") && !uses("We recommend it.", "mend"));
    assert!(uses("由服务器关闭", "服务器") && !uses("Drainage", "drain"));
    assert_eq!(prose("run `mend` as “mend” says"), "run  as  says");
}

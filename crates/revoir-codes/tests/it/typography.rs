//! Each language as it is printed: spaces, quotation marks, decimal signs, units, and no English.
//!
//! The rules are those of CONTRIBUTING.md. A text that breaks one is named with the right form.

use std::collections::BTreeMap;
use std::fs;

use revoir_codes::catalog::causes::all_causes;
use revoir_codes::catalog::diagnosis::{Observed, Sign};
use revoir_codes::catalog::{Locale, explain};
use serde::Deserialize;

use crate::explaining::{samples, texts};
use crate::locale_files::{Text, data, texts_of};

/// Before `:` and inside « ».
const NO_BREAK: char = '\u{a0}';
/// Before `;`, `?` and `!`.
const NARROW: char = '\u{202f}';

fn is_space(c: char) -> bool {
    matches!(c, ' ' | NO_BREAK | NARROW)
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

/// `text` with `right` done to what is not `code`; `right` is told whether code stands before.
fn outside_of_code(text: &str, right: impl Fn(&str, bool) -> String) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(index, part)| match index % 2 {
        0 => right(part, index > 0),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}

/// French, as the Imprimerie nationale sets it: U+00A0 before a colon and inside « », U+202F before
/// `;`, `?` and `!`, ’ for an apostrophe. What is quoted keeps its own punctuation.
fn french(text: &str, after_code: bool) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let in_address = c == ':' && chars.peek() == Some(&'/');
        let before_a_letter = chars.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '«' => {
                quoted = true;
                out.push(c);
                out.push(NO_BREAK);
                while chars.peek().copied().is_some_and(is_space) {
                    chars.next();
                }
                continue;
            }
            '»' => {
                quoted = false;
                set_space(&mut out, NO_BREAK, after_code);
            }
            ':' if !in_address && !quoted && !before_a_letter => {
                set_space(&mut out, NO_BREAK, after_code)
            }
            ';' | '?' | '!' if !quoted => set_space(&mut out, NARROW, after_code),
            _ => {}
        }
        out.push(if c == '\'' { '’' } else { c });
    }
    out
}

/// Ends `out` with this space, unless it is the beginning of a text.
fn set_space(out: &mut String, space: char, after_code: bool) {
    out.truncate(out.trim_end_matches(is_space).len());
    if after_code || !out.is_empty() {
        out.push(space);
    }
}

/// Chinese: full-width punctuation beside a Chinese character, and no space between two.
fn chinese(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    for (index, c) in chars.iter().copied().enumerate() {
        let before = index.checked_sub(1).map(|index| chars[index]);
        let after = chars.get(index + 1).copied();
        let beside = |of: Option<char>| of.is_some_and(is_han);
        let wide = match c {
            ',' => '，',
            ';' => '；',
            ':' => '：',
            '?' => '？',
            '!' => '！',
            '(' => '（',
            ')' => '）',
            _ => c,
        };
        match c {
            ' ' if beside(before) && beside(after) => {}
            _ if beside(before) || beside(after) => out.push(wide),
            _ => out.push(c),
        }
    }
    out
}

/// Vietnamese: no space before punctuation.
fn vietnamese(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, ',' | '.' | ';' | ':' | '?' | '!') && !out.trim_end().is_empty() {
            out.truncate(out.trim_end_matches(is_space).len());
        }
        out.push(c);
    }
    out
}

fn right_form(tag: &str, text: &str) -> String {
    outside_of_code(text, |part, after_code| match tag {
        "fr" => french(part, after_code),
        "zh-Hans" => chinese(part),
        _ => vietnamese(part),
    })
}

fn none(found: &[String]) {
    assert!(
        found.is_empty(),
        "{} to change:\n{}",
        found.len(),
        found.join("\n")
    );
}

const TRANSLATED: [&str; 3] = ["fr", "zh-Hans", "vi"];

#[test]
fn punctuation_has_the_spaces_and_the_width_of_the_language() {
    let mut found = Vec::new();
    for tag in TRANSLATED {
        for Text { file, key, text } in texts_of(tag) {
            // It is what stands between a word and what follows.
            let right = match key.as_str() {
                "list_comma" | "colon" => continue,
                _ => right_form(tag, &text),
            };
            if text != right {
                found.push(format!("{file}: {key}: {text:?}; right is {right:?}"));
            }
        }
    }
    none(&found);
}

#[test]
fn quotation_marks_are_those_of_the_language() {
    let mut found = Vec::new();
    for tag in TRANSLATED {
        let (opening, closing) = match tag {
            "fr" => ('«', '»'),
            _ => ('“', '”'),
        };
        for Text { file, key, text } in texts_of(tag) {
            let prose: String = text.split('`').step_by(2).collect();
            let count = |mark| prose.chars().filter(|c| *c == mark).count();
            let straight = prose.contains(['"', '\'']);
            let foreign = prose.contains(match tag {
                "fr" => ['“', '”'],
                _ => ['«', '»'],
            });
            if straight || foreign || count(opening) != count(closing) {
                found.push(format!(
                    "{file}: {key}: {text:?}; right is {opening}…{closing}"
                ));
            }
        }
    }
    none(&found);
}

#[derive(Deserialize)]
struct Facts {
    names_with_digits: Vec<String>,
}

#[derive(Deserialize)]
struct Locales {
    locale: Vec<About>,
}

#[derive(Deserialize)]
struct About {
    tag: String,
    #[serde(default)]
    same: Vec<String>,
    #[serde(default)]
    units: BTreeMap<String, String>,
}

fn read<T: for<'de> Deserialize<'de>>(file: &str) -> T {
    toml::from_str(&fs::read_to_string(data().join(file)).unwrap()).unwrap()
}

/// Every sentence with figures in it, as people get to read it.
fn filled(locale: &'static Locale) -> Vec<String> {
    let mut all = Vec::new();
    for code in samples() {
        let of = explain(code, locale);
        // The records name versions, which are no figures of a sentence.
        let records = of.on_record();
        all.extend(texts(&of).into_iter().filter(|of| !records.contains(of)));
        let advice = [&of.facts.client_advice, &of.facts.server_advice];
        all.extend(advice.map(|advice| locale.retry(advice)));
    }
    for (_, text) in all_causes(locale) {
        all.extend([text.title, text.confirm].map(str::to_owned));
        let lists = text.evidence.iter().chain(text.fix);
        all.extend(lists.map(|of| (*of).to_owned()));
    }
    for sign in Sign::ALL.iter().copied() {
        let value = "60.5 s (nginx, Kong)".to_owned();
        all.push(locale.sign(&Observed::seen(sign, value)));
    }
    all.push(locale.idle_intro());
    all
}

#[test]
fn figures_have_the_decimal_sign_and_the_units_of_the_language() {
    let names = read::<Facts>("codes.toml").names_with_digits;
    let about = read::<Locales>("locales.toml").locale;
    let mut found = Vec::new();
    for tag in TRANSLATED {
        let locale = Locale::find(tag).unwrap();
        let units = &about.iter().find(|of| of.tag == tag).unwrap().units;
        for text in filled(locale) {
            let prose: String = text.split('`').step_by(2).collect();
            let prose = names
                .iter()
                .fold(prose, |prose, name| prose.replace(name.as_str(), ""));
            let chars: Vec<char> = prose.chars().collect();
            let digit = |index: usize| chars.get(index).is_some_and(char::is_ascii_digit);
            for (index, c) in chars.iter().enumerate().skip(1) {
                let point = *c == '.' && digit(index - 1) && digit(index + 1);
                if point && tag != "zh-Hans" {
                    found.push(format!("{tag}: {text:?}; right is a decimal comma"));
                }
            }
            for symbol in ["s", "min", "h", "KB", "KiB", "MiB"] {
                let right = units.get(symbol).map_or(symbol, String::as_str);
                for space in [' ', NO_BREAK] {
                    let written = format!("{space}{symbol}");
                    let wrong = prose.match_indices(&written).any(|(at, of)| {
                        let after = prose[at + of.len()..].chars().next();
                        let figure = prose[..at].ends_with(|c: char| c.is_ascii_digit());
                        let own = match tag {
                            "fr" => right == symbol && space == NO_BREAK,
                            _ => right == symbol,
                        };
                        figure && !own && !after.is_some_and(|c| c.is_alphanumeric() || c == '’')
                    });
                    if wrong {
                        found.push(format!("{tag}: {text:?}; the unit is {right}"));
                    }
                }
            }
        }
    }
    none(&found);
}

#[test]
fn sentences_that_are_filled_in_keep_the_punctuation_of_the_language() {
    let mut found = Vec::new();
    for tag in TRANSLATED {
        for text in filled(Locale::find(tag).unwrap()) {
            let right = right_form(tag, &text);
            if text != right {
                found.push(format!("{tag}: {text:?}; right is {right:?}"));
            }
        }
    }
    none(&found);
}

/// Words that make an English sentence, and are no words of the others.
const ENGLISH: [&str; 14] = [
    "the", "and", "with", "of", "is", "are", "was", "not", "from", "which", "that", "this", "has",
    "by",
];

#[test]
fn no_text_is_left_in_english() {
    let english: BTreeMap<_, _> = texts_of("en")
        .into_iter()
        .map(|text| ((text.file.replacen("en/", "", 1), text.key), text.text))
        .collect();
    let mut found = Vec::new();
    for About { tag, same, .. } in read::<Locales>("locales.toml").locale {
        if tag == "en" {
            continue;
        }
        for Text { file, key, text } in texts_of(&tag) {
            let name = file.replacen(&format!("{tag}/"), "", 1);
            let source = english.get(&(name, key.clone()));
            let prose: String = text.split('`').step_by(2).collect();
            let prose = without(&without(&prose, '“', '”'), '«', '»');
            let prose = without(&prose, '{', '}');
            let words = prose.split(|c: char| !c.is_alphanumeric());
            let of_a_sentence = words.filter(|word| ENGLISH.contains(word)).count();
            let copied = source == Some(&text)
                && prose.chars().any(char::is_alphabetic)
                && !same.contains(&text);
            if copied || of_a_sentence > 1 {
                found.push(format!("{file}: {key}: {text:?}; right is a translation"));
            }
        }
    }
    none(&found);
}

/// `text` without what stands between two marks.
fn without(text: &str, opening: char, closing: char) -> String {
    let mut inside = false;
    let outside = |c: &char| {
        if *c == opening {
            inside = true;
        }
        let keep = !inside;
        if *c == closing {
            inside = false;
        }
        keep
    };
    text.chars().filter(outside).collect()
}

#[derive(Deserialize)]
struct Readers {
    rule: Option<Vec<Reader>>,
    message: Option<Vec<Reader>>,
}

#[derive(Deserialize)]
struct Reader {
    #[serde(default)]
    signs: Vec<String>,
}

/// A text that is read gives a sign, but no value. What leads to the value has to go with it.
#[test]
fn a_sign_that_may_come_without_a_value_names_it_after_a_colon() {
    let mut signs = Vec::new();
    for file in ["rules.toml", "messages.toml"] {
        let readers: Readers = read(file);
        for reader in readers.rule.into_iter().chain(readers.message).flatten() {
            signs.extend(reader.signs);
        }
    }
    assert!(signs.len() > 100, "{} signs", signs.len());
    let mut found = Vec::new();
    for tag in ["en", "fr", "zh-Hans", "vi"] {
        for Text { file, key, text } in texts_of(tag) {
            let Some((before, after)) = text.split_once("{value}") else {
                continue;
            };
            let alone = before.trim_end().ends_with([':', '：']) && matches!(after, "." | "。");
            if file.ends_with("signs.toml") && signs.contains(&key) && !alone {
                found.push(format!(
                    "{file}: {key}: {text:?}; right is “…: {{value}}.”, which can do without it"
                ));
            }
        }
    }
    none(&found);
}

#[test]
fn the_right_form_is_found() {
    let f = |text: &str| {
        french(text, false)
            .replace(NO_BREAK, "~")
            .replace(NARROW, "_")
    };
    assert_eq!(
        f("Pourquoi ? l'un : « a ; b » !"),
        "Pourquoi_? l’un~: «~a ; b~»_!"
    );
    assert_eq!(f("wss://host"), "wss://host");
    assert_eq!(chinese("关闭, (丢失)"), "关闭， （丢失）");
    assert_eq!(chinese("异常关闭 与 1012"), "异常关闭与 1012");
    assert_eq!(vietnamese("Đóng : xong"), "Đóng: xong");
    assert_eq!(right_form("zh-Hans", "用 `a, b`"), "用 `a, b`");
    assert_eq!(without("a {b c} d", '{', '}'), "a  d");
}

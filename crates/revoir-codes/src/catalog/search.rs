//! [`search()`]: a code from what somebody typed.

use alloc::string::String;
use alloc::vec::Vec;

use crate::catalog::locale::Locale;
use crate::catalog::terms::{folded, has_nearly, terms};
use crate::code::CloseCode;
use crate::facts::{Facts, Scope};

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A number in the text.
    Number(CloseCode),
    /// A number that does not fit into two bytes, or is negative.
    OutOfBounds,
    /// The one registered code whose name fits.
    Name(CloseCode),
    /// Several codes fit.
    Several(Vec<CloseCode>),
    /// Nothing fits.
    Nothing,
}

/// Finds the code that `text` speaks of: a number (`1006`, `code: 1006`), a registered name or an
/// alias (`service restart`, `TRY_AGAIN_LATER`), its title in any language, or a part of one
/// (`restart`). Slips of the hand are forgiven (`restrat`).
#[must_use]
pub fn search(text: &str) -> Found {
    if let Some(found) = number(text) {
        return found;
    }
    let wanted = simplified(text);
    if wanted.is_empty() {
        return Found::Nothing;
    }
    let mut found = codes_with(|name| name == wanted);
    // Two letters fit too many names, but one Chinese character says a lot.
    if found.is_empty() && wanted.len() > 2 {
        found = codes_with(|name| name.contains(&wanted));
    }
    if found.is_empty() {
        found = nearly(text);
    }
    match found[..] {
        [] => Found::Nothing,
        [code] => Found::Name(code),
        _ => Found::Several(found),
    }
}

/// The number in a text.
///
/// A text may be a line from a console or a log, so numbers in addresses, dates and times do not
/// count. A number behind "code" or "close" wins over others, and one that may be a close code
/// over one that may not.
fn number(text: &str) -> Option<Found> {
    let text = ascii_digits(text);
    if let Some(whole) = whole_number(text.trim()) {
        return Some(whole);
    }
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !is_address_or_time(word))
        .collect();
    let text = words.join(" ");
    let named = four_digits(&text, true);
    let codes = if named.is_empty() {
        four_digits(&text, false)
    } else {
        named
    };
    let likely: Vec<CloseCode> = codes
        .iter()
        .copied()
        .filter(|code| code.is_likely())
        .collect();
    let codes = if likely.is_empty() { codes } else { likely };
    match codes[..] {
        [] => None,
        [code] => Some(Found::Number(code)),
        _ => Some(Found::Several(codes)),
    }
}

/// The digits of every script as ASCII: people type in the digits of their language.
fn ascii_digits(text: &str) -> String {
    let zeros = ['\u{660}', '\u{6f0}', '\u{966}', '\u{e50}', '\u{ff10}'];
    let ascii = |c: char| {
        let digit = zeros
            .iter()
            .filter_map(|&zero| u32::from(c).checked_sub(u32::from(zero)))
            .find(|&digit| digit < 10);
        digit
            .and_then(|digit| char::from_digit(digit, 10))
            .unwrap_or(c)
    };
    text.chars().map(ascii).collect()
}

/// The text as a number, if it is nothing else.
fn whole_number(text: &str) -> Option<Found> {
    let digits = text.trim_start_matches(['+', '-']);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(match digits.parse() {
        Ok(number) if !text.starts_with('-') => Found::Number(CloseCode::new(number)),
        _ => Found::OutOfBounds,
    })
}

/// Whether a word is a URL, a host with a port, a date or a time of day.
fn is_address_or_time(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != ']' && c != '[');
    let host_and_port = word.rsplit_once(':').is_some_and(|(host, port)| {
        let port = port.trim_end_matches('/');
        let host = host.to_lowercase();
        (host.contains(['.', ']']) || host == "localhost")
            && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let groups = |sign| {
        let parts = word.split(sign);
        parts
            .filter(|part| part.starts_with(|c: char| c.is_ascii_digit()))
            .count()
    };
    word.contains("://") || host_and_port || groups('-') > 2 || groups(':') > 1
}

/// The numbers of four digits, in order and each once; `named`: only those behind a word that
/// announces a close code.
fn four_digits(text: &str, named: bool) -> Vec<CloseCode> {
    let mut codes = Vec::new();
    let mut before = String::new();
    for run in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = run.trim_end_matches(|c: char| !c.is_ascii_digit());
        if digits.len() == 4
            && (!named || is_announced(&before))
            && let Ok(number) = digits.parse()
        {
            codes.push(CloseCode::new(number));
        }
        before.push_str(run);
    }
    codes.sort();
    codes.dedup();
    codes
}

/// Whether the text ends with a word such as "code" and a sign or two.
fn is_announced(text: &str) -> bool {
    let text = text
        .trim_end_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    ["code", "close", "closed", "status"]
        .iter()
        .any(|word| text.ends_with(word))
}

/// The registered codes of which some name fits, of which only letters and digits count.
fn codes_with(fits: impl Fn(&str) -> bool) -> Vec<CloseCode> {
    codes_named(|name| fits(&simplified(name)))
}

/// The registered codes of which some name fits.
fn codes_named(fits: impl Fn(&str) -> bool) -> Vec<CloseCode> {
    let complete = Locale::all().iter().filter(|locale| locale.is_complete());
    let titles: Vec<_> = complete.map(|locale| locale.bodies().entries).collect();
    let mut codes = Vec::new();
    for facts in Facts::registered() {
        let Scope::Code(code) = facts.scope else {
            continue;
        };
        let known = [facts.name, facts.id].into_iter();
        let known = known.chain(facts.aliases.iter().copied());
        let mut names = known.chain(titles.iter().map(|titles| titles[facts.entry].title));
        if names.any(&fits) {
            codes.push(code);
        }
    }
    codes
}

/// The registered codes of which a name has every term of the text, but for slips of the hand.
fn nearly(text: &str) -> Vec<CloseCode> {
    let wanted = terms(text);
    if wanted.is_empty() || wanted.iter().all(|term| term.len() < 4) {
        return Vec::new();
    }
    codes_named(|name| has_nearly(name, &wanted))
}

/// Letters and digits only, in lower case and without diacritics: `SERVICE_RESTART`, `ServiceRestart`
/// and `service restart` are the same, and so are `Khởi động lại` and `khoi dong lai`.
fn simplified(text: &str) -> String {
    folded(text)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

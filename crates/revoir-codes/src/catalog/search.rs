//! [`search()`]: a code from what somebody typed.

use alloc::string::String;
use alloc::vec::Vec;

use crate::catalog::locale::Locale;
use crate::code::CloseCode;
use crate::facts::{Facts, Scope};

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A number in the text.
    Number(CloseCode),
    /// A number in the text that does not fit into two bytes.
    TooLarge,
    /// The one registered code whose name fits.
    Name(CloseCode),
    /// Several codes fit.
    Several(Vec<CloseCode>),
    /// Nothing fits.
    Nothing,
}

/// Finds the code that `text` speaks of: a number (`1006`, `code: 1006`), a registered name or an
/// alias (`service restart`, `TRY_AGAIN_LATER`), its title in the language of `locale`, or a part
/// of one (`restart`).
#[must_use]
pub fn search(text: &str, locale: &Locale) -> Found {
    if let Some(found) = number(text) {
        return found;
    }
    let wanted = simplified(text);
    if wanted.is_empty() {
        return Found::Nothing;
    }
    let exact = codes_with(locale, |name| name == wanted);
    let found = if exact.is_empty() {
        codes_with(locale, |name| name.contains(&wanted))
    } else {
        exact
    };
    match found[..] {
        [] => Found::Nothing,
        [code] => Found::Name(code),
        _ => Found::Several(found),
    }
}

/// The number in a text. Numbers of four digits win over others, such as a version.
fn number(text: &str) -> Option<Found> {
    let runs = || {
        text.split(|c: char| !c.is_ascii_digit())
            .filter(|run| !run.is_empty())
    };
    let mut numbers: Vec<&str> = runs().filter(|run| run.len() == 4).collect();
    if numbers.is_empty() {
        let whole = text.trim();
        numbers.extend(runs().filter(|run| *run == whole));
    }
    let mut codes: Vec<CloseCode> = Vec::new();
    for number in numbers {
        match number.parse::<u16>() {
            Ok(number) => codes.push(CloseCode::new(number)),
            Err(_) => return Some(Found::TooLarge),
        }
    }
    codes.sort();
    codes.dedup();
    match codes[..] {
        [] => None,
        [code] => Some(Found::Number(code)),
        _ => Some(Found::Several(codes)),
    }
}

/// The registered codes of which some name fits.
fn codes_with(locale: &Locale, fits: impl Fn(&str) -> bool) -> Vec<CloseCode> {
    let titles = [locale, Locale::english()].map(|locale| locale.bodies().entries);
    let mut codes = Vec::new();
    for facts in Facts::registered() {
        let Scope::Code(code) = facts.scope else {
            continue;
        };
        let known = [facts.name, facts.id].into_iter();
        let known = known.chain(facts.aliases.iter().copied());
        let mut names = known.chain(titles.iter().map(|titles| titles[facts.entry].title));
        if names.any(|name| fits(&simplified(name))) {
            codes.push(code);
        }
    }
    codes
}

/// Letters and digits only, in lower case: `SERVICE_RESTART`, `ServiceRestart` and
/// `service restart` are the same.
fn simplified(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

//! Messages of browsers, libraries, proxies and systems: what they say about an ending.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::catalog::causes::Witness;
use crate::catalog::intermediaries::Intermediary;
use crate::catalog::source::Source;
use crate::code::CloseCode;
use crate::generated::diagnosis::MESSAGES;
use crate::generated::signs::Sign;

/// A message, and what it says.
#[derive(Debug)]
#[non_exhaustive]
pub struct Message {
    /// The text to look for. `*` is anything; `{status}`, `{code}` and `{value}` are
    /// an HTTP status, a close code, and a word that goes into the sentence of the sign.
    pub pattern: &'static str,
    /// Whether capitals matter.
    pub exact: bool,
    /// Who says it.
    pub by: &'static str,
    /// The signs that it is.
    pub signs: &'static [Sign],
    /// Whether it is said of connections that had opened, or of those that never did.
    pub opened: Option<bool>,
    /// At which end it is said.
    pub witness: Option<Witness>,
    /// The intermediary that says it, or that it speaks of.
    pub intermediary: Option<&'static Intermediary>,
    /// The message as it is seen; `None` if it is the pattern itself.
    pub example: Option<&'static str>,
    /// Where the wording is from.
    pub source: Source,
}

/// Every message on record.
#[must_use]
pub fn messages() -> &'static [Message] {
    MESSAGES
}

/// What a message names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// An HTTP status.
    pub status: Option<u16>,
    /// A close code.
    pub code: Option<CloseCode>,
    /// Anything else.
    pub value: Option<String>,
}

/// The messages that a text contains, with what they name.
#[must_use]
pub fn recognise(text: &str) -> Vec<(&'static Message, Named)> {
    let lower = text.to_ascii_lowercase();
    let names = |message: &Message| match message.exact {
        true => find(message.pattern, text),
        false => find(&message.pattern.to_ascii_lowercase(), &lower),
    };
    let found: Vec<_> = messages()
        .iter()
        .filter_map(|message| Some((message, names(message)?)))
        .collect();
    // What is part of a longer message means what that one means.
    let is_part = |message: &Message| {
        let longer = |(other, _): &(&Message, Named)| {
            other.pattern.len() > message.pattern.len()
                && !other.signs.is_empty()
                && contains_ignoring_case(other.pattern, message.pattern)
        };
        found.iter().any(longer)
    };
    found
        .iter()
        .filter(|(message, _)| !is_part(message))
        .cloned()
        .collect()
}

/// Those of them that are said at this end, where it is known: the same words at the other end are another software's.
pub(super) fn recognise_at(
    end: Option<Witness>,
    text: &str,
) -> impl Iterator<Item = (&'static Message, Named)> {
    let at_server = |witness: Witness| witness == Witness::Server;
    recognise(text).into_iter().filter(move |(message, _)| {
        end.zip(message.witness)
            .is_none_or(|(end, of)| at_server(end) == at_server(of))
    })
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase()
        .contains(&part.to_ascii_lowercase())
}

/// Looks for a pattern anywhere in a text.
fn find(pattern: &str, text: &str) -> Option<Named> {
    let special = pattern.find(['*', '{']).unwrap_or(pattern.len());
    text.match_indices(&pattern[..special])
        .find_map(|(at, _)| matches(pattern, &text[at..]))
}

/// Whether a text begins with a pattern, and what it names.
fn matches(pattern: &str, text: &str) -> Option<Named> {
    let special = pattern.find(['*', '{']).unwrap_or(pattern.len());
    let (literal, rest) = pattern.split_at(special);
    let text = text.strip_prefix(literal)?;
    if rest.is_empty() {
        return Some(Named::default());
    }
    if let Some(rest) = rest.strip_prefix('*') {
        return find(rest, text);
    }
    let (name, rest) = rest[1..].split_once('}')?;
    let end = |stop: fn(char) -> bool| text.find(stop).unwrap_or(text.len());
    let (value, after) = match name {
        "value" => text.split_at(end(|c| {
            c.is_whitespace() || matches!(c, ',' | ')' | '\'' | '"')
        })),
        _ => text.split_at(end(|c| !c.is_ascii_digit())),
    };
    if value.is_empty() {
        return None;
    }
    let mut named = matches(rest, after)?;
    match name {
        "status" => named.status = Some(value.parse().ok()?),
        "code" => named.code = Some(CloseCode::new(value.parse().ok()?)),
        _ => named.value = Some(value.to_owned()),
    }
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_anywhere_and_names_numbers() {
        let named = find("response code: {status}", "error: response code: 502").unwrap();
        assert_eq!(named.status, Some(502));
        assert!(find("response code: {status}", "response code: none").is_none());
        let named = find("code={code} *closed", "x code=1006 and it closed").unwrap();
        assert_eq!(named.code, Some(CloseCode::ABNORMAL_CLOSURE));
        assert!(find("code={code} *closed", "code=1006 and it opened").is_none());
        assert!(find("code={code}", "code=99999").is_none());
        let named = find("bad '{value}'", "it is bad 'x-foo' here").unwrap();
        assert_eq!(named.value.as_deref(), Some("x-foo"));
    }

    #[test]
    fn every_message_is_recognised_as_itself() {
        for message in messages() {
            let example = message.example.unwrap_or(message.pattern);
            assert!(!example.contains(['{', '*']), "no example of `{example}`");
            let found = recognise(example);
            let itself = found.iter().find(|(of, _)| of.pattern == message.pattern);
            let (_, named) = itself.expect(example);
            let names_status = message.pattern.contains("{status}");
            assert_eq!(names_status, named.status.is_some(), "{example}");
        }
    }
}

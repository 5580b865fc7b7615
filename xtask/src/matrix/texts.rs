//! From `conformance/results` to `data/messages/measured.toml` of `revoir-codes`: the texts that say of what a connection died.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;

use super::results::{Case, Results};
use crate::data::{Message, codes_crate, messages_by_hand};

/// Cases whose ids begin so, what that is a sign of, whether the connection had opened, and words of which one has to stand in the
/// text. Without them a text says the same of anything.
type SignOfEnding = (
    &'static [&'static str],
    &'static str,
    Option<bool>,
    &'static [&'static str],
);

/// What a text of the runs may be a sign of.
const ENDINGS: [SignOfEnding; 15] = [
    (
        &["opening.client.status-no-number"],
        "head-malformed",
        Some(false),
        &["status"],
    ),
    (
        &["opening.client.status-"],
        "handshake-rejected",
        Some(false),
        &["{status}"],
    ),
    (
        &["opening.client.accept-"],
        "accept-wrong",
        Some(false),
        &["accept", "key", "challenge"],
    ),
    (
        &[
            "opening.client.upgrade-missing",
            "opening.client.upgrade-other",
            "opening.client.connection-missing",
            "opening.client.connection-close",
        ],
        "upgrade-header-missing",
        Some(false),
        &["upgrade", "connection h", "connection f"],
    ),
    (
        &["opening.client.extension-"],
        "extension-unoffered",
        Some(false),
        &["extension"],
    ),
    (
        &["opening.client.protocol-"],
        "subprotocol-unoffered",
        Some(false),
        &["protocol"],
    ),
    (
        &["opening.client.no-http"],
        "not-http",
        Some(false),
        &["http", "status line"],
    ),
    // That a stream ended or was reset is said of any stream: these have to speak of the protocol.
    (
        &["opening.client.fin-"],
        "handshake-eof",
        Some(false),
        &["websocket", "handshake", "before"],
    ),
    (
        &["opening.client.reset-"],
        "handshake-reset",
        Some(false),
        &["websocket", "handshake", "before"],
    ),
    (&["tcp.fin."], "fin", Some(true), &["websocket", "frame"]),
    (&["tcp.reset."], "rst", Some(true), &["websocket", "frame"]),
    (
        &["codes.reserved.", "codes.undefined."],
        "illegal-code-received",
        Some(true),
        &["code", "close"],
    ),
    (&["text.invalid."], "bad-utf8", Some(true), &["utf"]),
    (&["frames.opcode."], "frame-broken", Some(true), &["opcode"]),
    (
        &["codes.app.forbidden-", "codes.app.reason-"],
        "invalid-close-argument",
        None,
        &[
            "must",
            "may not",
            "cannot",
            "neither",
            "less than",
            "invalid",
            "illegalargument",
        ],
    ),
];

/// Shorter ones may be anybody's.
const SHORTEST: usize = 18;

/// Longer ones are no message but a report.
const LONGEST: usize = 160;

/// What the suite itself has put into a text, and what stands for it.
const OWN: [(&str, &str); 7] = [
    ("x-nobody-asked", "{value}"),
    ("SSH-2.0-OpenSSH_9.7", "*"),
    ("ssh-2.0-openssh_9.7", "*"),
    ("HTTP/1.1 abc Switching Protocols", "*"),
    ("h2c", "*"),
    ("\"abc\"", "\"*\""),
    ("/elsewhere", "*"),
];

/// What a status is called.
const PHRASES: [&str; 16] = [
    "OK",
    "No Content",
    "Moved Permanently",
    "Found",
    "Temporary Redirect",
    "Bad Request",
    "Unauthorized",
    "Forbidden",
    "Not Found",
    "Proxy Authentication Required",
    "Upgrade Required",
    "Too Many Requests",
    "Internal Server Error",
    "Bad Gateway",
    "Service Unavailable",
    "Gateway Timeout",
];

/// A text as a pattern, and all that is known of it.
#[derive(Default)]
struct MeasuredText {
    /// What its cases are signs of; `None` for all other cases.
    signs: BTreeSet<Option<&'static str>>,
    by: BTreeSet<String>,
    sides: BTreeSet<String>,
    example: String,
    /// The case and the version that it was first seen with.
    source: String,
}

#[derive(Serialize)]
struct File {
    message: Vec<Message>,
}

/// The file, and what stands in it.
pub(super) fn file(
    results: &[Results],
    called: &BTreeMap<String, String>,
) -> anyhow::Result<(PathBuf, String)> {
    let by_hand = messages_by_hand(&codes_crate().join("data"))?;
    let all = texts(results, called);
    let (mut found, mut left) = (Vec::new(), BTreeMap::new());
    for (pattern, text) in &all {
        match message(pattern, text, &all, &by_hand) {
            Ok(message) => found.push(message),
            Err(why) => *left.entry(why).or_insert(0) += 1,
        }
    }
    found.sort_by(|a, b| (&a.by, &a.text).cmp(&(&b.by, &b.text)));
    let left: Vec<String> = left
        .iter()
        .map(|(why, count)| format!("# {count:4} {why}\n"))
        .collect();
    let head = format!(
        "# Texts of the runs of `revoir conform` that say of what a connection died. Generated by `cargo xtask data` from\n\
         # conformance/results; the keys are explained in ../messages.toml. Of {} texts {} are here. The others:\n{}\n",
        all.len(),
        found.len(),
        left.concat(),
    );
    let text = toml::to_string(&File { message: found }).context("write messages as TOML")?;
    Ok((
        codes_crate().join("data/messages/measured.toml"),
        head + &text,
    ))
}

/// Every text of every run, as a pattern.
fn texts(results: &[Results], called: &BTreeMap<String, String>) -> BTreeMap<String, MeasuredText> {
    let mut all = BTreeMap::new();
    for results in results {
        // revoir's own texts are read by their fields.
        if results.intermediary || results.name == "revoir" {
            continue;
        }
        let name = called.get(&results.name).unwrap_or(&results.name);
        for (side, cases) in &results.roles {
            for case in cases {
                if let Some(case) = results.steady(side, &case.case) {
                    add(&mut all, results, name, side, case);
                }
            }
        }
    }
    all
}

fn add(
    all: &mut BTreeMap<String, MeasuredText>,
    results: &Results,
    name: &str,
    side: &str,
    case: &Case,
) {
    for event in &case.told {
        let said = |key: &str| event.get(key).and_then(serde_json::Value::as_str);
        // Without a class, what an adapter says of a refusal is its own words.
        let is_own = said("event") == Some("refused") && said("class").is_none();
        let Some(text) = said("text").filter(|_| !is_own) else {
            continue;
        };
        let Some(line) = innermost(text).filter(|line| !line.contains(['{', '*'])) else {
            continue;
        };
        let text = all.entry(pattern(line, &case.case)).or_default();
        text.signs
            .insert(ending(&case.case).map(|(_, sign, _, _)| *sign));
        text.by.insert(name.to_owned());
        text.sides.insert(side.to_owned());
        if text.example.is_empty() {
            text.example = example(line);
            text.source = format!(
                "revoir conform {side}, {}, {name} {}, {}",
                case.case, results.version, results.date
            );
        }
    }
}

type Ending = (
    &'static [&'static str],
    &'static str,
    Option<bool>,
    &'static [&'static str],
);

fn ending(case: &str) -> Option<&'static Ending> {
    ENDINGS
        .iter()
        .find(|(ids, ..)| ids.iter().any(|id| case.starts_with(id)))
}

/// The first line of what the error was caused by in the end.
fn innermost(text: &str) -> Option<&str> {
    let cause = [" Caused by: ", " ---> "]
        .iter()
        .fold(text, |text, sign| text.rsplit(sign).next().unwrap_or(text));
    let line = cause.lines().next()?.trim();
    (!line.is_empty()).then_some(line)
}

/// The message of a pattern, or why there is none.
fn message(
    pattern: &str,
    text: &MeasuredText,
    all: &BTreeMap<String, MeasuredText>,
    by_hand: &[Message],
) -> Result<Message, &'static str> {
    let one = || {
        let mut signs = text.signs.iter();
        signs.next().filter(|_| signs.next().is_none())
    };
    let sign = one().ok_or("are said of endings of more than one kind")?;
    let sign = sign.ok_or("are said of endings that they are no sign of")?;
    let (_, _, opened, words) = ENDINGS
        .iter()
        .find(|(_, one, ..)| *one == sign)
        .ok_or("are said of endings that they are no sign of")?;
    let lower = pattern.to_lowercase();
    if !words.iter().any(|word| lower.contains(word)) {
        return Err("do not say what happened");
    }
    let letters: usize = pieces(pattern).iter().map(|piece| piece.trim().len()).sum();
    if letters < SHORTEST
        || !pieces(pattern)
            .iter()
            .any(|piece| piece.trim().contains(' '))
    {
        return Err("are too short to be anybody's own");
    }
    if pattern.len() > LONGEST {
        return Err("are too long to be a message");
    }
    let differs =
        |other: &&MeasuredText| other.signs != text.signs && contains(&other.example, pattern);
    if all.values().any(|other| differs(&other)) {
        return Err("are part of texts that are said of other endings");
    }
    // Without signs: somebody has seen that it is said of more than the suite plays.
    let speaks = |message: &&Message| !message.signs.is_empty() || message.text == pattern;
    let mut by_hand = by_hand.iter().filter(speaks);
    let known = |message: &Message| {
        let seen = message.example.as_deref().unwrap_or(&message.text);
        contains(&text.example, &message.text) || contains(seen, pattern)
    };
    if by_hand.any(known) {
        return Err("are known to messages.toml");
    }
    let by: Vec<&str> = text.by.iter().map(String::as_str).collect();
    let mut sides = text.sides.iter();
    Ok(Message {
        text: pattern.to_owned(),
        exact: false,
        by: by.join(", "),
        example: (text.example != pattern).then(|| text.example.clone()),
        signs: vec![sign.to_owned()],
        opened: *opened,
        witness: sides.next().filter(|_| sides.next().is_none()).cloned(),
        intermediary: None,
        evidence: "measured".to_owned(),
        source: text.source.clone(),
    })
}

/// Whether a text has all pieces of a pattern in their order.
fn contains(text: &str, pattern: &str) -> bool {
    let text = text.to_lowercase();
    let mut rest = &text[..];
    pieces(&pattern.to_lowercase()).iter().all(|piece| {
        let Some(at) = rest.find(&**piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
        true
    })
}

/// What stands between the places of a pattern.
fn pieces(pattern: &str) -> Vec<String> {
    let parts = pattern.split('*').flat_map(|part| part.split('{'));
    let parts = parts.map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A text as it is seen: the suite's address is another.
pub(super) fn example(line: &str) -> String {
    let line = with_urls(line, "ws://example.com/ws");
    line.replace("127.0.0.1:PORT", "192.0.2.1:443")
        .replace("'127.0.0.1', PORT", "'192.0.2.1', 443")
}

/// The text with places for what is another in each connection.
fn pattern(line: &str, case: &str) -> String {
    let mut text = with_urls(line, "*")
        .replace("127.0.0.1:PORT", "*")
        .replace("'127.0.0.1', PORT", "*");
    for (own, place) in OWN {
        text = text.replace(own, place);
    }
    let words = text.split(' ').map(|word| place_of(word, case));
    text = words.collect::<Vec<_>>().join(" ");
    if let Some(number) = numbered(case) {
        // Java's client prints the number as a character.
        let char = number.parse().ok().and_then(char::from_u32);
        text = char.map_or_else(
            || text.clone(),
            |char| text.trim_end_matches(char).to_owned(),
        );
        let place = if case.starts_with("codes.") {
            "{code}"
        } else {
            "{status}"
        };
        text = with_number(&text, number, place);
        for phrase in PHRASES {
            for said in [
                format!(" {phrase}"),
                format!(" ({phrase})"),
                format!(": {phrase}"),
            ] {
                text = text.replace(&format!("{{status}}{said}"), "{status}");
            }
        }
    }
    // A value ends where a word does.
    let mut parts = text.split("{value}");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = part.is_empty() || part.starts_with([' ', ',', ')', '\'', '"']);
        text.push_str(if ends { "{value}" } else { "*" });
        text.push_str(part);
    }
    text.trim_matches([' ', '*']).to_owned()
}

/// The number that a case has in its name and on the wire.
fn numbered(case: &str) -> Option<&str> {
    let is_numbered = ["codes.", "opening.client.status-"]
        .iter()
        .any(|group| case.starts_with(group));
    let number = case.rsplit(['.', '-']).next()?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    (is_numbered && is_number).then_some(number)
}

/// A word, or a place for it: keys, bytes, and numbers that say where.
fn place_of(word: &str, case: &str) -> String {
    let core = word.trim_matches(|char: char| !char.is_ascii_alphanumeric() && char != '=');
    let is_key = core.len() >= 24
        && (core.contains('=') || core.contains('+'))
        && core
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let is_byte = core.len() == 2
        && core.starts_with(|char: char| char.is_ascii_uppercase())
        && core.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number =
        core.starts_with(|char: char| char.is_ascii_digit()) && !core.starts_with("1007");
    let is_place = case.starts_with("text.") && (is_byte || is_number);
    let is_opcode = case.starts_with("frames.opcode.") && ["3", "83"].contains(&core);
    match () {
        () if word.starts_with("b'") || word.starts_with("b\"") => "*".to_owned(),
        () if is_key || is_place => word.replace(core, "*"),
        () if is_opcode => word.replace(core, "{value}"),
        () => word
            .replace("opcode(3)", "opcode({value})")
            .replace("opcode=3", "opcode={value}")
            .replace("byte=3", "byte={value}"),
    }
}

/// Replaces the last occurrence of a number that is no part of another.
fn with_number(text: &str, number: &str, place: &str) -> String {
    let is_digit = |char: Option<char>| char.is_some_and(|char| char.is_ascii_digit());
    let mut found = text.rmatch_indices(number);
    let own = found.find(|(at, _)| {
        let (before, after) = (&text[..*at], &text[at + number.len()..]);
        !is_digit(before.chars().next_back()) && !is_digit(after.chars().next())
    });
    match own {
        Some((at, _)) => format!("{}{place}{}", &text[..at], &text[at + number.len()..]),
        None => text.to_owned(),
    }
}

fn with_urls(text: &str, place: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let Some(at) = ["ws://", "wss://", "http://"]
            .iter()
            .filter_map(|scheme| rest.find(scheme))
            .min()
        else {
            return out + rest;
        };
        let url = &rest[at..];
        let ends = |char: char| char.is_whitespace() || "'\",)]".contains(char);
        // A colon behind it is the sentence's.
        let end = url.find(ends).unwrap_or(url.len());
        let end = end - usize::from(url[..end].ends_with(':'));
        out.push_str(&rest[..at]);
        out.push_str(place);
        rest = &url[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_connection_to_connection_becomes_a_place() {
        for (line, case, right) in [
            (
                "Unexpected server response: 404",
                "opening.client.status-404",
                "Unexpected server response: {status}",
            ),
            (
                "got status code 503 Service Unavailable",
                "opening.client.status-503",
                "got status code {status}",
            ),
            (
                "Dial ws://127.0.0.1:PORT/a/1: bad status",
                "opening.client.status-200",
                "Dial *: bad status",
            ),
            (
                "codes 1004-1006. Received 1004.",
                "codes.app.forbidden-1004",
                "codes 1004-1006. Received {code}.",
            ),
            (
                "byte 0xc3 in position 2: end",
                "text.invalid.cut-2",
                "byte * in position *: end",
            ),
            (
                "unknown extension \"x-nobody-asked\"",
                "opening.client.extension-unasked",
                "unknown extension \"{value}\"",
            ),
            (
                "Key k3XsVLD/+Z/1Qb8ulcuftoQwEz8=. is wrong",
                "opening.client.accept-wrong",
                "Key *. is wrong",
            ),
            (
                "Invalid opcode 3",
                "frames.opcode.3",
                "Invalid opcode {value}",
            ),
        ] {
            assert_eq!(pattern(line, case), right, "{line}");
        }
    }

    #[test]
    fn a_pattern_is_found_in_what_it_was_made_of() {
        assert!(contains("Got Status 404, sorry", "got status {status}"));
        assert!(contains("a b c", "a*c"));
        assert!(!contains("c b a", "a*c"));
        assert_eq!(
            innermost("null Caused by: a.B: it failed\n at x"),
            Some("a.B: it failed")
        );
    }
}

//! A text line by line, without what says nothing: frames of stacks, addresses and paths.

use alloc::string::String;
use alloc::vec::Vec;

use super::words::{self, Word};

/// The lines of a text with their words. Those of addresses and paths are not among them: what
/// stands in a URL says nothing of an ending.
pub(super) fn of(text: &str) -> impl Iterator<Item = (&str, Vec<Word>)> {
    text.lines()
        .filter(|line| !line.trim().is_empty() && !is_stack_frame(line))
        .map(|line| (line, words::words(&without_addresses(line))))
}

/// A line of a stack trace that names a place in code and nothing else.
fn is_stack_frame(line: &str) -> bool {
    let trimmed = line.trim();
    let in_code = trimmed.starts_with("at ") && trimmed.contains(['(', ':', '.']);
    let in_python = trimmed.starts_with("File \"") && trimmed.contains(", line ");
    let in_go = line.starts_with(['\t', ' ']) && trimmed.contains(".go:");
    let marks = trimmed
        .chars()
        .all(|c| matches!(c, '^' | '~' | '-' | '=' | ' '));
    in_code || in_python || in_go || marks
}

/// The words of the URLs and absolute paths in a line.
pub(super) fn words_of_addresses(line: &str) -> Vec<Word> {
    let (_, addresses) = split(line);
    words::words(&addresses)
}

/// A line of the same length in bytes with spaces in place of URLs and absolute paths.
fn without_addresses(line: &str) -> String {
    split(line).0
}

/// A line without its addresses, and the addresses by themselves.
fn split(line: &str) -> (String, String) {
    let mut out = String::with_capacity(line.len());
    let mut addresses = String::new();
    let mut rest = line;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let length = match address(rest, before) {
            0 => {
                out.push(c);
                c.len_utf8()
            }
            length => {
                out.extend(core::iter::repeat_n(' ', length));
                addresses.push_str(&rest[..length]);
                addresses.push(' ');
                length
            }
        };
        before = rest[..length].chars().next_back().unwrap_or(' ');
        rest = &rest[length..];
    }
    (out, addresses)
}

/// How many bytes of an address a text begins with.
fn address(text: &str, before: char) -> usize {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ')' | '>' | ',' | ';' | '`');
    let end = || text.find(ends).unwrap_or(text.len());
    let starts_word = !before.is_alphanumeric();
    let scheme = ["ws://", "wss://", "http://", "https://", "ws:/", "wss:/"];
    let is_url = starts_word && scheme.iter().any(|scheme| text.starts_with(scheme));
    let is_path = matches!(before, ' ' | '"' | '\'' | '(')
        && text.starts_with('/')
        && text[1..].starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    if is_url || is_path { end() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(text: &str) -> Vec<String> {
        let of_line = |(_, words): (&str, Vec<Word>)| {
            let words: Vec<String> = words.into_iter().map(|word| word.text).collect();
            words.join(" ")
        };
        of(text).map(of_line).collect()
    }

    #[test]
    fn addresses_and_paths_say_nothing() {
        assert_eq!(
            spoken("connection to 'wss://a.example/proxy/closed?x=timeout' failed: 404"),
            ["connection to failed 404"]
        );
        assert_eq!(
            spoken("\"GET /ws/proxy HTTP/1.1\" 502"),
            ["get http 1 1 502"]
        );
        assert_eq!(spoken("ping/pong timed out"), ["ping pong timeout"]);
        let words = words_of_addresses("to 'wss://a.example/hub?id=x' failed: GET /ws");
        let words: Vec<_> = words.into_iter().map(|word| word.text).collect();
        assert_eq!(words, ["wss", "a", "example", "hub", "id", "x", "ws"]);
    }

    #[test]
    fn frames_of_a_stack_are_no_lines() {
        let text = "Error: write EPIPE\n    at TLSSocket.onClosed (events.js:1:2)\n  File \"a.py\", line 3\n";
        assert_eq!(spoken(text), ["error write epipe"]);
    }
}

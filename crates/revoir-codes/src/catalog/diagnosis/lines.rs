//! A text line by line, without what says nothing: frames of stacks, addresses and paths.

use alloc::string::String;
use alloc::vec::Vec;

use super::words::{self, Word};

/// A line, and what stands in it.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// As it is.
    pub(super) text: &'a str,
    /// Its words but for those of addresses and paths: what stands in a URL says nothing of an ending.
    pub(super) words: Vec<Word>,
    /// The addresses and paths in it.
    pub(super) addresses: Vec<Address>,
}

/// A URL or an absolute path, as words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Address {
    /// The name or the address of the host; empty for a path by itself.
    pub(super) host: Vec<Word>,
    /// The path, and behind it the names of the parameters.
    pub(super) path: Vec<Word>,
}

/// The lines of a text.
pub(super) fn of(text: &str) -> impl Iterator<Item = Line<'_>> {
    let lines = text.lines();
    let lines = lines.filter(|line| !line.trim().is_empty() && !is_stack_frame(line));
    lines.map(line)
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

/// A line apart from its addresses, in whose place spaces stand.
pub(super) fn line(text: &str) -> Line<'_> {
    let mut spoken = String::with_capacity(text.len());
    let mut addresses = Vec::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let length = match address(rest, before) {
            0 => {
                spoken.push(c);
                c.len_utf8()
            }
            length => {
                spoken.extend(core::iter::repeat_n(' ', length));
                addresses.push(Address::of(&rest[..length]));
                length
            }
        };
        before = rest[..length].chars().next_back().unwrap_or(' ');
        rest = &rest[length..];
    }
    Line {
        text,
        words: words::words(&spoken),
        addresses,
    }
}

impl Address {
    fn of(text: &str) -> Self {
        let (host, resource) = match text.split_once(":/") {
            Some((_, rest)) => {
                let rest = rest.trim_start_matches('/');
                rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
            }
            None => ("", text),
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let port = host.rsplit_once(':');
        let port = port.filter(|(_, port)| port.chars().all(|c| c.is_ascii_digit()));
        let host = port.map_or(host, |(host, _)| host);
        let (path, query) = resource.split_once('?').unwrap_or((resource, ""));
        let mut path = String::from(path);
        for parameter in query.split('&') {
            path.push(' ');
            path.push_str(parameter.split('=').next().unwrap_or_default());
        }
        Self {
            host: words::words(host),
            path: words::words(&path),
        }
    }
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

    fn said(words: &[Word]) -> String {
        let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ")
    }

    fn spoken(text: &str) -> Vec<String> {
        of(text).map(|line| said(&line.words)).collect()
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
    }

    #[test]
    fn an_address_is_a_host_and_a_path_with_names_of_parameters() {
        for (text, host, path) in [
            (
                "'wss://u:p@a.example:8443/hub?id=x&y=z'",
                "a example",
                "hub id y",
            ),
            ("ws://[::1]:3000", "1", ""),
            ("ws://10.0.0.5/ws#x", "10 0 0 5", "ws x"),
            ("https://a.example?x=wss", "a example", "x"),
            ("GET /ws/10.0?b", "", "ws 10 0 b"),
        ] {
            let of = line(text).addresses;
            assert_eq!(of.len(), 1, "{text}");
            assert_eq!(
                (said(&of[0].host), said(&of[0].path)),
                (host.into(), path.into())
            );
        }
    }

    #[test]
    fn frames_of_a_stack_are_no_lines() {
        let text = "Error: write EPIPE\n    at TLSSocket.onClosed (events.js:1:2)\n  File \"a.py\", line 3\n";
        assert_eq!(spoken(text), ["error write epipe"]);
    }
}

//! Which messages on record are most like a line that is not.

use alloc::vec::Vec;

use super::messages::messages;
use super::words::{self, Word};

/// So many are named at most.
const MOST: usize = 3;

/// So many words have to be in common.
const LEAST: usize = 2;

/// Words that say nothing by themselves.
const COMMON: [&str; 22] = [
    "the",
    "a",
    "an",
    "of",
    "to",
    "in",
    "on",
    "for",
    "and",
    "or",
    "is",
    "was",
    "be",
    "not",
    "no",
    "with",
    "at",
    "by",
    "error",
    "websocket",
    "connection",
    "failed",
];

/// The messages that have most telling words in common with a line, most alike first.
pub(super) fn messages_like(line: &[Word]) -> Vec<&'static str> {
    let telling = |word: &&Word| !COMMON.contains(&word.text.as_str());
    let own: Vec<&Word> = line.iter().filter(telling).collect();
    let mut found: Vec<(usize, usize, &'static str)> = messages()
        .iter()
        .filter_map(|message| {
            let text = message.example.unwrap_or(message.pattern);
            let words = words::words(text);
            let words: Vec<&Word> = words.iter().filter(telling).collect();
            let is_there = |word: &&&Word| words.iter().any(|other| other.text == word.text);
            let common = own.iter().filter(is_there).count();
            (common >= LEAST).then_some((common * 100 / words.len().max(1), common, text))
        })
        .collect();
    found.sort_by_key(|(part, common, _)| core::cmp::Reverse((*common, *part)));
    found
        .into_iter()
        .take(MOST)
        .map(|(_, _, text)| text)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_like_messages_with_the_same_telling_words() {
        let near = |line| messages_like(&words::words(line));
        assert!(
            near("server closed before a valid HTTP response")[0].contains("valid HTTP response")
        );
        assert!(near("the flux capacitor is empty").is_empty());
    }
}

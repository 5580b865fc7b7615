//! A text as words, however a language or a library writes them: `ConnectionResetError`,
//! `connection-reset error` and `Connection reset: error` are the same three.

use alloc::string::String;
use alloc::vec::Vec;

/// A word in lower case, and where it begins in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) at: usize,
}

/// Two words that are often written as one, and that one.
const JOINED: [(&str, &str, &str); 12] = [
    ("web", "socket", "websocket"),
    ("web", "sockets", "websockets"),
    ("timed", "out", "timeout"),
    ("time", "out", "timeout"),
    ("hand", "shake", "handshake"),
    ("keep", "alive", "keepalive"),
    ("host", "name", "hostname"),
    ("sub", "protocol", "subprotocol"),
    ("sub", "protocols", "subprotocol"),
    ("heart", "beat", "heartbeat"),
    ("status", "code", "statuscode"),
    ("close", "code", "closecode"),
];

/// The words of a line.
pub(crate) fn words(line: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut current = String::new();
    let mut begin = 0;
    let mut characters = line.char_indices().peekable();
    let mut before = ' ';
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map_or(' ', |(_, next)| *next);
        // `don't` is one word.
        if matches!(c, '\'' | '’') && before.is_alphabetic() && next.is_alphabetic() {
            continue;
        }
        let hump = c.is_uppercase()
            && (before.is_lowercase() || before.is_uppercase() && next.is_lowercase());
        // `代码1006` are two words.
        let figure = c.is_ascii_digit() && before.is_alphabetic() && !before.is_ascii();
        if (!c.is_alphanumeric() || hump || figure) && !current.is_empty() {
            push(&mut found, core::mem::take(&mut current), begin);
        }
        if c.is_alphanumeric() {
            if current.is_empty() {
                begin = at;
            }
            current.extend(c.to_lowercase());
        }
        before = c;
    }
    if !current.is_empty() {
        push(&mut found, current, begin);
    }
    found
}

/// Adds a word, together with the one before it where both are one.
fn push(found: &mut Vec<Word>, text: String, at: usize) {
    if let Some(last) = found.last_mut() {
        let joined = JOINED
            .iter()
            .find(|(one, other, _)| last.text == *one && text == *other);
        if let Some((_, _, both)) = joined {
            last.text = (*both).into();
            return;
        }
    }
    let text = if text == "timedout" {
        "timeout".into()
    } else {
        text
    };
    found.push(Word { text, at });
}

/// Whether a sequence of words stands in a line. A word that ends with `*` is the beginning of one; `^`
/// before the sequence is the beginning of the line, and `$` behind it the end.
pub(super) fn contains(line: &[Word], sequence: &str) -> bool {
    let (begins, sequence) = without(sequence.strip_prefix('^'), sequence);
    let (ends, sequence) = without(sequence.strip_suffix('$'), sequence);
    let wanted = || sequence.split(' ').filter(|word| !word.is_empty());
    let length = wanted().count();
    let stands = |(at, place): (usize, &[Word])| {
        (!begins || at == 0)
            && (!ends || at + length == line.len())
            && place.iter().zip(wanted()).all(|(word, of)| is(word, of))
    };
    length > 0 && line.windows(length).enumerate().any(stands)
}

/// Whether a mark was there, and the text without it.
fn without<'a>(stripped: Option<&'a str>, text: &'a str) -> (bool, &'a str) {
    (stripped.is_some(), stripped.unwrap_or(text))
}

fn is(word: &Word, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(beginning) => word.text.starts_with(beginning),
        None => word.text == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(line: &str) -> String {
        let words: Vec<String> = words(line).into_iter().map(|word| word.text).collect();
        words.join(" ")
    }

    #[test]
    fn words_are_the_same_however_they_are_written() {
        for line in [
            "ConnectionResetError",
            "connection-reset error",
            "Connection reset: error!",
            "CONNECTION_RESET_ERROR",
        ] {
            assert_eq!(spoken(line), "connection reset error");
        }
        assert_eq!(spoken("SSLHandshakeException"), "ssl handshake exception");
        assert_eq!(
            spoken("timed out, Time-out, timeout"),
            "timeout timeout timeout"
        );
        assert_eq!(spoken("didn't, didn’t"), "didnt didnt");
        assert_eq!(spoken("'upgrade' token"), "upgrade token");
        assert_eq!(spoken("WebSocket RSV1 utf8"), "websocket rsv1 utf8");
        assert_eq!(spoken("错误代码1006"), "错误代码 1006");
        assert_eq!(
            words("a  bc")[1],
            Word {
                text: "bc".into(),
                at: 3
            }
        );
    }

    #[test]
    fn a_sequence_is_found_as_a_whole() {
        let line = words("the pong was not received in time");
        assert!(contains(&line, "not receiv*") && contains(&line, "pong was"));
        assert!(!contains(&line, "pong not") && !contains(&line, "receiv"));
        assert!(!contains(&line, "") && !contains(&[], "^a$"));
        assert!(contains(&line, "^the pong") && !contains(&line, "^pong was"));
        assert!(contains(&line, "in time$") && !contains(&line, "received in$"));
    }
}

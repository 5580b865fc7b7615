//! A text as terms to look for: the same for `Khởi động lại`, `khoi dong lai` and `ＫＨＯＩ`, for
//! `ECONNRESET` and `econnreset`, for `60 s`, `60秒` and `one minute`.
//!
//! The search of the pages does the same in the browser (`search.js`); a test runs both on the same texts.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::catalog::diagnosis::words;

/// What stands for the letters of a block from its first on; `.`: themselves, `?`: two letters.
const LATIN: [(u32, &str); 4] = [
    (
        0xC0,
        "aaaaaa?ceeeeiiiidnooooo.ouuuuy??aaaaaa?ceeeeiiiidnooooo.ouuuuy?yaaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkkllllll..llnnnnnn.nnoooooo??rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs",
    ),
    (0x1A0, "oo.............uu"),
    (0x1CD, "aaiioouuuuuuuuuu"),
    (
        0x1E00,
        "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy.s..?.aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......",
    ),
];

/// Letters that are written as two.
const TWO: [(char, &str); 5] = [
    ('æ', "ae"),
    ('œ', "oe"),
    ('ß', "ss"),
    ('ẞ', "ss"),
    ('þ', "th"),
];

/// Units of time in the complete languages, in seconds.
const UNITS: [(&str, u32); 26] = [
    ("s", 1),
    ("sec", 1),
    ("secs", 1),
    ("second", 1),
    ("seconds", 1),
    ("seconde", 1),
    ("secondes", 1),
    ("giay", 1),
    ("秒", 1),
    ("秒钟", 1),
    ("min", 60),
    ("mins", 60),
    ("minute", 60),
    ("minutes", 60),
    ("phut", 60),
    ("分", 60),
    ("分钟", 60),
    ("h", 3600),
    ("hr", 3600),
    ("hour", 3600),
    ("hours", 3600),
    ("heure", 3600),
    ("heures", 3600),
    ("gio", 3600),
    ("时", 3600),
    ("小时", 3600),
];

/// The text without diacritics, and in letters of ordinary width; capitals stay.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        let point = u32::from(c);
        match point {
            // Combining diacritics.
            0x300..=0x36F => {}
            0xFF01..=0xFF5E => plain.extend(char::from_u32(point - 0xFEE0)),
            _ => push_plain(&mut plain, c),
        }
    }
    plain
}

fn push_plain(plain: &mut String, c: char) {
    let point = u32::from(c);
    let base = LATIN.iter().find_map(|(first, letters)| {
        let index = usize::try_from(point.checked_sub(*first)?).ok()?;
        letters.as_bytes().get(index).copied()
    });
    match base {
        None | Some(b'.') => plain.push(c),
        Some(b'?') => {
            let lower = c.to_lowercase().next().unwrap_or(c);
            let two = TWO.iter().find(|(letter, _)| *letter == lower);
            match two {
                Some((_, two)) => plain.push_str(two),
                None => plain.push(c),
            }
        }
        Some(base) if c.is_uppercase() => plain.push(base.to_ascii_uppercase().into()),
        Some(base) => plain.push(base.into()),
    }
}

/// The text in lower case, without diacritics, and in letters of ordinary width.
#[must_use]
pub fn folded(text: &str) -> String {
    plain(text).to_lowercase()
}

/// The terms of a text, in its order. Chinese, Japanese, Korean and Thai have no spaces between words: two
/// characters are a term there.
#[must_use]
pub fn terms(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in words::words(&plain(text)) {
        let mut run = String::new();
        for c in word.text.chars() {
            if run
                .chars()
                .next()
                .is_some_and(|first| is_dense(first) != is_dense(c))
            {
                push_run(&mut found, &core::mem::take(&mut run));
            }
            run.push(c);
        }
        push_run(&mut found, &run);
    }
    with_durations(found)
}

/// Whether a term is one that is known, but for slips of the hand: one in four letters, two in eight, none in other
/// scripts than Latin.
#[must_use]
pub fn is_nearly(term: &str, known: &str) -> bool {
    if term == known {
        return true;
    }
    let slips = match term.len() {
        0..=3 => return false,
        4..=7 => 1,
        _ => 2,
    };
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    known.len() >= 4
        && term.len().abs_diff(known.len()) <= slips
        && is_word(term)
        && is_word(known)
        && distance(term.as_bytes(), known.as_bytes()) <= slips
}

/// Whether a text has every one of these terms, but for slips of the hand.
#[must_use]
pub fn has_nearly(text: &str, wanted: &[String]) -> bool {
    let known = terms(text);
    let has = |term: &String| known.iter().any(|known| is_nearly(term, known));
    wanted.iter().all(has)
}

/// How many letters are wrong, missing, too many, or in the wrong order.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let width = b.len() + 1;
    let mut rows = vec![0; (a.len() + 1) * width];
    for (index, cell) in rows.iter_mut().enumerate() {
        let (i, j) = (index / width, index % width);
        if i == 0 || j == 0 {
            *cell = i + j;
        }
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let wrong = usize::from(a[i - 1] != b[j - 1]);
            let at = |i: usize, j: usize| rows[i * width + j];
            let mut least = (at(i - 1, j) + 1)
                .min(at(i, j - 1) + 1)
                .min(at(i - 1, j - 1) + wrong);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(at(i - 2, j - 2) + 1);
            }
            rows[i * width + j] = least;
        }
    }
    rows[rows.len() - 1]
}

/// Whether a character belongs to a script without spaces.
const fn is_dense(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

fn push_run(found: &mut Vec<String>, run: &str) {
    let characters: Vec<char> = run.chars().collect();
    match characters[..] {
        [] => {}
        [first, _, _, ..] if is_dense(first) => {
            found.extend(
                characters
                    .windows(2)
                    .map(|two| two.iter().collect::<String>()),
            );
        }
        _ => found.push(run.into()),
    }
}

/// Joins a number and the unit behind it: `1`, `min` as `60s`.
fn with_durations(terms: Vec<String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::with_capacity(terms.len());
    for term in terms {
        let digits = term
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(term.len());
        let (number, unit) = term.split_at(digits);
        let before = match found.last() {
            Some(last) if last == "one" => Some(1),
            Some(last) => last.parse::<u32>().ok(),
            None => None,
        };
        let glued = number.parse::<u32>().ok();
        match (before, glued, seconds(unit)) {
            (_, Some(number), Some(unit)) => found.push(duration(number, unit)),
            (Some(number), None, Some(unit)) if digits == 0 => {
                found.pop();
                found.push(duration(number, unit));
            }
            _ => found.push(term),
        }
    }
    found
}

fn seconds(unit: &str) -> Option<u32> {
    let known = UNITS.iter().find(|(name, _)| *name == unit);
    known.map(|(_, seconds)| *seconds)
}

fn duration(number: u32, unit: u32) -> String {
    format!("{}s", number.saturating_mul(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (a, b, slips) in [
            ("abnormal", "abnormel", 1),
            ("restart", "retsart", 1),
            ("a", "", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), slips, "{a} {b}");
        }
        assert!(is_nearly("restrat", "restart"));
        assert!(!is_nearly("rest", "test again"));
        assert!(!is_nearly("way", "was"));
    }

    #[test]
    fn letters_lose_their_diacritics_their_case_and_their_width() {
        for (text, expected) in [
            ("Khởi động lại", "khoi dong lai"),
            ("Redémarrage Œuvre straße", "redemarrage oeuvre strasse"),
            ("ＥＣＯＮＮＲＥＳＥＴ", "econnreset"),
            ("Kho\u{31b}\u{309}i", "khoi"),
            ("重启 Ключ", "重启 ключ"),
        ] {
            assert_eq!(folded(text), expected);
        }
    }

    #[test]
    fn a_text_is_its_terms() {
        for (text, expected) in [
            ("net::ERR_CONNECTION_REFUSED", "net err connection refused"),
            ("WebSocket timed out", "websocket timeout"),
            ("Service Khởi động", "service khoi dong"),
            ("服务重启", "服务 务重 重启"),
            ("重启", "重启"),
            (
                "60 seconds, 60s, 1 min, one minute, 60秒, 1分钟",
                "60s 60s 60s 60s 60s 60s",
            ),
            ("nginx 60", "nginx 60"),
            ("1006错误", "1006 错误"),
            ("2h", "7200s"),
            ("", ""),
        ] {
            assert_eq!(terms(text).join(" "), expected, "{text}");
        }
    }
}

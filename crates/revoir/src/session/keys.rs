//! [`read_keys`]: the keys of tokens from a file.

use std::io;
use std::path::Path;

use revoir_session::{KEY_BYTES, Keys};

/// Reads the keys of a server: a line of 64 hexadecimal digits, and while keys rotate a second one. The
/// first seals, both open. `openssl rand -hex 32` writes such a line.
///
/// # Errors
///
/// That of the operating system, or [`InvalidData`](io::ErrorKind::InvalidData) for a file with anything else. What
/// is in it is not repeated.
pub fn read_keys(path: impl AsRef<Path>) -> io::Result<Keys> {
    parse(&std::fs::read_to_string(path)?).ok_or_else(|| {
        let what = "a file of session keys has one or two lines of 64 hexadecimal digits";
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}

fn parse(text: &str) -> Option<Keys> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Option<Vec<[u8; KEY_BYTES]>> = lines.map(key).collect();
    match keys?[..] {
        [key] => Some(Keys::new(key)),
        [new, old] => Some(Keys::rotating(new, old)),
        _ => None,
    }
}

fn key(line: &str) -> Option<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    let digits = line.as_bytes();
    if digits.len() != KEY_BYTES * 2 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_or_two_and_nothing_else() {
        let (one, two) = ("0a".repeat(32), "FF".repeat(32));
        assert!(parse(&one).is_some());
        assert!(parse(&format!("{one}\n{two}\n")).is_some());
        for wrong in [
            String::new(),
            one[1..].to_owned(),
            format!("{one}0"),
            "0g".repeat(32),
            format!("{one}\n{two}\n{one}"),
        ] {
            assert!(parse(&wrong).is_none(), "{wrong}");
        }
    }
}

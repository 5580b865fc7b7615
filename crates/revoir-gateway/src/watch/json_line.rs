//! JSON as lines.

use serde::Serialize;

/// A value as one line. It has no control characters, of which JSON allows some that a terminal
/// obeys: those of C1, such as U+009B.
pub fn line(value: &impl Serialize) -> String {
    // Serializing plain structs with string keys into memory has no way to fail.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    if text.contains(char::is_control) {
        text = text.chars().map(escaped).collect();
    }
    text.push('\n');
    text
}

/// Outside of strings no JSON has such characters, so that the escape is always inside of one.
fn escaped(c: char) -> String {
    match c.is_control() {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_of_a_stranger_reaches_a_terminal() {
        let text = "a\u{9b}31m\u{7f}\u{1b}é";
        let line = line(&text);
        assert_eq!(line, "\"a\\u009b31m\\u007f\\u001bé\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}

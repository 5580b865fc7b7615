//! Text from outside, for a terminal, which obeys control characters.

use revoir::Message;

/// The characters of a text message that a line shows.
const SHOWN_CHARACTERS: usize = 200;

/// The bytes of a binary message that are shown.
const SHOWN_BYTES: usize = 32;

/// One line: control characters are escaped, and what is longer than `longest` characters is cut.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let mut shown: String = escaped(text.chars().take(longest), |_| false);
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

/// Several lines: tabs and line feeds stay.
pub(crate) fn lines(text: &str) -> String {
    escaped(text.chars(), |c| matches!(c, '\n' | '\t'))
}

/// A number of things: `1 message`, `2 messages`.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

/// A message in words: `text, 5 bytes: hello`.
pub(crate) fn message(message: &Message) -> String {
    match message {
        Message::Text(text) => {
            let shown = one_line(text.as_str(), SHOWN_CHARACTERS);
            format!("text, {} bytes: {shown}", text.len())
        }
        Message::Binary(binary) => bytes(binary),
    }
}

/// A binary message in words: `binary, 3 bytes: 00 01 ff`.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    let mut line = format!("binary, {} bytes:", bytes.len());
    for byte in bytes.iter().take(SHOWN_BYTES) {
        line += &format!(" {byte:02x}");
    }
    if bytes.len() > SHOWN_BYTES {
        line.push_str(" …");
    }
    line
}

fn escaped(text: impl Iterator<Item = char>, stays: impl Fn(char) -> bool) -> String {
    let mut shown = String::new();
    for c in text {
        if c.is_control() && !stays(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing_but_text() {
        assert_eq!(
            lines("a\tb\n\x1b[31mred\r\u{9b}1m"),
            "a\tb\n\\u{1b}[31mred\\r\\u{9b}1m"
        );
        assert_eq!(one_line("a\nb\x07", 10), "a\\nb\\u{7}");
        assert_eq!(one_line("服务正在", 3), "服务正…");
    }

    #[test]
    fn a_message_stays_on_its_line() {
        let text = |text: &str| message(&Message::Text(text.into()));
        assert_eq!(text("a\nb\x1b[2J"), "text, 7 bytes: a\\nb\\u{1b}[2J");
        let long = text(&"x".repeat(1000));
        assert!(long.starts_with("text, 1000 bytes: xxx") && long.ends_with("x…"));
        assert_eq!(
            message(&Message::Binary(vec![0, 255].into())),
            "binary, 2 bytes: 00 ff"
        );
    }

    #[test]
    fn a_terminal_gets_a_description_of_bytes() {
        assert_eq!(bytes(&[0, 1, 255]), "binary, 3 bytes: 00 01 ff");
        assert_eq!(bytes(&[]), "binary, 0 bytes:");
        let long = bytes(&[7; 1000]);
        assert!(long.starts_with("binary, 1000 bytes: 07 07") && long.ends_with(" 07 …"));
        assert_eq!(long.matches("07").count(), SHOWN_BYTES);
    }
}

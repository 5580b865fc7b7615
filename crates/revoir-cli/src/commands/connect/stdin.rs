//! Where the messages to send come from.

use std::io::{self, BufRead};
use std::thread;

use tokio::sync::mpsc;

/// Lines that may wait to be sent.
const WAITING: usize = 16;

/// One line.
#[derive(Debug)]
pub(super) enum InputLine {
    Text(String),
    /// It cannot be a message: why.
    Unusable(String),
}

/// The lines of stdin, without their ends. The channel closes with the end of stdin.
///
/// A read of stdin cannot be broken off, so it has a thread that the process does not wait for.
pub(super) fn lines() -> mpsc::Receiver<InputLine> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let reading = thread::Builder::new().name("stdin".to_owned());
    let started = reading.spawn({
        let sender = sender.clone();
        move || {
            read(io::stdin().lock(), |line| {
                sender.blocking_send(line).is_ok()
            })
        }
    });
    if let Err(error) = started {
        let line = InputLine::Unusable(format!("stdin is not read: {error}"));
        // A new channel has room.
        let _ = sender.try_send(line);
    }
    receiver
}

/// Texts that are known already.
pub(super) fn texts(texts: Vec<String>) -> mpsc::Receiver<InputLine> {
    let (sender, receiver) = mpsc::channel(texts.len().max(1));
    for text in texts {
        // The channel has room for all.
        let _ = sender.try_send(InputLine::Text(text));
    }
    receiver
}

/// Gives every line to `take`, until there is none or it wants no more.
fn read(mut input: impl BufRead, mut take: impl FnMut(InputLine) -> bool) {
    let mut number = 0;
    loop {
        let mut line = Vec::new();
        let (line, last) = match input.read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) => {
                number += 1;
                (text(line, number), false)
            }
            Err(error) => (
                InputLine::Unusable(format!("cannot read stdin: {error}")),
                true,
            ),
        };
        if !take(line) || last {
            return;
        }
    }
}

fn text(mut line: Vec<u8>, number: u64) -> InputLine {
    if line.ends_with(b"\n") {
        line.pop();
        if line.ends_with(b"\r") {
            line.pop();
        }
    }
    match String::from_utf8(line) {
        Ok(text) => InputLine::Text(text),
        Err(error) => InputLine::Unusable(format!(
            "line {number} of stdin was not sent: byte {} is not UTF-8, and text must be",
            error.utf8_error().valid_up_to() + 1
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        read(input, |line| {
            lines.push(match line {
                InputLine::Text(text) => text,
                InputLine::Unusable(why) => format!("! {why}"),
            });
            true
        });
        lines
    }

    #[test]
    fn a_line_is_a_message_without_its_end() {
        assert_eq!(all(b"a\nb\r\n\n\nc"), ["a", "b", "", "", "c"]);
        assert_eq!(all(b""), [""; 0]);
        assert_eq!(all(b"a\r"), ["a\r"]);
    }

    #[test]
    fn a_line_that_is_not_utf_8_is_named_and_the_next_one_is_read() {
        let why = "! line 2 of stdin was not sent: byte 3 is not UTF-8, and text must be";
        assert_eq!(all(b"a\nbc\xff\nd\n"), ["a", why, "d"]);
    }
}

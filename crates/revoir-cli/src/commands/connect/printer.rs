//! What the user of `connect` sees: messages on stdout, everything else on stderr.

use std::io::{self, Write};

use revoir::{Cause, Ending, Message};

use super::what_next::what_next;
use crate::commands::network::Print;
use crate::events::{Event, Opened, What};
use crate::output::{Screen, event_line, printable};

/// Writes events for a person, or as JSON.
pub(super) struct Printer<'a> {
    screen: &'a Screen,
    url: String,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl<'a> Printer<'a> {
    pub(super) fn new(
        screen: &'a Screen,
        url: &str,
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
    ) -> Self {
        let url = url.to_owned();
        Self {
            screen,
            url,
            out,
            err,
        }
    }

    /// Talk. A closed stderr changes nothing.
    pub(super) fn note(&mut self, text: &str) {
        let _ = writeln!(self.err, "{text}");
    }

    fn opened(&mut self, opened: &Opened) {
        let mut line = format!(
            "connected to {}",
            printable::one_line(&self.url, usize::MAX)
        );
        if let Some(name) = &opened.subprotocol {
            line += &format!(", subprotocol {name}");
        }
        if let Some(list) = &opened.extensions {
            line += &format!(", {list}");
        }
        self.note(&line);
    }

    /// Text as a line. Bytes as they are, but a terminal gets a description of them.
    fn message(&mut self, message: &Message) -> io::Result<()> {
        match message {
            Message::Text(text) if self.screen.is_terminal => {
                writeln!(self.out, "{}", printable::lines(text.as_str()))
            }
            Message::Text(text) => writeln!(self.out, "{}", text.as_str()),
            Message::Binary(bytes) if self.screen.is_terminal => {
                writeln!(self.out, "{}", self.screen.faint(&printable::bytes(bytes)))
            }
            Message::Binary(bytes) => self.out.write_all(bytes),
        }
    }

    /// Who did what first, and what to do about it, unless the user ended it.
    fn ending(&mut self, ending: &Ending) {
        let mut shown = ending.clone();
        // Where this program called `close` tells its user nothing.
        shown.closed_at = None;
        self.note(&printable::one_line(&shown.to_string(), usize::MAX));
        if ending.cause != Cause::ClosedLocally {
            self.note(&what_next(ending, self.screen.locale));
        }
    }
}

impl Print for Printer<'_> {
    fn print(&mut self, event: &Event) -> io::Result<()> {
        if let What::Note(text) = &event.what {
            self.note(text);
        } else if self.screen.json {
            let line = event_line(event).unwrap_or_default();
            return self.out.write_all(line.as_bytes());
        }
        match &event.what {
            What::Message(message) => self.message(message)?,
            What::Open(opened) => self.opened(opened),
            What::Ending(ending) => self.ending(ending),
            What::Note(_) | What::Listening(_) | What::Drained(_) => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

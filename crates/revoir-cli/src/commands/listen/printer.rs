//! The log of `listen`: a line for everything that happens, on stdout.

use std::io::{self, Write};

use revoir::Ending;

use crate::commands::network::Print;
use crate::events::{Event, Listening, Opened, What};
use crate::output::{Screen, event_line, session_line};
use crate::printable;

/// Writes events as lines for a person, or as JSON.
pub(super) struct ListenPrinter<'a> {
    screen: &'a Screen,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl<'a> ListenPrinter<'a> {
    pub(super) fn new(screen: &'a Screen, out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self { screen, out, err }
    }

    /// When, on which connection, and what: `   1.203 #1 text, 5 bytes: hello`.
    fn line(&self, event: &Event) -> String {
        let what = match &event.what {
            What::Listening(listening) => self::listening(listening),
            What::Open(opened) => self::opened(opened),
            What::Message { message, .. } => printable::message(message),
            What::Session(event) => session_line(event),
            What::Ending { ending, .. } => self::ending(ending),
            What::Drained(report) => format!("stopped: {report}"),
            What::Note(text) => text.clone(),
            // A server does not come back.
            What::Decision(_) | What::Countdown(_) => return String::new(),
        };
        let at = self
            .screen
            .faint(&format!("{:8.3}", event.at.as_secs_f64()));
        match event.conn {
            Some(conn) => {
                let conn = self.screen.strong(&format!("#{conn}"));
                format!("{at} {conn} {what}\n")
            }
            None => format!("{at} {what}\n"),
        }
    }
}

impl Print for ListenPrinter<'_> {
    fn print(&mut self, event: &Event) -> io::Result<()> {
        if let What::Note(text) = &event.what {
            // A closed stderr changes nothing.
            let _ = writeln!(self.err, "{text}");
            return Ok(());
        }
        let line = if self.screen.json {
            event_line(event).unwrap_or_default()
        } else {
            self.line(event)
        };
        self.out.write_all(line.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn listening(listening: &Listening) -> String {
    let scheme = if listening.secure { "wss" } else { "ws" };
    format!("listening on {scheme}://{}/", listening.addr)
}

fn opened(opened: &Opened) -> String {
    let mut line = format!("opened from {}", opened.peer);
    if let Some(name) = &opened.subprotocol {
        line += &format!(", subprotocol {name}");
    }
    if let Some(list) = &opened.extensions {
        line += &format!(", {list}");
    }
    line
}

fn ending(ending: &Ending) -> String {
    let mut shown = ending.clone();
    // Where this program called `close` tells its user nothing.
    shown.closed_at = None;
    let duration = ending.open_for.as_secs_f64();
    let sentence = printable::one_line(&shown.to_string(), usize::MAX);
    if ending.cause.was_open() {
        format!("ended after {duration:.1} s: {sentence}")
    } else {
        format!("never opened: {sentence}")
    }
}

//! What the user of `connect` sees: messages on stdout, everything else on stderr.

use std::io::{self, Write};
use std::sync::Arc;

use revoir::reconnect::Decision;
use revoir::{Ending, Message, session};

use super::what_next::what_next;
use crate::commands::network::Print;
use crate::events::{Countdown, Event, Opened, What};
use crate::output::{Screen, event_line, session_line};
use crate::printable;

/// Back to the first column, and away with what stands there.
const CLEAR_LINE: &str = "\r\x1b[K";

/// Writes events for a person, or as JSON.
pub(super) struct ConnectPrinter<'a> {
    screen: &'a Screen,
    url: String,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    /// The last ending, until it is known what follows.
    last: Option<Arc<Ending>>,
    /// Whether a countdown stands in the last line of stderr.
    counts_down: bool,
}

impl<'a> ConnectPrinter<'a> {
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
            last: None,
            counts_down: false,
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

    fn session(&mut self, event: &session::Event) {
        if let session::Event::Attached(attached) = event
            && attached.generation == 1
        {
            let url = printable::one_line(&self.url, usize::MAX);
            self.note(&format!("connected to {url}"));
        }
        self.note(&session_line(event));
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

    /// Who did what first.
    fn ending(&mut self, ending: &Arc<Ending>) {
        let mut shown = Ending::clone(ending);
        // Where this program called `close` tells its user nothing.
        shown.closed_at = None;
        self.note(&printable::one_line(&shown.to_string(), usize::MAX));
        self.last = Some(Arc::clone(ending));
    }

    /// What follows an ending that the user did not ask for: an attempt, or advice.
    fn decision(&mut self, decision: &Decision) {
        self.note(&printable::one_line(&decision.to_string(), usize::MAX));
        if let (false, Some(ending)) = (decision.is_retry(), self.last.take()) {
            self.note(&what_next(&ending, self.screen.locale));
        }
    }

    /// Writes the countdown over the one before.
    fn countdown(&mut self, countdown: &Countdown) {
        // A closed stderr changes nothing.
        let _ = write!(self.err, "{CLEAR_LINE}{}", countdown_line(countdown));
        let _ = self.err.flush();
        self.counts_down = true;
    }

    /// Takes the countdown away, for what comes in its place.
    fn clear(&mut self) {
        if std::mem::take(&mut self.counts_down) {
            let _ = write!(self.err, "{CLEAR_LINE}");
            let _ = self.err.flush();
        }
    }
}

impl Print for ConnectPrinter<'_> {
    fn print(&mut self, event: &Event) -> io::Result<()> {
        match &event.what {
            What::Countdown(countdown) => {
                self.countdown(countdown);
                return Ok(());
            }
            _ => self.clear(),
        }
        if self.screen.json && !matches!(event.what, What::Note(_)) {
            let line = event_line(event).unwrap_or_default();
            return self.out.write_all(line.as_bytes());
        }
        match &event.what {
            What::Message { message, .. } => self.message(message)?,
            What::Open(opened) => self.opened(opened),
            What::Ending { ending, .. } => self.ending(ending),
            What::Session(event) => self.session(event),
            What::Decision(decision) => self.decision(decision),
            What::Note(text) => self.note(text),
            What::Countdown(_) | What::Listening(_) | What::Drained(_) => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// `coming back in 3 s (attempt 2)`: a second that has begun counts as one.
fn countdown_line(countdown: &Countdown) -> String {
    let Countdown { left, attempt } = countdown;
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    format!("coming back in {seconds} s (attempt {attempt})")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;
    use crate::args::Args;
    use crate::environment::Environment;

    #[test]
    fn a_countdown_ends_with_1_and_then_0() {
        let line = |millis| {
            let left = Duration::from_millis(millis);
            countdown_line(&Countdown { left, attempt: 2 })
        };
        assert_eq!(line(3_217), "coming back in 4 s (attempt 2)");
        assert_eq!(line(3_000), "coming back in 3 s (attempt 2)");
        assert_eq!(line(40), "coming back in 1 s (attempt 2)");
        assert_eq!(line(0), "coming back in 0 s (attempt 2)");
    }

    #[test]
    fn a_countdown_is_written_over_and_taken_away() {
        let args = Args::parse_from(["revoir", "connect", "ws://localhost/"]);
        let screen = Screen::new(&args.common, &Environment::plain());
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut printer = ConnectPrinter::new(&screen, "ws://localhost/", &mut out, &mut err);
        let countdown = |seconds| {
            let left = Duration::from_secs(seconds);
            What::Countdown(Countdown { left, attempt: 1 })
        };
        for what in [countdown(2), countdown(1), What::Note("back".to_owned())] {
            let (at, conn) = (Duration::ZERO, None);
            printer.print(&Event { at, conn, what }).unwrap();
        }
        let expected = "\r\x1b[Kcoming back in 2 s (attempt 1)\
                        \r\x1b[Kcoming back in 1 s (attempt 1)\r\x1b[Kback\n";
        assert_eq!(String::from_utf8(err).unwrap(), expected);
        assert_eq!(out, b"");
    }
}

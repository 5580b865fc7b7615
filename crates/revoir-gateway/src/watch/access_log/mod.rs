//! The access log: a line for every connection, with both of its endings, and for every other
//! request.
//!
//! Whoever has something to log never waits: it goes into a bounded channel, from which [`Lines`]
//! writes on a thread of its own. What finds no room there is counted, and the count is logged.

mod line;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use crate::watch::exchange::Exchange;
use crate::watch::handle::Record;
pub use line::{Format, Json};

/// Entries that may wait to be written: a drain of ten thousand connections ends them in seconds.
const WAITING: usize = 16 * 1024;

/// Between two looks for room.
const PAUSE: Duration = Duration::from_millis(10);

/// What a line is about.
#[derive(Debug)]
pub(crate) enum Entry {
    Connection(Box<Record>),
    Request(Box<Exchange>),
    /// Text for stderr, in its place between the lines.
    Note(String),
    /// Nothing follows.
    End,
}

/// Where entries go. Clones go to the same place.
#[derive(Clone, Debug)]
pub struct AccessLog {
    sender: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

/// Where they are written.
#[derive(Debug)]
pub struct Lines {
    receiver: Receiver<Entry>,
    dropped: Arc<AtomicU64>,
    /// How many of the dropped are logged.
    logged: u64,
}

impl AccessLog {
    /// A log, and where its lines are written. It keeps 16,384 entries that wait.
    pub fn channel() -> (Self, Lines) {
        Self::with_room(WAITING)
    }

    fn with_room(room: usize) -> (Self, Lines) {
        let (sender, receiver) = sync_channel(room);
        let dropped = Arc::<AtomicU64>::default();
        let lines = Lines {
            receiver,
            dropped: Arc::clone(&dropped),
            logged: 0,
        };
        (Self { sender, dropped }, lines)
    }

    /// Logs, if there is room.
    pub(crate) fn log(&self, entry: Entry) {
        // Without a reader nothing is missed.
        if let Err(TrySendError::Full(_)) = self.sender.try_send(entry) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Entries that found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Says something on stderr, if there is room.
    pub fn note(&self, text: String) {
        self.log(Entry::Note(text));
    }

    /// Has the writing end behind everything that was logged. Waits for room until `limit` is over.
    pub fn end(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while let Err(TrySendError::Full(_)) = self.sender.try_send(Entry::End) {
            if Instant::now() >= deadline {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Lines {
    /// Writes until the end. Lines go to `out`, as `format` has them, and notes to `err`.
    ///
    /// When `out` fails, the rest is read and thrown away: a gateway does not stop because nobody
    /// reads its log.
    pub fn write(mut self, format: &dyn Format, out: &mut dyn Write, err: &mut dyn Write) {
        let mut closed = false;
        loop {
            let entry = match self.receiver.try_recv() {
                Ok(entry) => entry,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    // What comes in bursts is written in bursts.
                    closed = closed || self.flush(format, out).is_err();
                    match self.receiver.recv() {
                        Ok(entry) => entry,
                        Err(_) => break,
                    }
                }
            };
            let line = match entry {
                Entry::Note(text) => {
                    // What is said on stderr is a courtesy.
                    let _ = err.write_all(text.as_bytes());
                    continue;
                }
                Entry::End => break,
                Entry::Connection(record) => format.connection(&record),
                Entry::Request(exchange) => format.request(&exchange),
            };
            if !closed && let Err(error) = out.write_all(line.as_bytes()) {
                closed = true;
                let _ = writeln!(err, "the access log ends: {error}");
            }
        }
        if !closed {
            let _ = self.flush(format, out);
        }
    }

    /// Says what was dropped since it was said last.
    fn flush(&mut self, format: &dyn Format, out: &mut dyn Write) -> io::Result<()> {
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > self.logged {
            out.write_all(format.dropped(dropped - self.logged).as_bytes())?;
            self.logged = dropped;
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stdout that nobody reads.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::BrokenPipe))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_finds_no_room_is_counted_and_the_count_is_logged() {
        let (log, lines) = AccessLog::with_room(1);
        log.note("one\n".to_owned());
        log.note("two\n".to_owned());
        log.note("three\n".to_owned());
        assert_eq!(log.dropped(), 2);
        // The end finds no room either, and waits no longer than it may.
        log.end(Duration::ZERO);
        drop(log);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        lines.write(&Json, &mut out, &mut err);
        assert_eq!(err, b"one\n");
        let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            (&line["event"], &line["lines"]),
            (&"dropped".into(), &2.into())
        );
    }

    #[test]
    fn a_closed_stdout_ends_the_lines_and_nothing_else() {
        let (log, lines) = AccessLog::channel();
        log.log(Entry::Note("before\n".to_owned()));
        log.dropped.store(3, Ordering::Relaxed);
        log.end(Duration::ZERO);
        let mut err = Vec::new();
        lines.write(&Json, &mut Closed, &mut err);
        assert_eq!(err, b"before\n");
    }
}

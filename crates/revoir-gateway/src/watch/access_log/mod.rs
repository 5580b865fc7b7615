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
    /// Writes until the end, as `format` has the lines.
    ///
    /// When `out` fails, the rest is read and thrown away: a gateway does not stop because nobody
    /// reads its log.
    pub fn write(mut self, format: &dyn Format, out: &mut dyn Write) {
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
                Entry::End => break,
                Entry::Connection(record) => format.connection(&record),
                Entry::Request(exchange) => format.request(&exchange),
            };
            if !closed && let Err(error) = out.write_all(line.as_bytes()) {
                closed = true;
                tracing::error!(target: "revoir", %error, "the access log ends");
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
    use crate::watch::request::LoggedRequest;

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

    fn request(path: &str) -> Entry {
        let request = hyper::Request::get(path).body(()).unwrap();
        let local = std::net::Ipv4Addr::LOCALHOST;
        let who = (crate::net::Peer::Tcp((local, 9).into()), Some(local.into()));
        Entry::Request(Box::new(Exchange {
            at: std::time::SystemTime::UNIX_EPOCH,
            request: LoggedRequest::new(&request, who, "1".into(), None),
            is_handshake: false,
            status: 200,
            request_bytes: 0,
            response_bytes: 0,
            is_whole: true,
            took: Duration::ZERO,
        }))
    }

    #[test]
    fn what_finds_no_room_is_counted_and_the_count_is_logged() {
        let (log, lines) = AccessLog::with_room(1);
        for path in ["/one", "/two", "/three"] {
            log.log(request(path));
        }
        assert_eq!(log.dropped(), 2);
        // The end finds no room either, and waits no longer than it may.
        log.end(Duration::ZERO);
        drop(log);
        let mut out = Vec::new();
        lines.write(&Json, &mut out);
        let text = String::from_utf8(out).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let lines: Vec<serde_json::Value> = lines.collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["path"], "/one");
        assert_eq!(
            (&lines[1]["event"], &lines[1]["lines"]),
            (&"dropped".into(), &2.into())
        );
    }

    #[test]
    fn a_closed_stdout_does_not_keep_anything_from_being_read() {
        let (log, lines) = AccessLog::with_room(1);
        let writing = std::thread::spawn(move || lines.write(&Json, &mut Closed));
        for _ in 0..10 {
            while log.sender.try_send(request("/")).is_err() {
                std::thread::yield_now();
            }
        }
        log.end(Duration::from_secs(60));
        writing.join().unwrap();
    }
}

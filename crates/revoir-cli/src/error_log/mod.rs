//! The error log of `serve`: what goes wrong, on stderr.
//!
//! Whoever has something to say never waits: a line goes into a bounded channel, from which
//! [`ErrorLines`] writes on a thread of its own. Of each kind of warning one is written per second,
//! and how many more there were.

mod bounds;
mod line;

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use revoir_gateway::config::{LogFormat, LogLevel};
use tracing::callsite::Identifier;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber, level_filters::LevelFilter};

use bounds::{Bounds, WINDOW};
use line::Line;

/// The target of every event of this project.
const TARGET: &str = "revoir";

/// Lines that may wait to be written.
const WAITING: usize = 1024;

/// Between two looks for room.
const PAUSE: Duration = Duration::from_millis(10);

/// Warnings and errors of one kind per second.
const WARNINGS: u32 = 1;

/// What is of interest to whoever looks for something, of one kind per second.
const DETAILS: u32 = 100;

/// Where something is said. Clones say it to the same place.
#[derive(Clone, Debug)]
pub(crate) struct ErrorLog {
    level: LevelFilter,
    sender: SyncSender<Said>,
    shared: Arc<Shared>,
}

/// Where it is written.
#[derive(Debug)]
pub(crate) struct ErrorLines {
    format: LogFormat,
    receiver: Receiver<Said>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
enum Said {
    Line(Line),
    /// Nothing follows.
    End,
}

#[derive(Debug, Default)]
struct Shared {
    bounds: Mutex<Bounds<Kind>>,
    /// Lines that found no room.
    dropped: AtomicU64,
}

/// What is counted together: lines from one place in the program, about one upstream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    callsite: Identifier,
    upstream: Option<Box<str>>,
    level: Level,
    message: Box<str>,
}

impl ErrorLog {
    /// A log, and where its lines are written.
    pub(crate) fn channel(level: LogLevel, format: LogFormat) -> (Self, ErrorLines) {
        let (sender, receiver) = sync_channel(WAITING);
        let shared = Arc::<Shared>::default();
        let log = Self {
            level: filter(level),
            sender,
            shared: Arc::clone(&shared),
        };
        let lines = ErrorLines {
            format,
            receiver,
            shared,
        };
        (log, lines)
    }

    /// Has the events of this process come here. Where it is embedded, somebody else may have them
    /// already.
    pub(crate) fn listen(&self) {
        let _ = tracing::subscriber::set_global_default(self.clone());
    }

    /// Says what the operator is told at any level.
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.write(Line::note(Level::INFO, text.into()));
    }

    /// Says that something is wrong, at any level.
    pub(crate) fn problem(&self, text: impl Into<String>) {
        self.write(Line::note(Level::ERROR, text.into()));
    }

    /// Has the writing end behind everything that was said. Waits for room until `limit` is over.
    pub(crate) fn end(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while let Err(TrySendError::Full(_)) = self.sender.try_send(Said::End) {
            if Instant::now() >= deadline {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn write(&self, line: Line) {
        // Without a reader nothing is missed.
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Said::Line(line)) {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Shared {
    fn bounds(&self) -> MutexGuard<'_, Bounds<Kind>> {
        self.bounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Events only: a line says by itself what it is about.
impl Subscriber for ErrorLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == TARGET && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let level = *event.metadata().level();
        let mut line = Line::event(level);
        event.record(&mut line);
        let kind = Kind {
            callsite: event.metadata().callsite(),
            upstream: line.upstream().map(Into::into),
            level,
            message: line.message().into(),
        };
        let most = if level <= Level::WARN {
            WARNINGS
        } else {
            DETAILS
        };
        let is_admitted = self.shared.bounds().admit(&kind, most, Instant::now());
        if is_admitted {
            self.write(line);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        // No span is enabled, so that none needs a number of its own.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl ErrorLines {
    /// Writes until the end. What is said on stderr is a courtesy: if `err` fails, the rest is read
    /// and thrown away.
    pub(crate) fn write(self, err: &mut dyn Write) {
        // Whatever was left out belongs to a window that a line has begun, so that there is nothing to
        // wait for once a whole one has passed without a line.
        let mut is_quiet = true;
        loop {
            let said = match is_quiet {
                true => self
                    .receiver
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
                false => self.receiver.recv_timeout(WINDOW),
            };
            self.tell_left_out(err, Instant::now());
            is_quiet = match said {
                Ok(Said::Line(line)) => {
                    self.print(err, &line);
                    false
                }
                Err(RecvTimeoutError::Timeout) => true,
                Ok(Said::End) | Err(RecvTimeoutError::Disconnected) => break,
            };
        }
        self.tell_left_out(err, Instant::now() + WINDOW);
    }

    /// Says what was left out in seconds that are over.
    fn tell_left_out(&self, err: &mut dyn Write, now: Instant) {
        let over = self.shared.bounds().over(now);
        for (kind, count) in over {
            self.print(err, &Line::left_out(kind.level, count, &kind.message));
        }
        let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let like = "lines that came faster than they were read";
            self.print(err, &Line::left_out(Level::WARN, dropped, like));
        }
    }

    fn print(&self, err: &mut dyn Write, line: &Line) {
        let _ = err.write_all(line.print(self.format).as_bytes());
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn logged(level: LogLevel, happens: impl Fn()) -> Vec<String> {
        let (log, lines) = ErrorLog::channel(level, LogFormat::Text);
        tracing::subscriber::with_default(log.clone(), happens);
        log.end(Duration::ZERO);
        let mut err = Vec::new();
        lines.write(&mut err);
        let text = String::from_utf8(err).unwrap();
        let without_time = text.lines().map(|line| line.split_once(' ').unwrap().1);
        without_time.map(str::to_owned).collect()
    }

    fn lost(upstream: &str) {
        tracing::warn!(target: "revoir", upstream, "an upstream is lost");
    }

    #[test]
    fn of_each_kind_one_is_written_and_the_number_of_the_others() {
        let mut lines = logged(LogLevel::Warn, || {
            for upstream in ["a:1", "b:1", "a:1", "a:1"] {
                lost(upstream);
            }
            tracing::info!(target: "revoir", "not wanted");
            tracing::warn!(target: "hyper", "somebody else's");
        });
        lines.sort_unstable();
        let expected = [
            "warn: 2 more like this: an upstream is lost",
            "warn: an upstream is lost upstream=a:1",
            "warn: an upstream is lost upstream=b:1",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn nothing_is_written_where_nothing_is_wanted() {
        assert!(logged(LogLevel::Off, || lost("a:1")).is_empty());
    }

    #[test]
    fn nobody_waits_for_a_reader() {
        let (log, lines) = ErrorLog::channel(LogLevel::Warn, LogFormat::Text);
        for _ in 0..WAITING + 7 {
            log.note("x");
        }
        let writing = thread::spawn(move || {
            let mut err = Vec::new();
            lines.write(&mut err);
            String::from_utf8(err).unwrap()
        });
        log.end(Duration::from_secs(60));
        let text = writing.join().unwrap();
        assert_eq!(text.lines().filter(|line| *line == "x").count(), WAITING);
        assert!(text.contains("7 more like this: lines that came"), "{text}");
    }
}

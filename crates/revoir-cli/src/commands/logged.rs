//! Two threads for `serve`: one has the network, this one writes the access log.

use std::future::Future;
use std::io::{self, Write};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::commands::network::unavailable;
use crate::exit::{Exit, Failure};
use crate::signals;
use revoir_gateway::{AccessLog, Format};

/// How long the end waits for what is not written yet.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Runs what `network` makes on threads of its own, and writes here what it logs. Returns what came
/// of it.
///
/// Stdout may be a pipe that nobody reads. That does not hold up the end: the process exits, and
/// what was not written is lost.
pub(crate) fn run<F>(
    network: impl FnOnce(AccessLog) -> F + Send + 'static,
    format: &dyn Format,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure>
where
    F: Future<Output = Result<Exit, Failure>>,
{
    let runtime = Runtime::new().map_err(|error| unavailable("the network", &error))?;
    let (log, lines) = AccessLog::channel();
    let (written, is_written) = channel::<()>();
    let running = move || {
        let outcome = runtime.block_on(network(log.clone()));
        // What is still open is logged as well.
        runtime.shutdown_timeout(LAST_LINES);
        log.end(LAST_LINES);
        if is_written.recv_timeout(LAST_LINES) == Err(RecvTimeoutError::Timeout) {
            signals::leave(outcome.unwrap_or_else(|failure| failure.exit()));
        }
        outcome
    };
    let thread = thread::Builder::new().name("network".to_owned());
    let thread = thread
        .spawn(running)
        .map_err(|error| unavailable("a thread", &error))?;
    lines.write(format, out, err);
    drop(written);
    match thread.join() {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// What is said on stderr, in its place between the lines of the log.
#[derive(Debug)]
pub(crate) struct Notes(pub(crate) AccessLog);

impl Write for Notes {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.note(String::from_utf8_lossy(text).into_owned());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

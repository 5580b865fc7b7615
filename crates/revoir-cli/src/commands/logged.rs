//! Three threads for `serve`: one has the network, one writes the error log, and this one the
//! access log.

use std::future::Future;
use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::commands::network::unavailable;
use crate::error_log::{ErrorLines, ErrorLog};
use crate::exit::{Exit, Failure};
use crate::signals;
use revoir_gateway::{AccessLog, Format};

/// How long the end waits for what is not written yet.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Runs what `network` makes on threads of its own, and writes here what it logs. Returns what came
/// of it.
///
/// Stdout and stderr may be pipes that nobody reads. That does not hold up the end: the process
/// exits, and what was not written is lost.
pub(crate) fn run<F>(
    network: impl FnOnce(AccessLog) -> F + Send + 'static,
    (errors, error_lines): (ErrorLog, ErrorLines),
    format: &dyn Format,
    out: &mut dyn Write,
    err: &mut (dyn Write + Send),
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
        errors.end(LAST_LINES);
        if is_written.recv_timeout(LAST_LINES) == Err(RecvTimeoutError::Timeout) {
            signals::leave(outcome.unwrap_or_else(|failure| failure.exit()));
        }
        outcome
    };
    let thread = thread::Builder::new().name("network".to_owned());
    let thread = thread
        .spawn(running)
        .map_err(|error| unavailable("a thread", &error))?;
    thread::scope(|scope| {
        scope.spawn(|| error_lines.write(err));
        lines.write(format, out);
    });
    drop(written);
    match thread.join() {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

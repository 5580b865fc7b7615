//! Two threads for a command with connections: one has the network, this one writes.

use std::future::Future;
use std::io;
use std::thread;

use tokio::runtime;
use tokio::sync::mpsc;

use crate::events::{Event, Events};
use crate::exit::{Exit, Failure};

/// Writes events down.
pub(crate) trait Print {
    fn print(&mut self, event: &Event) -> io::Result<()>;

    /// Nothing more waits: what comes in bursts is written in bursts.
    fn flush(&mut self) -> io::Result<()>;
}

/// Runs what `network` makes on a thread of its own, and has `printer` write everything it tells,
/// in order. Returns once both are over, with what came of either.
///
/// When the printer fails, nobody listens any more; the network side finds out by
/// [`Events::unheard`].
pub(crate) fn run<F>(
    network: impl FnOnce(Events) -> F + Send + 'static,
    printer: &mut impl Print,
) -> Result<(Exit, io::Result<()>), Failure>
where
    F: Future<Output = Result<Exit, Failure>>,
{
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| unavailable("the network", &error))?;
    let (events, happened) = Events::channel();
    let running = move || {
        let outcome = runtime.block_on(network(events));
        // A name that is still being looked up must not delay the end.
        runtime.shutdown_background();
        outcome
    };
    let thread = thread::Builder::new().name("network".to_owned());
    let thread = thread
        .spawn(running)
        .map_err(|error| unavailable("a thread", &error))?;
    let written = print_all(happened, printer);
    match thread.join() {
        Ok(outcome) => Ok((outcome?, written)),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn print_all(mut happened: mpsc::Receiver<Event>, printer: &mut impl Print) -> io::Result<()> {
    while let Some(event) = happened.blocking_recv() {
        printer.print(&event)?;
        if happened.is_empty() {
            printer.flush()?;
        }
    }
    Ok(())
}

/// The operating system does not give what every command with connections needs.
pub(crate) fn unavailable(what: &str, error: &io::Error) -> Failure {
    Failure::Impossible {
        problem: format!("cannot start {what}: {error}"),
        hint: "check the limits of this process: `ulimit -a`".to_owned(),
    }
}

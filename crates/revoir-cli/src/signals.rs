//! [`Signals`]: being asked to stop; [`Hangups`]: being asked to reload.

use std::convert::Infallible;
use std::io;

use crate::exit::Exit;

/// Ctrl-C and SIGTERM, from the moment it is made: they no longer end the process by themselves.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one. Nothing is lost when the future is dropped.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits for the next one.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // There is no such signal here, so it never comes.
            std::future::pending::<()>().await;
        }
    }

    /// Ends the process at once: it was asked to stop again while it was stopping. The main thread
    /// cannot do it, because it may be blocked in a write for as long as nobody reads.
    pub(crate) fn give_up(&self) -> Infallible {
        leave(Exit::Failure)
    }
}

/// Ends the process at once, whatever the main thread is blocked in.
#[expect(clippy::exit, reason = "no other thread may be able to return")]
pub(crate) fn leave(exit: Exit) -> ! {
    std::process::exit(exit.code().into())
}

/// SIGHUP, from the moment it is made: it no longer ends the process.
#[derive(Debug)]
pub(crate) struct Hangups {
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl Hangups {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            hangup: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?,
        })
    }

    /// Waits for the next one. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        let _ = self.hangup.recv().await;
        // There is no such signal here, so it never comes.
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}

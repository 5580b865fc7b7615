//! [`Running`]: the handler of a session, and what its end means.

use std::future::Future;
use std::sync::Arc;

use crate::driver::Failure;
use crate::session::end::End;

/// A handler that runs: if it panics, its session fails.
pub(super) struct Running(Arc<End>);

impl Running {
    pub(super) fn begin(end: &Arc<End>) -> Self {
        end.begin_handler();
        Self(Arc::clone(end))
    }

    pub(super) async fn run<F, E>(self, handler: F)
    where
        F: Future<Output = Result<(), E>>,
        E: Into<Failure>,
    {
        let result = handler.await;
        // Once the session is over the error is how it ended, or comes too late.
        if let (Err(error), None) = (result, self.0.over()) {
            let error: Failure = error.into();
            tracing::warn!(target: "revoir", error, "the handler of a session failed");
            self.0.end_handler(true);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.end_handler(std::thread::panicking());
    }
}

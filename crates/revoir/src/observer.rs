//! [`Observer`]: endings and openings, for counters and logs.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use revoir_proto::{Ending, Role};

/// Sees every connection open and every connection end, also those whose handle was dropped.
///
/// Set one with [`Client::with_observer`](crate::Client::with_observer) or
/// [`Acceptor::with_observer`](crate::Acceptor::with_observer). The calls come from whichever task
/// drives the connection, so they should return soon; they may use any handle of the connection.
/// A call that panics changes nothing for the connection; there is a warning in the log.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use revoir::{Ending, Observer, Role};
///
/// #[derive(Debug, Default)]
/// struct Abnormal(AtomicU64);
///
/// impl Observer for Abnormal {
///     fn ended(&self, _role: Role, ending: &Ending) {
///         if !ending.is_clean() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// A connection was opened.
    fn opened(&self, role: Role) {
        let _ = role;
    }

    /// A connection has ended, or never opened. Called exactly once for each.
    ///
    /// [`Cause::id`](crate::Cause::id) and [`Ending::code`] are made to be labels of a counter.
    fn ended(&self, role: Role, ending: &Ending);
}

/// The one event of an ending, and the call of the observer.
pub(crate) fn announce(role: Role, ending: &Ending, observer: Option<&dyn Observer>) {
    let role_name = match role {
        Role::Client => "client",
        Role::Server => "server",
    };
    tracing::info!(
        target: "revoir",
        role = role_name,
        code = ending.code().get(),
        cause = ending.cause.id(),
        finish = ending.finish.id(),
        clean = ending.is_clean(),
        open_for = ?ending.open_for,
        "{ending}"
    );
    if let Some(observer) = observer {
        contain(|| observer.ended(role, ending));
    }
}

/// Tells the observer of an opening.
pub(crate) fn announce_opening(role: Role, observer: Option<&dyn Observer>) {
    if let Some(observer) = observer {
        contain(|| observer.opened(role));
    }
}

/// Calls the application's code. A panic in it stays there: everybody else who waits for the
/// connection is still to be told.
fn contain(call: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(call)).is_err() {
        tracing::warn!(target: "revoir", "an observer panicked");
    }
}

//! Why a listener takes no connection, for the log.

use std::io;

/// Tells that a listener has no connection to hand over. `listener`: whose it is.
pub(crate) fn tell(error: &io::Error, listener: &'static str) {
    match open_files(error) {
        Some(limit) => tracing::error!(
            target: "revoir",
            listener,
            %error,
            limit,
            "no connection can be taken, because this process has as many files open as it may: \
             raise its limit (ulimit -n, LimitNOFILE=), or set limits.sockets below it"
        ),
        None => {
            tracing::error!(target: "revoir", listener, %error, "a connection cannot be taken");
        }
    }
}

/// The most files that this process may open, if that is what `error` is about.
#[cfg(unix)]
fn open_files(error: &io::Error) -> Option<u64> {
    use rustix::io::Errno;
    use rustix::process::{Resource, getrlimit};

    (Errno::from_io_error(error)? == Errno::MFILE)
        .then(|| getrlimit(Resource::Nofile).current)
        .flatten()
}

/// The most files that this process may open, if that is what `error` is about.
#[cfg(not(unix))]
fn open_files(_: &io::Error) -> Option<u64> {
    None
}

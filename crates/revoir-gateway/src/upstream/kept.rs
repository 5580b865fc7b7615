//! [`Kept`]: whether a connection for plain HTTP was kept for the request that it has now.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::http::Extensions;
use hyper_util::client::legacy::Error;

/// Whether a connection has answered a request. It goes with the connection and with its answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<AtomicBool>);

impl Kept {
    /// An answer has come, with these extensions: whatever follows it on its connection comes on one
    /// that was kept.
    pub(crate) fn answered(extensions: &mut Extensions) {
        if let Some(Self(has_answered)) = extensions.remove() {
            has_answered.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a request failed on a connection that was kept. Its other end may have closed that
    /// before the request came; a new one breaks for another reason.
    pub(crate) fn has_failed(error: &Error) -> bool {
        let Some(connection) = error.connect_info() else {
            return false;
        };
        let mut extensions = Extensions::new();
        connection.get_extras(&mut extensions);
        let kept = extensions.get::<Self>();
        kept.is_some_and(|Self(has_answered)| has_answered.load(Ordering::Relaxed))
    }
}

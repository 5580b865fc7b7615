//! [`Observer`]: what happens to connections, for counters.

use std::fmt;
use std::time::Duration;

use super::session::Ended;
use super::verdict::{Redialed, Why};

/// Sees what happens to every connection. Every method has an empty default.
pub(crate) trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Both opening handshakes are done.
    fn opened(&self) {}

    /// One side has ended; a backend that is held over ends once for every hold.
    fn ended(&self, ended: &Ended) {
        let _ = ended;
    }

    /// A client is kept without a backend.
    fn held(&self, why: Why) {
        let _ = why;
    }

    /// A re-dial did not lead to a backend.
    fn redial_failed(&self, redialed: &Redialed) {
        let _ = redialed;
    }

    /// A held client has a backend again, after this time.
    fn returned(&self, after: Duration) {
        let _ = after;
    }

    /// An opening handshake was answered with another status than 101.
    fn refused(&self, status: u16) {
        let _ = status;
    }
}

/// Nobody looks.
#[derive(Debug)]
pub(crate) struct Unobserved;

impl Observer for Unobserved {}

//! [`Farewell`]: what a connection is closed with by a drain.

use std::sync::Arc;

use revoir_proto::{CloseRequest, LocalCause, SendCode, Slot};
use tokio::time::Instant;

/// The Close frame of a drain, and when its client may return.
#[derive(Clone, Debug)]
pub(crate) struct Farewell {
    pub(crate) code: SendCode,
    pub(crate) text: Arc<str>,
    pub(crate) returns_at: Instant,
    /// Whether all connections are closed, and not this one alone.
    #[cfg(feature = "session")]
    pub(crate) ends_server: bool,
}

impl Farewell {
    /// The close, as of now.
    pub(crate) fn request(&self) -> CloseRequest {
        let after = self.returns_at.saturating_duration_since(Instant::now());
        CloseRequest {
            cause: LocalCause::Drained,
            code: self.code,
            reason: Slot::new(after).write(&self.text),
            closed_at: None,
        }
    }
}

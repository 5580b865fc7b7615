//! [`HoldState`]: what a driver needs while its client is held, and how it gets another backend.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

use crate::relay::{Previous, RedialFailure};
use crate::upstream::{Priority, QueueId, UpstreamPermit};

/// Another connection to the backend.
pub(crate) struct Returned<S> {
    pub(crate) stream: S,
    /// What came behind its opening handshake.
    pub(crate) input: Bytes,
    /// Where it leads.
    pub(crate) upstream: UpstreamPermit,
    /// How long its opening handshake took.
    pub(crate) took: Duration,
}

/// A re-dial under way.
pub(crate) type Redialing<S> =
    Pin<Box<dyn Future<Output = Result<Returned<S>, RedialFailure>> + Send>>;

/// How a driver gets another connection to the backend.
pub(crate) trait Redial<S>: Send {
    /// Waits for a permit as `queue_id`, and dials. `since`: when the hold began.
    fn redial(
        &self,
        queue_id: QueueId,
        priority: Priority,
        previous: Previous,
        since: Duration,
    ) -> Redialing<S>;
}

/// What is needed during a hold only.
pub(crate) struct HoldState<S> {
    pub(super) since: Duration,
    pub(super) redialing: Option<Redialing<S>>,
    /// The place in the queue, until messages wait.
    pub(super) queue_id: Option<QueueId>,
    /// The backend begins to accept, or stops.
    pub(super) changed: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Whether there was once less room than was wanted.
    pub(super) is_crowded: bool,
}

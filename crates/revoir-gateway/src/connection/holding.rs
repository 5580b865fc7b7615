//! [`HoldState`]: what a driver needs while its client is held, and how it gets another backend.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::relay::{RedialFailure, Seeking};
use crate::upstream::{Priority, QueueId, Upstream, UpstreamPermit};

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

/// An upstream is asked how it is. Ready once it was heard of.
pub(crate) type Hearing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How a driver gets another connection to the backend.
pub(crate) trait Redial<S>: Send {
    /// Waits for a permit as `queue_id`, and dials. `doubted`: the upstream that was lost, where it matters
    /// whether it is away.
    fn redial(
        &self,
        queue_id: QueueId,
        priority: Priority,
        seeking: Seeking,
        doubted: Option<Arc<Upstream>>,
    ) -> Redialing<S>;

    /// Waits until it is known how the upstream is whose connection has fallen silent: it answers others,
    /// or is gone.
    fn hear_of(&self, silent: &Arc<Upstream>) -> Hearing;
}

/// What is needed while another backend is looked for.
pub(crate) struct HoldState<S> {
    pub(super) redialing: Option<Redialing<S>>,
    /// Whether the re-dial was answered with something else than a backend: nobody waits for this client.
    pub(super) is_refused: bool,
    /// The place in the queue, until messages wait.
    pub(super) queue_id: Option<QueueId>,
    /// The backend begins to accept, or stops.
    pub(super) changed: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Whether there was once less room than was wanted.
    pub(super) is_crowded: bool,
}

//! [`Tracker`]: the connections of a server, for whoever closes them all.

use std::future::Future;
use std::sync::Arc;

use crate::drain::registry::Registry;
use crate::drain::run::run;
use crate::drain::{Drain, DrainReport};

/// Knows the connections of a server, and drains them.
///
/// Every [`Acceptor`](crate::Acceptor) has one ([`Acceptor::tracker`](crate::Acceptor::tracker)),
/// so it works wherever connections are accepted: under [`Server`](crate::Server), over a stream,
/// and behind axum or hyper, which forget the connections that they upgraded. Several acceptors can
/// share one. Clones are cheap.
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use revoir::{Server, WebSocket};
/// use revoir::drain::Drain;
///
/// let server = Server::bind("127.0.0.1:0").await?;
/// let tracker = server.tracker().clone();
/// let serving = tokio::spawn(server.serve(|mut socket: WebSocket| async move {
///     Err::<(), _>(socket.recv().await.unwrap_err())
/// }));
///
/// // On SIGTERM:
/// let report = tracker.drain(Drain::restart()).await;
/// println!("{report}");
/// // `serve` returns as well.
/// serving.await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    pub(crate) registry: Arc<Registry>,
}

impl Tracker {
    /// A tracker without connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.registry.open()
    }

    /// Whether a drain has begun. From then on, new requests are refused for ever.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.registry.is_draining()
    }

    /// Starts to drain, now; see [`Drain`]. The future waits until every connection is gone, which
    /// is at the deadline of `plan` at the latest.
    ///
    /// If a drain runs already, it goes on, and takes over the times of `plan` that are sooner: a
    /// second signal can shorten the first plan. Close frames are sent all the same.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// The call has its effect even if the future is dropped at once.
    pub fn drain(&self, plan: Drain) -> impl Future<Output = DrainReport> + Send + 'static {
        let notice = plan.notice;
        if let Some(connections) = self.registry.begin(plan) {
            tracing::info!(target: "revoir", connections = connections.len(), "a drain begins");
            tokio::spawn(run(Arc::clone(&self.registry), connections, notice));
        }
        self.drained()
    }

    /// Waits until a drain has begun and is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub fn drained(&self) -> impl Future<Output = DrainReport> + Send + 'static {
        let registry = Arc::clone(&self.registry);
        async move { registry.drained().await }
    }
}

//! [`LocalService`]: what is built into this program and answers requests itself.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::{Request, Response};
use revoir::drain::Tracker;
use tower_service::Service;

use crate::net::Peer;

/// A router behind the gateway's listener, and the WebSockets that it has.
#[derive(Clone)]
pub struct LocalService(Arc<Parts>);

struct Parts {
    router: Router,
    /// Knows the WebSockets of the router, if it takes any.
    tracker: Option<Tracker>,
}

impl LocalService {
    /// Pages alone.
    pub fn new(router: Router) -> Self {
        Self(Arc::new(Parts {
            router,
            tracker: None,
        }))
    }

    /// Pages, and WebSockets that the acceptor of `tracker` takes: a drain of the gateway is one of
    /// theirs too.
    pub fn with_tracker(router: Router, tracker: Tracker) -> Self {
        Self(Arc::new(Parts {
            router,
            tracker: Some(tracker),
        }))
    }

    /// Knows the WebSockets of the router, if it takes any.
    pub fn tracker(&self) -> Option<&Tracker> {
        self.0.tracker.as_ref()
    }

    /// Answers a request. It comes unmodified, so that the router can take the connection over.
    pub(super) async fn answer(&self, mut request: Request<Body>, peer: Peer) -> Response<Body> {
        // Handlers that ask for it know that there may be none.
        if let Some(peer) = peer.address() {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        let answered: Result<_, Infallible> = self.0.router.clone().call(request).await;
        match answered {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

impl PartialEq for LocalService {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for LocalService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalService")
            .field("tracker", &self.0.tracker)
            .finish_non_exhaustive()
    }
}

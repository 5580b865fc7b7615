//! [`Admin`] on its listeners.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;

use crate::admin::listener::AdminListener;
use crate::admin::state::Admin;
use crate::admin::{api, probes};

impl Admin {
    /// Answers everything on `listener`. Runs until it is dropped.
    pub async fn serve(self: Arc<Self>, listener: AdminListener) {
        listener.serve(self.router()).await;
    }

    /// Answers what changes nothing on `listener`, whoever asks. Runs until it is dropped.
    pub async fn serve_metrics(self: Arc<Self>, listener: TcpListener) {
        let router = probes::router().with_state(self);
        AdminListener::Tcp(listener).serve(router).await;
    }

    fn router(self: Arc<Self>) -> Router {
        let layer = from_fn_with_state(Arc::clone(&self), api::host_is_allowed);
        let router = probes::router().merge(api::router());
        router.layer(layer).with_state(self)
    }
}

//! The admin interface: how a gateway is asked and steered while it runs.
//!
//! It has listeners of its own, apart from where clients connect. [`Admin::serve`] is for the
//! operator of this machine, on a Unix socket or the loopback interface, and answers no page in a
//! browser ([`guard`]); [`Admin::serve_metrics`] tells and takes nothing, for whoever scrapes and
//! probes from elsewhere.

mod address;
mod api;
mod guard;
mod listener;
mod probes;
mod wire;

use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Gateway, Operations};
pub use address::{AdminAddr, InvalidAdminAddr};
pub use guard::HEADER;
pub use listener::{AdminListener, Unbound, UnixSocket};
pub use wire::{ConnectionLine, DrainAs, DrainLine, EndWith, EndingLine, Problem, StatusLine};

/// What the admin interface needs to answer.
#[derive(Debug)]
pub struct Admin {
    gateway: Arc<Gateway>,
    operations: Arc<Operations>,
    /// Names that the interface may be asked as, beside localhost and addresses.
    hosts: Vec<String>,
    drains: mpsc::Sender<DrainAs>,
    started: Instant,
}

impl Admin {
    /// The interface of `gateway`, and where it tells that a drain is asked for.
    pub fn new(
        gateway: Arc<Gateway>,
        operations: Arc<Operations>,
        hosts: Vec<String>,
    ) -> (Arc<Self>, mpsc::Receiver<DrainAs>) {
        let (drains, asked_for) = mpsc::channel(1);
        let admin = Self {
            gateway,
            operations,
            hosts,
            drains,
            started: Instant::now(),
        };
        (Arc::new(admin), asked_for)
    }

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
        let layer = axum::middleware::from_fn_with_state(Arc::clone(&self), api::host_is_allowed);
        let router = probes::router().merge(api::router());
        router.layer(layer).with_state(self)
    }
}

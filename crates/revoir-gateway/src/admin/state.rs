//! [`Admin`]: what the admin interface needs to answer.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::admin::request::{OperatorRequests, ReloadRequest};
use crate::admin::wire::DrainAs;
use crate::gateway::Gateway;
use crate::watch::Operations;

/// What the admin interface needs to answer.
#[derive(Debug)]
pub struct Admin {
    pub(super) gateway: Arc<Gateway>,
    pub(super) operations: Arc<Operations>,
    /// Names that the interface may be asked as, beside localhost and addresses.
    pub(super) hosts: Vec<String>,
    pub(super) drains: mpsc::Sender<DrainAs>,
    pub(super) reloads: mpsc::Sender<ReloadRequest>,
    pub(super) started: Instant,
}

impl Admin {
    /// The interface of `gateway`, and where it tells what is asked for.
    pub fn new(
        gateway: Arc<Gateway>,
        operations: Arc<Operations>,
        hosts: Vec<String>,
    ) -> (Arc<Self>, OperatorRequests) {
        let (drains, drains_asked_for) = mpsc::channel(1);
        let (reloads, reloads_asked_for) = mpsc::channel(1);
        let admin = Self {
            gateway,
            operations,
            hosts,
            drains,
            reloads,
            started: Instant::now(),
        };
        let asked_for = OperatorRequests {
            drains: drains_asked_for,
            reloads: reloads_asked_for,
        };
        (Arc::new(admin), asked_for)
    }
}

//! [`Upstream`]: one backend address.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Target;

/// One backend address, and how much it has to do.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) target: Target,
    connections: AtomicUsize,
}

impl Upstream {
    pub(super) fn new(target: &Target) -> Arc<Self> {
        Arc::new(Self {
            target: target.clone(),
            connections: AtomicUsize::new(0),
        })
    }

    /// How many connections and requests it has from here.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// A place at an upstream, for one connection or request. It counts for as long as it lives.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Upstream>);

impl Seat {
    pub(super) fn at(upstream: &Arc<Upstream>) -> Self {
        upstream.connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(upstream))
    }

    pub(crate) fn target(&self) -> &Target {
        &self.0.target
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

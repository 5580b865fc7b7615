//! [`PoolSettings`]: what a pool is told.

use std::sync::Arc;

use super::Target;
use crate::gateway::rules::Rules;

/// The upstreams of a route, and how connections to them are treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PoolSettings {
    pub(crate) target: Target,
    /// Others that do the same.
    pub(crate) more: Vec<Target>,
    pub(crate) rules: Arc<Rules>,
    /// Re-dials per second, over all targets.
    pub(crate) redial_rate: u32,
}

impl PoolSettings {
    /// Re-dials per second, unless told otherwise.
    pub(crate) const REDIAL_RATE: u32 = 1000;

    /// One target, and the defaults.
    #[cfg(test)]
    pub(crate) fn new(target: Target) -> Self {
        Self {
            target,
            more: Vec::new(),
            rules: Arc::default(),
            redial_rate: Self::REDIAL_RATE,
        }
    }
}

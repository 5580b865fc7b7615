//! [`Return`]: one client that is not back yet.

use std::sync::Arc;

use crate::relay::Missing;
use crate::upstream::pool::Pool;

/// A client that is not back, until it is dropped.
#[derive(Debug)]
pub(crate) struct Return {
    pool: Arc<Pool>,
    missing: Missing,
}

impl Return {
    /// One more has to return to `pool`.
    pub(crate) fn begin(pool: &Arc<Pool>, missing: Missing) -> Self {
        pool.returns.enter(missing);
        Self {
            pool: Arc::clone(pool),
            missing,
        }
    }

    /// What is missing.
    pub(crate) const fn missing(&self) -> Missing {
        self.missing
    }
}

impl Drop for Return {
    fn drop(&mut self) {
        self.pool.returns.leave(self.missing);
    }
}

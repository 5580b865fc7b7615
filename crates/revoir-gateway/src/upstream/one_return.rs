//! [`Return`]: one client that has still to return.

use std::sync::Arc;

use crate::upstream::pool::Pool;

/// A client that has still to return, until it is dropped.
#[derive(Debug)]
pub(crate) struct Return(Arc<Pool>);

impl Return {
    /// One more has to return to `pool`.
    pub(crate) fn begin(pool: &Arc<Pool>) -> Self {
        pool.returns.enter();
        Self(Arc::clone(pool))
    }
}

impl Drop for Return {
    fn drop(&mut self) {
        self.0.returns.leave(self.0.now());
    }
}

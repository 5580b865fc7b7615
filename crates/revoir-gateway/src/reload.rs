//! Another configuration for a gateway that runs.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use revoir::Drain;

use super::connection::Handle;
use super::{Current, Gateway, RouteSettings, Settings};

/// What the clients of a route are told that is no more.
pub(super) const CHANGED: &str = "the route has changed";

/// What a reload came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// Routes that are as before.
    pub kept: usize,
    /// Routes that are new, or not as before.
    pub begun: usize,
    /// Connections that are closed with 1012, each with a slot.
    pub drained: usize,
}

impl Gateway {
    /// Takes other routes and settings. Connections of routes that are as before stay as they are;
    /// the others are closed, and their clients come back in slots.
    pub fn reload(self: &Arc<Self>, routes: Vec<RouteSettings>, settings: Settings) -> Reloaded {
        let all = routes.len();
        self.entrance.resize(settings.room);
        let (routes, kept) = self.current().routes.replaced(routes, self.epoch);
        let current = Arc::new(Current { settings, routes });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&current);
        let is_gone = |handle: &Arc<Handle>| !current.routes.lead_to(handle.pool());
        let gone: Vec<_> = self.handles().into_iter().filter(is_gone).collect();
        let drained = gone.len();
        if drained > 0 {
            let plan = Drain::restart().ready_in(Duration::ZERO).reason(CHANGED);
            let schedule = plan.schedule(drained);
            let gateway = Arc::clone(self);
            tokio::spawn(async move { gateway.close(gone, &plan, schedule).await });
        }
        Reloaded {
            kept,
            begun: all - kept,
            drained,
        }
    }
}

//! [`Routes`]: which requests go where.

use std::sync::Arc;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::front::auth_hook::{AuthHook, AuthSettings};
use crate::front::plain::HttpProxy;
use crate::front::service::LocalService;
use crate::session::{Callback, CallbackSettings, SessionSettings};
use crate::upstream::{Pool, PoolSettings, run};

/// One route, as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteSettings {
    /// The host that requests are for, without a port. `None`: any.
    pub host: Option<String>,
    /// What the path begins with. `/chat` stands for itself and for all below it, `/chat/` only
    /// for what is below, `/` for everything.
    pub path: String,
    /// Who is asked first. `None`: nobody.
    pub auth: Option<AuthSettings>,
    /// Whether clients may have sessions, and which. `None`: they may not.
    pub session: Option<SessionSettings>,
    /// What answers.
    pub to: Destination,
}

/// What answers the requests of a route.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each route, and nearly all have upstreams"
)]
pub enum Destination {
    /// Backends.
    Upstreams(PoolSettings),
    /// What is built into the program.
    LocalService(LocalService),
}

impl RouteSettings {
    /// Everything below `path`, on any host.
    pub fn new(path: impl Into<String>, to: Destination) -> Self {
        Self {
            host: None,
            path: path.into(),
            auth: None,
            session: None,
            to,
        }
    }

    /// What it is called in logs and metrics: its host and its path.
    fn name(&self) -> Arc<str> {
        let host = self.host.as_deref().unwrap_or_default();
        format!("{host}{}", self.path).into()
    }

    fn callback(&self) -> Option<&CallbackSettings> {
        self.session.as_ref()?.callback.as_ref()
    }

    fn matches(&self, host: &str, path: &[u8]) -> bool {
        let is_host = |own: &String| own.eq_ignore_ascii_case(host);
        self.host.as_ref().is_none_or(is_host) && is_below(path, &self.path)
    }
}

/// Whether `path` is `prefix` or below it: `/chatter` is not below `/chat`.
fn is_below(path: &[u8], prefix: &str) -> bool {
    match path.strip_prefix(prefix.as_bytes()) {
        Some(rest) => prefix.ends_with('/') || rest.is_empty() || rest.starts_with(b"/"),
        None => false,
    }
}

/// A route while the gateway runs.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) settings: RouteSettings,
    /// Who is asked before anything is answered.
    pub(super) auth: Option<AuthHook>,
    /// Who is told of clients with sessions.
    pub(super) callback: Option<Arc<Callback>>,
    pub(super) name: Arc<str>,
    pub(super) backing: Backing,
}

/// What answers, while the gateway runs.
#[derive(Debug)]
pub(super) enum Backing {
    Upstreams {
        pool: Arc<Pool>,
        /// For everything that is no WebSocket.
        plain: HttpProxy,
        /// Runs the pool.
        task: Arc<PoolTask>,
    },
    LocalService(LocalService),
}

/// The task of a pool, for as long as a route leads there.
#[derive(Debug)]
pub(super) struct PoolTask(AbortHandle);

impl PoolTask {
    fn start(pool: &Arc<Pool>) -> Arc<Self> {
        let running = tokio::spawn(run(Arc::clone(pool)));
        Arc::new(Self(running.abort_handle()))
    }
}

impl Drop for PoolTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Route {
    /// Starts what the route needs. To be called in a runtime.
    fn start(settings: RouteSettings, epoch: Instant) -> Self {
        let backing = match &settings.to {
            Destination::LocalService(site) => Backing::LocalService(site.clone()),
            Destination::Upstreams(settings) => {
                let pool = Pool::new(settings.clone(), epoch);
                let (plain, task) = (HttpProxy::new(&pool), PoolTask::start(&pool));
                Backing::Upstreams { pool, plain, task }
            }
        };
        Self::new(settings, backing, None)
    }

    /// This route with other settings, if its connections can stay. Returns the names of the upstreams
    /// that it had and has no more.
    fn changed(&self, settings: &RouteSettings) -> Option<(Self, Changed)> {
        let is_same_place =
            |other: &RouteSettings| (&other.host, &other.path) == (&settings.host, &settings.path);
        let (Destination::Upstreams(to), Backing::Upstreams { pool, task, .. }) =
            (&settings.to, &self.backing)
        else {
            return None;
        };
        if !is_same_place(&self.settings) {
            return None;
        }
        let changed = Changed {
            pool: Arc::clone(pool),
            removed: pool.replace(to.clone()),
        };
        // Kept connections may be trusted for what does not hold any more.
        let plain = HttpProxy::new(pool);
        let (pool, task) = (Arc::clone(pool), Arc::clone(task));
        let backing = Backing::Upstreams { pool, plain, task };
        Some((Self::new(settings.clone(), backing, Some(self)), changed))
    }

    /// `before`: the route that it takes the place of.
    fn new(settings: RouteSettings, backing: Backing, before: Option<&Self>) -> Self {
        let name = settings.name();
        let auth = settings.auth.as_ref();
        let same = before.filter(|before| before.settings.callback() == settings.callback());
        let callback = match same {
            // What waits to be told stays in order.
            Some(before) => before.callback.clone(),
            None => settings.callback().map(|to| Callback::start(to, &name)),
        };
        Self {
            auth: auth.map(|auth| AuthHook::new(auth, &name)),
            callback,
            name,
            settings,
            backing,
        }
    }
}

/// A pool that was told something else.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) pool: Arc<Pool>,
    /// The names of upstreams that it has no more.
    pub(crate) removed: Vec<Arc<str>>,
}

/// What a reload came to for the routes.
#[derive(Debug, Default)]
pub(crate) struct Replaced {
    /// How many are as before.
    pub(crate) kept: usize,
    /// Those whose rules or upstreams are others.
    pub(crate) changed: Vec<Changed>,
    /// The pools to which no route leads any more.
    pub(crate) retired: Vec<Arc<Pool>>,
}

/// All routes, the closest ones first.
#[derive(Debug)]
pub(crate) struct Routes(Vec<Arc<Route>>);

impl Routes {
    /// Starts all of them. To be called in a runtime.
    pub(super) fn start(all: Vec<RouteSettings>, epoch: Instant) -> Self {
        Self(Vec::new()).replaced(all, epoch).0
    }

    /// Others, with those of these that are as before. A route at the same place stays, with what it
    /// is told now.
    pub(super) fn replaced(&self, mut all: Vec<RouteSettings>, epoch: Instant) -> (Self, Replaced) {
        // A host says more than none, and a longer path more than a shorter one.
        all.sort_by_key(|route| (route.host.is_none(), usize::MAX - route.path.len()));
        let mut replaced = Replaced::default();
        let route = |settings: RouteSettings| {
            if let Some(same) = self.0.iter().find(|route| route.settings == settings) {
                replaced.kept += 1;
                return Arc::clone(same);
            }
            let mut before = self.0.iter();
            match before.find_map(|route| route.changed(&settings)) {
                Some((route, changed)) => {
                    replaced.changed.push(changed);
                    Arc::new(route)
                }
                None => Arc::new(Route::start(settings, epoch)),
            }
        };
        let routes = all.into_iter().map(route).collect();
        (Self(routes), replaced)
    }

    /// Whether one of them leads to `pool`.
    pub(crate) fn lead_to(&self, pool: &Arc<Pool>) -> bool {
        self.0.iter().any(|route| match &route.backing {
            Backing::Upstreams { pool: own, .. } => Arc::ptr_eq(own, pool),
            Backing::LocalService(_) => false,
        })
    }

    /// The route of a request for `path`, in its normal form, on `host`, which has no port.
    pub(super) fn find(&self, host: &str, path: &[u8]) -> Option<&Arc<Route>> {
        let mut all = self.0.iter();
        all.find(|route| route.settings.matches(host, path))
    }

    /// The pools among the destinations.
    pub(crate) fn pools(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.0.iter().filter_map(|route| match &route.backing {
            Backing::Upstreams { pool, .. } => Some(pool),
            Backing::LocalService(_) => None,
        })
    }

    /// The names of those that lead to upstreams.
    pub(crate) fn names(&self) -> impl Iterator<Item = Arc<str>> {
        self.0.iter().filter_map(|route| match &route.backing {
            Backing::Upstreams { .. } => Some(Arc::clone(&route.name)),
            Backing::LocalService(_) => None,
        })
    }

    /// The sites among the destinations, each once, however many routes lead to it.
    pub(crate) fn sites(&self) -> Vec<&LocalService> {
        let mut sites = Vec::new();
        for route in &self.0 {
            if let Backing::LocalService(site) = &route.backing
                && !sites.contains(&site)
            {
                sites.push(site);
            }
        }
        sites
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;

    use super::*;

    fn route(host: Option<&str>, path: &str) -> RouteSettings {
        RouteSettings {
            host: host.map(str::to_owned),
            path: path.to_owned(),
            auth: None,
            session: None,
            to: Destination::LocalService(LocalService::new(Router::new())),
        }
    }

    #[test]
    fn the_closest_route_is_found() {
        let routes = vec![
            route(None, "/"),
            route(Some("a.example"), "/"),
            route(None, "/chat/rooms"),
            route(None, "/chat"),
            route(Some("b.example"), "/only/"),
        ];
        let routes = Routes::start(routes, Instant::now());
        let found = |host, path| {
            let route = routes.find(host, str::as_bytes(path)).unwrap();
            let host = route.settings.host.as_deref().unwrap_or("*");
            format!("{host}{}", route.settings.path)
        };
        for (host, path, expected) in [
            ("c.example", "/", "*/"),
            ("c.example", "/chat", "*/chat"),
            ("c.example", "/chat/x", "*/chat"),
            ("c.example", "/chatter", "*/"),
            ("c.example", "/chat/rooms/1", "*/chat/rooms"),
            // A route of the host goes before a longer path of any host.
            ("A.example", "/chat", "a.example/"),
            ("b.example", "/only/x", "b.example/only/"),
            ("b.example", "/only", "*/"),
        ] {
            assert_eq!(found(host, path), expected, "{host}{path}");
        }
    }

    #[test]
    fn without_a_route_nothing_is_found() {
        let routes = Routes::start(vec![route(Some("a.example"), "/x")], Instant::now());
        assert!(routes.find("a.example", b"/").is_none());
        assert!(routes.find("b.example", b"/x").is_none());
    }
}

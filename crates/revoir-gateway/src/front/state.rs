//! [`Front`]: what the front answers by.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use revoir::Incoming;
use revoir::session::{self, Durable, Principal, Store};

use crate::connection::{ClientLimiter, ClientLimits, Registry};
use crate::front::route::{Replaced, RouteSettings, Routes};
use crate::front::settings::Settings;
use crate::front::waiting::Waiting;

/// What the front answers by.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) registry: Arc<Registry>,
    pub(super) limiter: Arc<ClientLimiter>,
    /// Connections of every kind, for each address.
    pub(super) sockets: Arc<ClientLimiter>,
    pub(crate) waiting: Waiting,
    /// The sessions of all routes.
    pub(super) sessions: session::Server,
    current: RwLock<Arc<Current>>,
}

/// What a reload replaces.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) settings: Arc<Settings>,
    pub(crate) routes: Routes,
}

impl Front {
    /// Starts what the routes need. To be called in a runtime.
    pub(crate) fn new(
        registry: Arc<Registry>,
        routes: Vec<RouteSettings>,
        settings: Settings,
        store: Option<Arc<dyn Store>>,
    ) -> Self {
        let routes = Routes::start(routes, registry.epoch());
        let held_bytes = Arc::clone(&registry.held_bytes);
        let mut sessions = session::Server::new(|_: &Incoming| Principal::NONE)
            .with_max_kept_bytes(most_kept(&settings))
            .with_meter(move |change| held_bytes.change(change));
        if let Some(store) = store {
            // Each route says what waits for it.
            sessions = sessions.with_store(store, Durable::Acks);
        }
        Self {
            registry,
            limiter: ClientLimiter::new(settings.room),
            sockets: ClientLimiter::new(per_address(&settings)),
            waiting: Waiting::default(),
            sessions,
            current: RwLock::new(Arc::new(Current {
                settings: Arc::new(settings),
                routes,
            })),
        }
    }

    /// Whether the store of sessions answers; `None`: they are in this process only.
    pub(crate) fn store_answers(&self) -> Option<bool> {
        self.sessions.store_answers()
    }

    /// Leaves all sessions to the next process, as far as the store has them before `time_is_up`.
    pub(crate) async fn hand_over(&self, time_is_up: impl Future<Output = ()>) {
        if self.store_answers().is_none() {
            return;
        }
        tokio::select! {
            sessions = self.sessions.hand_over() => if sessions > 0 {
                tracing::warn!(target: "revoir", sessions, "sessions could not be written to the store");
            },
            () = time_is_up => {
                tracing::warn!(target: "revoir", "the store has not taken all sessions in time");
            }
        }
    }

    /// The settings and the routes as of now.
    pub(crate) fn current(&self) -> Arc<Current> {
        let current = self.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes other routes and settings, and returns what that came to. The pools to which no route leads
    /// any more are retired.
    pub(crate) fn replace(&self, routes: Vec<RouteSettings>, settings: Settings) -> Replaced {
        self.limiter.resize(settings.room);
        self.sockets.resize(per_address(&settings));
        self.registry.held_bytes.set_limit(settings.held_bytes);
        drop(
            self.sessions
                .clone()
                .with_max_kept_bytes(most_kept(&settings)),
        );
        let before = self.current();
        let (routes, mut replaced) = before.routes.replaced(routes, self.registry.epoch());
        let current = Arc::new(Current {
            settings: Arc::new(settings),
            routes,
        });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&current);
        for pool in before.routes.pools() {
            if !current.routes.lead_to(pool) {
                pool.retire();
                replaced.retired.push(Arc::clone(pool));
            }
        }
        replaced
    }
}

/// What all sessions keep at most: half of what everybody fills.
fn most_kept(settings: &Settings) -> u64 {
    u64::try_from(settings.held_bytes / 2).unwrap_or(u64::MAX)
}

/// How many connections of every kind one address may have.
fn per_address(settings: &Settings) -> ClientLimits {
    ClientLimits {
        per_address: settings.sockets_per_address,
        ..ClientLimits::default()
    }
}

//! [`Upstream`]: one backend address.

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::innermost::innermost;
use crate::shortage::Shortage;
use crate::upstream::health::{Fitness, Health, Reached};
use crate::upstream::names::is_of_lookup;
use crate::upstream::path_id::PathId;
use crate::upstream::reach_log::ReachLog;
use crate::upstream::target::Target;

/// One backend address, how fit it is, and how much it has to do.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) target: Target,
    /// Its host and port, or its socket.
    pub(crate) name: Arc<str>,
    /// Used only where no other upstream is fit.
    pub(super) is_backup: bool,
    connections: AtomicUsize,
    health: Mutex<Health>,
    /// When it last answered somebody, or could not be reached.
    pub(super) heard_of: watch::Sender<Option<Duration>>,
    /// Whether it is being asked how it is.
    pub(super) is_asked: AtomicBool,
    reach: ReachLog,
}

impl Upstream {
    pub(super) fn new(target: &Target) -> Arc<Self> {
        Self::at(target, false)
    }

    /// One that is used only where no other is fit.
    pub(super) fn backup(target: &Target) -> Arc<Self> {
        Self::at(target, true)
    }

    fn at(target: &Target, is_backup: bool) -> Arc<Self> {
        Arc::new(Self {
            target: target.clone(),
            name: target.to_string().into(),
            is_backup,
            connections: AtomicUsize::new(0),
            health: Mutex::default(),
            heard_of: watch::Sender::new(None),
            is_asked: AtomicBool::new(false),
            reach: ReachLog::default(),
        })
    }

    /// How many connections and requests it has from here.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How much it would have to do with one more, for its weight. The least is the best.
    pub(super) fn load(&self, weight: u32) -> u64 {
        let connections = self.connections() as u64 + 1;
        (connections << 20) / u64::from(weight.max(1))
    }

    /// Whether it is being asked how it is.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    /// When it last answered somebody, or could not be reached.
    pub(crate) fn heard_of(&self) -> Option<Duration> {
        *self.heard_of.borrow()
    }

    /// Whether it was heard of at `since`, or later.
    pub(crate) fn was_heard_of(&self, since: Duration) -> bool {
        self.heard_of() >= Some(since)
    }

    /// Waits until it [was](Self::was_heard_of).
    pub(super) async fn heard_since(&self, since: Duration) {
        let mut heard_of = self.heard_of.subscribe();
        // It has the sender itself.
        let _ = heard_of.wait_for(|at| *at >= Some(since)).await;
    }

    /// Whether a newcomer who asks for `path` should go to it, as well as to others, and how fit it is apart from that.
    pub(super) fn fitness(&self, now: Duration, path: PathId) -> (bool, Fitness) {
        let health = self.health();
        let fitness = health.fitness(now, path);
        let is_fit = fitness <= Fitness::Up && !health.is_spared(now, self.is_asked());
        (is_fit, fitness)
    }

    /// A connection to it that was silent speaks.
    pub(crate) fn speaks(&self) {
        self.health().speaks();
    }

    pub(super) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How one upstream stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamState {
    /// Host and port, or the socket as `unix:PATH`.
    pub upstream: String,
    /// Whether the last attempt to reach it succeeded, and it is not silent.
    pub accepts: bool,
    /// Whether it has not spoken although it should have: it is frozen, or as good as that.
    pub silent: bool,
    /// Whether it is used only while no other is fit.
    pub backup: bool,
    /// WebSocket connections that it has.
    pub connections: usize,
}

/// The right to one connection or request at an upstream. It counts for as long as it lives.
#[derive(Debug)]
pub(crate) struct UpstreamPermit(Arc<Upstream>);

impl UpstreamPermit {
    pub(crate) fn new(upstream: &Arc<Upstream>) -> Self {
        upstream.connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(upstream))
    }

    pub(crate) fn target(&self) -> &Target {
        &self.0.target
    }

    /// Host and port.
    pub(crate) fn name(&self) -> Arc<str> {
        Arc::clone(&self.0.name)
    }

    pub(crate) fn upstream(&self) -> &Arc<Upstream> {
        &self.0
    }

    /// It gave an answer, whatever that says. A connection is none: the system makes it, also for a process that
    /// ends before it has seen it.
    pub(crate) fn reached(&self) {
        self.0.reach.reached(&self.0.name);
    }

    /// There is no connection to it, which is told. Returns whether that says something of it, or only of
    /// this machine.
    pub(crate) fn not_reached(&self, error: &(dyn Error + 'static)) -> Reached {
        if let Some(shortage) = Shortage::of(error) {
            shortage.tell_of_dial("an upstream", error);
            return Reached::Untried;
        }
        // The log was told of a name that cannot be looked up.
        if !is_of_lookup(error) {
            self.0.reach.lost(&self.0.name, &innermost(error));
        }
        Reached::Not
    }
}

impl Drop for UpstreamPermit {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

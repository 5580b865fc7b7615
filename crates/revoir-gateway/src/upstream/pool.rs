//! [`Pool`]: the upstreams of a route, and permits for the tasks that dial them.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, iter};

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::relay::Outlook;
use crate::upstream::dial_queue::{DialQueue, Priority, QueueId};
use crate::upstream::health::Fitness;
use crate::upstream::rendezvous::Affinity;
use crate::upstream::server::{Upstream, UpstreamPermit, UpstreamState};
use crate::upstream::settings::{PoolSettings, UpstreamTls};
use crate::upstream::target::Target;
use crate::upstream::tcp_or_tls::TcpOrTls;

/// A success is told to those who wait once in so long.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// The upstreams of one route, and everything that connections to them have in common.
///
/// Permits are given out for the pool as a whole: its upstreams are one service, a client that is
/// held may return to any of them, and the rate protects what they share.
pub(crate) struct Pool {
    pub(crate) settings: PoolSettings,
    first: Arc<Upstream>,
    others: Vec<Arc<Upstream>>,
    /// The zero of all times here.
    epoch: Instant,
    next_id: AtomicU64,
    /// Clients that are held.
    pub(crate) held: AtomicUsize,
    /// Whether no route leads here any more.
    is_retired: AtomicBool,
    state: Mutex<State>,
    /// Somebody waits, or something has changed.
    changed: Notify,
    /// The last success, while the backend accepts.
    accepted: watch::Sender<Option<Duration>>,
}

struct State {
    queue: DialQueue,
    waiting: HashMap<QueueId, oneshot::Sender<()>>,
}

impl Pool {
    /// A pool whose times count from `epoch`.
    pub(crate) fn new(settings: PoolSettings, epoch: Instant) -> Arc<Self> {
        let others = settings.more.iter().map(Upstream::new);
        let others = others.chain(settings.backups.iter().map(Upstream::backup));
        Arc::new(Self {
            first: Upstream::new(&settings.target),
            others: others.collect(),
            epoch,
            next_id: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            is_retired: AtomicBool::new(false),
            state: Mutex::new(State {
                queue: DialQueue::new(settings.redial_rate),
                waiting: HashMap::new(),
            }),
            changed: Notify::new(),
            accepted: watch::Sender::new(None),
            settings,
        })
    }

    /// Gives out permits. Runs until it is dropped; without it nobody who waits gets one.
    pub(super) async fn grant_permits(self: Arc<Self>) {
        loop {
            match self.give_due() {
                Some(due) => {
                    tokio::select! {
                        () = self.changed.notified() => {}
                        () = sleep_until(due) => {}
                    }
                }
                None => self.changed.notified().await,
            }
        }
    }

    /// No route leads here any more.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.is_retired.load(Ordering::SeqCst)
    }

    pub(crate) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// A number for one who will wait.
    pub(crate) fn queue_id(&self) -> QueueId {
        QueueId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Waits for a permit to dial. A newcomer goes at once if nobody waits and the backend accepts.
    pub(crate) async fn dial_permit(
        self: &Arc<Self>,
        queue_id: QueueId,
        priority: Priority,
        newcomer: bool,
    ) -> DialPermit {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.state();
            if newcomer && state.queue.is_free() {
                return DialPermit::new(self);
            }
            state.queue.enqueue(queue_id, priority);
            state.waiting.insert(queue_id, sender);
        }
        self.changed.notify_one();
        let mut waiting = Waiting {
            pool: self,
            queue_id,
            is_given: false,
        };
        // The sender is in the list until the permit is given.
        waiting.is_given = receiver.await.is_ok();
        DialPermit::new(self)
    }

    /// The fittest upstream, and of equally fit ones the one that `affinity` leads to, or without
    /// that the one with the fewest connections for its weight. A backup is taken only where no
    /// other is fit. Those in `tried` have had their chance.
    pub(crate) fn pick(
        &self,
        tried: &[UpstreamPermit],
        affinity: Option<Affinity>,
    ) -> Option<UpstreamPermit> {
        let now = self.now();
        let is_new = |one: &&Arc<Upstream>| {
            let mut tried = tried.iter();
            !tried.any(|permit| Arc::ptr_eq(permit.upstream(), one))
        };
        let fittest = self.upstreams().filter(is_new).min_by_key(|one| {
            let fitness = one.health().fitness(now);
            let is_unfit = fitness > Fitness::Up;
            let weight = self.settings.weights.of(&one.target);
            let (fitness, rank) = match affinity {
                None => (fitness, one.load(weight)),
                // One that is due is tried by its own clients: the others have a better place.
                Some(key) if !is_unfit => (Fitness::Up, key.rank(&one.name, weight)),
                Some(key) => (fitness, key.rank(&one.name, weight)),
            };
            (is_unfit, one.is_backup, fitness, rank)
        })?;
        fittest.health().tried(now);
        Some(UpstreamPermit::new(fittest))
    }

    /// Takes note of whether the upstream of `permit` accepted. Returns whether the pool has one that
    /// does.
    pub(crate) fn tried(&self, permit: &UpstreamPermit, accepted: bool) -> bool {
        let upstream = permit.upstream();
        if accepted {
            upstream.health().accepted();
            return true;
        }
        upstream.health().failed(self.now());
        self.upstreams().any(|one| one.health().is_up())
    }

    pub(super) fn upstreams(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        iter::once(&self.first).chain(&self.others)
    }

    /// Connects to one of the targets.
    pub(crate) async fn connect(&self, target: &Target) -> io::Result<TcpOrTls> {
        let trust = self.settings.trust.as_ref().filter(|_| target.secure);
        TcpOrTls::connect(target, trust.map(UpstreamTls::tls)).await
    }

    /// Messages wait now for one who has waited without.
    pub(crate) fn promote(&self, queue_id: QueueId) {
        self.state().queue.promote(queue_id);
    }

    /// The upstream of `permit` said that it restarts.
    pub(crate) fn restarts(&self, permit: &UpstreamPermit) {
        let time = self.settings.rules.planned_budget;
        permit.upstream().health().restarts(self.now(), time);
    }

    /// How things stand for the client that has, or had, a backend at `permit`.
    pub(crate) fn outlook(&self, now: Duration, permit: Option<&UpstreamPermit>) -> Outlook {
        let state = self.state();
        let held = self.held.load(Ordering::Relaxed);
        Outlook {
            accepts_since: match state.queue.accepts() {
                true => *self.accepted.borrow(),
                false => None,
            },
            restarting: permit.is_some_and(|permit| permit.upstream().health().is_restarting(now)),
            spread: Duration::from_secs(1) * u32::try_from(held).unwrap_or(u32::MAX)
                / self.settings.redial_rate.max(1),
        }
    }

    /// Tells those who wait when the backend begins to accept, or stops.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Duration>> {
        self.accepted.subscribe()
    }

    /// How its upstreams stand.
    pub(crate) fn states(&self) -> Vec<UpstreamState> {
        let state = |one: &Arc<Upstream>| UpstreamState {
            upstream: one.name.to_string(),
            accepts: one.health().is_up(),
            connections: one.connections(),
        };
        self.upstreams().map(state).collect()
    }

    fn report(&self, accepted: bool) {
        let now = self.now();
        let mut state = self.state();
        if accepted {
            let began = state.queue.accepted(now);
            let told = *self.accepted.borrow();
            if began || told.is_none_or(|told| told + TOLD_EVERY <= now) {
                self.accepted.send_replace(Some(now));
            }
        } else if state.queue.failed(now) {
            self.accepted.send_replace(None);
        }
        drop(state);
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives out all permits that are due, and returns when the next one is.
    fn give_due(&self) -> Option<Instant> {
        let mut state = self.state();
        let now = self.now();
        while let Some(queue_id) = state.queue.grant(now) {
            let sender = state.waiting.remove(&queue_id);
            if sender.is_none_or(|sender| sender.send(()).is_err()) {
                state.queue.unused();
            }
        }
        state.queue.next_grant().map(|next| self.epoch + next)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("first", &self.first)
            .field("others", &self.others)
            .finish_non_exhaustive()
    }
}

/// One who waits. Dropped, it waits no more.
struct Waiting<'a> {
    pool: &'a Arc<Pool>,
    queue_id: QueueId,
    is_given: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.is_given {
            return;
        }
        let mut state = self.pool.state();
        if state.waiting.remove(&self.queue_id).is_none() {
            // The permit was given in this moment.
            state.queue.unused();
        }
        state.queue.leave(self.queue_id);
        drop(state);
        self.pool.changed.notify_one();
    }
}

/// The right to dial once. What came of it is to be reported; dropped, it goes to somebody else.
#[derive(Debug)]
pub(crate) struct DialPermit {
    pool: Arc<Pool>,
    reported: bool,
}

impl DialPermit {
    fn new(pool: &Arc<Pool>) -> Self {
        Self {
            pool: Arc::clone(pool),
            reported: false,
        }
    }

    /// Whether the backend accepted.
    pub(crate) fn report(mut self, accepted: bool) {
        self.reported = true;
        self.pool.report(accepted);
    }
}

impl Drop for DialPermit {
    fn drop(&mut self) {
        if !self.reported {
            self.pool.state().queue.unused();
            self.pool.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use tokio::task::JoinSet;

    use super::*;
    use crate::upstream::balance::Weights;

    #[tokio::test(start_paused = true)]
    async fn a_backup_is_taken_only_while_no_other_upstream_is_fit() {
        let at = |port| Target::parse(&format!("ws://127.0.0.1:{port}")).unwrap();
        let settings = PoolSettings {
            more: vec![at(2)],
            backups: vec![at(3)],
            ..PoolSettings::new(at(1))
        };
        let pool = Pool::new(settings, Instant::now());
        let port = |permit: &UpstreamPermit| permit.target().port;
        let busy: Vec<_> = (0..6).filter_map(|_| pool.pick(&[], None)).collect();
        let ports: Vec<_> = busy.iter().map(port).collect();
        assert_eq!(ports, [1, 2, 1, 2, 1, 2], "a backup without work stays so");
        assert!(pool.tried(&busy[0], false));
        assert_eq!(pool.pick(&[], None).as_ref().map(port), Some(2));
        assert!(pool.tried(&busy[1], false), "the backup is up");
        let tried = pool.pick(&[], None);
        assert_eq!(tried.as_ref().map(port), Some(3));
        let tried: Vec<_> = tried.into_iter().collect();
        let next = pool.pick(&tried, None).as_ref().map(port);
        assert_eq!(
            next,
            Some(1),
            "where a backup fails, the others are tried all the same"
        );
        drop(tried);
        // They are due: one connection finds out, and the rest stays with the backup.
        tokio::time::advance(Duration::from_secs(2)).await;
        let probe = pool.pick(&[], None).unwrap();
        assert_eq!(port(&probe), 1);
        assert!(pool.tried(&probe, true));
        assert_eq!(
            pool.pick(&[], None).as_ref().map(port),
            Some(2),
            "the second is due"
        );
        assert_eq!(
            pool.pick(&[], None).as_ref().map(port),
            Some(1),
            "no backup any more"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn connections_are_spread_by_weight() {
        let at = |port| Target::parse(&format!("ws://127.0.0.1:{port}")).unwrap();
        let weight = |weight| NonZeroU32::new(weight).unwrap();
        let settings = PoolSettings {
            more: vec![at(2), at(3)],
            weights: Weights::new([(at(2), weight(3)), (at(3), weight(2))]),
            ..PoolSettings::new(at(1))
        };
        let pool = Pool::new(settings, Instant::now());
        let busy: Vec<_> = (0..60).filter_map(|_| pool.pick(&[], None)).collect();
        let count = |port| {
            let all = busy.iter();
            all.filter(|permit| permit.target().port == port).count()
        };
        assert_eq!([count(1), count(2), count(3)], [10, 30, 20]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_leads_to_the_same_upstream_while_that_is_fit() {
        let at = |port| Target::parse(&format!("ws://127.0.0.1:{port}")).unwrap();
        let settings = PoolSettings {
            more: vec![at(2), at(3)],
            backups: vec![at(4)],
            ..PoolSettings::new(at(1))
        };
        let pool = Pool::new(settings, Instant::now());
        let key = |key: &str| Some(Affinity::of(key.as_bytes()));
        let led = |name: &str| pool.pick(&[], key(name)).unwrap();
        let port = |permit: &UpstreamPermit| permit.target().port;
        let keys: Vec<_> = (0..30).map(|n| format!("room-{n}")).collect();
        let places: Vec<_> = keys.iter().map(|name| port(&led(name))).collect();
        assert!([1, 2, 3].iter().all(|port| places.contains(port)));
        assert!(!places.contains(&4), "a backup has no keys");
        // While one is away, its keys are with others, and theirs stay.
        let first = led("room-0");
        pool.tried(&first, false);
        let away = port(&first);
        for (name, before) in keys.iter().zip(&places) {
            let now = port(&led(name));
            assert!(now != away && now != 4);
            assert!(now == *before || *before == away);
        }
        // When it is due, one of its own clients finds out, and nobody else does.
        tokio::time::advance(Duration::from_secs(2)).await;
        for (name, before) in keys.iter().zip(&places) {
            if *before != away {
                assert_eq!(port(&led(name)), *before);
            }
        }
        assert_eq!(port(&led("room-0")), away);
        assert_ne!(port(&led("room-0")), away, "one finds out");
        pool.tried(&first, true);
        for (name, before) in keys.iter().zip(&places) {
            assert_eq!(port(&led(name)), *before);
        }
        // Where one was tried in vain, the next one has it.
        let tried = vec![led("room-0")];
        assert_ne!(port(&pool.pick(&tried, key("room-0")).unwrap()), away);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_get_turns_at_the_rate() {
        let target = Target::parse("ws://127.0.0.1:9").unwrap();
        let settings = PoolSettings {
            redial_rate: 100,
            ..PoolSettings::new(target)
        };
        let start = Instant::now();
        let pool = Pool::new(settings, start);
        let running = tokio::spawn(Arc::clone(&pool).grant_permits());
        let mut waiting = JoinSet::new();
        for _ in 0..100 {
            let pool = Arc::clone(&pool);
            waiting.spawn(async move {
                let permit = pool
                    .dial_permit(pool.queue_id(), Priority::Normal, false)
                    .await;
                permit.report(true);
            });
        }
        waiting.join_all().await;
        let took = start.elapsed();
        // 99 pauses; the timer counts in milliseconds, and two permits may be made up for.
        let expected = Duration::from_millis(970)..=Duration::from_millis(1100);
        assert!(expected.contains(&took), "{took:?}");
        running.abort();
    }
}

//! [`Pool`]: the upstreams of a route, and what all connections to them have in common.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::proxy_protocol::Header;
use crate::relay::{LONGEST_RETURN, Outlook};
use crate::upstream::asking::{Asking, Priority, QueueId};
use crate::upstream::health::{Fitness, Reached};
use crate::upstream::live::Live;
use crate::upstream::maybe_tls::MaybeTls;
use crate::upstream::names::Names;
use crate::upstream::path_id::PathId;
use crate::upstream::permits::{DialPermit, Permits};
use crate::upstream::rendezvous::Affinity;
use crate::upstream::returns::Returns;
use crate::upstream::server::{Upstream, UpstreamPermit, UpstreamState};
use crate::upstream::settings::PoolSettings;
use crate::upstream::target::{Place, Target};

/// The upstreams of one route, and everything that connections to them have in common.
///
/// Permits are given out for the pool as a whole: its upstreams are one service, a client that is
/// held may return to any of them, and the rate protects what they share.
pub(crate) struct Pool {
    live: RwLock<Arc<Live>>,
    /// It was replaced.
    replaced: watch::Sender<()>,
    /// The zero of all times here.
    epoch: Instant,
    pub(super) names: Names,
    permits: Arc<Permits>,
    /// Clients that are held.
    pub(crate) held: AtomicUsize,
    /// Held clients that are not back yet.
    pub(super) returns: Returns,
    /// Whether clients of SignalR were given ids here.
    pub(crate) has_negotiated: AtomicBool,
    /// Whether no route leads here any more.
    is_retired: AtomicBool,
}

impl Pool {
    /// A pool whose times count from `epoch`.
    pub(crate) fn new(settings: PoolSettings, epoch: Instant) -> Arc<Self> {
        Arc::new(Self {
            epoch,
            names: Names::of_system(),
            permits: Permits::new(settings.redial_rate, settings.redials, epoch),
            held: AtomicUsize::new(0),
            returns: Returns::default(),
            has_negotiated: AtomicBool::new(false),
            is_retired: AtomicBool::new(false),
            replaced: watch::Sender::new(()),
            live: RwLock::new(Arc::new(Live::new(settings))),
        })
    }

    /// Gives out permits. Runs until it is dropped; without it nobody who waits gets one.
    pub(super) async fn grant_permits(self: Arc<Self>) {
        self.permits.grant().await;
    }

    /// What it is told now, and the upstreams that it has.
    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes other settings. Upstreams that are among them stay as they are. Returns the names of those
    /// that are not.
    pub(crate) fn replace(&self, settings: PoolSettings) -> Vec<Arc<str>> {
        let before = self.live();
        let live = Arc::new(Live::after(&before.upstreams, settings));
        let (rate, redials) = (live.settings.redial_rate, live.settings.redials);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&live);
        self.replaced.send_replace(());
        // One that is new may accept at once.
        self.permits.set(rate, redials);
        let names = before.upstreams.iter().map(|one| &one.name);
        names.filter(|name| !live.has(name)).cloned().collect()
    }

    /// Tells when it is told something else.
    pub(super) fn replacements(&self) -> watch::Receiver<()> {
        self.replaced.subscribe()
    }

    /// Whether this is one of its upstreams, which is known by its name.
    pub(crate) fn has(&self, name: &Arc<str>) -> bool {
        self.live().has(name)
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
        self.permits.queue_id()
    }

    /// Waits for a permit to dial. A newcomer goes at once if nobody waits and the backend accepts.
    pub(crate) async fn dial_permit(&self, queue_id: QueueId, asking: Asking) -> DialPermit {
        self.permits.wait(queue_id, asking).await
    }

    /// As [`dial_permit`](Self::dial_permit), for one who was away as long as the backend was: behind the held
    /// clients who return, so that these have subscribed again to what it says.
    pub(crate) async fn permit_behind_returns(
        &self,
        queue_id: QueueId,
        asking: Asking,
    ) -> DialPermit {
        let permit = self.dial_permit(queue_id, asking).await;
        // While it does not accept, this permit is to find out whether it does.
        if self.accepts() {
            let _ = timeout(LONGEST_RETURN, self.returns.all_greeted()).await;
        }
        permit
    }

    /// Whether the backend accepts connections, as far as anybody has tried.
    pub(crate) fn accepts(&self) -> bool {
        self.permits.backend_accepts()
    }

    /// The [fittest](Self::fittest), which is tried now: nobody else needs to find out how it is.
    pub(crate) fn pick(
        &self,
        path: PathId,
        tried: &[UpstreamPermit],
        affinity: Option<Affinity>,
    ) -> Option<UpstreamPermit> {
        let permit = self.fittest(path, tried, affinity)?;
        permit.upstream().health().tried(self.now(), path);
        Some(permit)
    }

    /// The upstream that is fittest for `path`, and of equally fit ones the one that `affinity` leads
    /// to, or without that the one with the fewest connections for its weight. A backup is taken only
    /// where no other is fit. Those in `tried` have had their chance.
    pub(super) fn fittest(
        &self,
        path: PathId,
        tried: &[UpstreamPermit],
        affinity: Option<Affinity>,
    ) -> Option<UpstreamPermit> {
        let now = self.now();
        let live = self.live();
        let fittest = untried(&live, tried).min_by_key(|one| {
            let (is_fit, fitness) = one.fitness(now, path);
            let weight = live.settings.weights.of(&one.target);
            let (fitness, rank) = match affinity {
                None => (fitness, one.load(weight)),
                // One that is due is tried by its own clients: the others have a better place.
                Some(key) if is_fit => (Fitness::Up, key.rank(&one.name, weight)),
                Some(key) => (fitness, key.rank(&one.name, weight)),
            };
            (!is_fit, one.is_backup, fitness, rank)
        })?;
        Some(UpstreamPermit::new(fittest))
    }

    /// As [`pick`](Self::pick), for a request with a body. That is not spent on finding out whether an
    /// upstream is there again: a connection without a request does so, meanwhile.
    pub(crate) fn pick_for_body(
        self: &Arc<Self>,
        path: PathId,
        tried: &[UpstreamPermit],
        affinity: Option<Affinity>,
    ) -> Option<UpstreamPermit> {
        let now = self.now();
        for one in untried(&self.live(), tried) {
            let mut health = one.health();
            if health.fitness(now, path) == Fitness::Due {
                health.tried(now, path);
                drop(health);
                tokio::spawn(Arc::clone(self).probe(UpstreamPermit::new(one), path));
            }
        }
        self.pick(path, tried, affinity)
    }

    /// Connects to an upstream instead of a request for `path`, and takes note of what came of it.
    pub(crate) async fn probe(self: Arc<Self>, permit: UpstreamPermit, path: PathId) {
        match self.connect(permit.target(), Header::Own).await {
            Ok(_) => {
                let mut health = permit.upstream().health();
                health.is_there(self.live().settings.away);
            }
            Err(error) => {
                let reached = permit.not_reached(&error);
                self.tried(&permit, path, reached);
            }
        }
    }

    /// Whether it has more than one upstream.
    pub(super) fn has_several(&self) -> bool {
        self.live().upstreams.len() > 1
    }

    /// Whether there is another upstream that is fit for `path`.
    pub(crate) fn has_another(&self, path: PathId, tried: &[UpstreamPermit]) -> bool {
        let now = self.now();
        untried(&self.live(), tried).any(|one| one.fitness(now, path).0)
    }

    /// Takes note of what came of an attempt to reach the upstream of `permit`. Returns whether the
    /// pool has one that is there.
    pub(crate) fn tried(&self, permit: &UpstreamPermit, path: PathId, reached: Reached) -> bool {
        let live = self.live();
        let counts = live.settings.away;
        let mut health = permit.upstream().health();
        let now = self.now();
        health.reached(now, path, reached, counts);
        drop(health);
        if matches!(reached, Reached::Well | Reached::Not) {
            self.heard_of(permit.upstream());
        }
        let mut upstreams = live.upstreams.iter();
        reached == Reached::Well || upstreams.any(|one| one.health().is_up())
    }

    /// It has answered a plain request. What it would answer a handshake is not known.
    pub(crate) fn has_answered(&self, upstream: &Upstream) {
        let mut health = upstream.health();
        health.speaks();
        health.is_there(self.live().settings.away);
        drop(health);
        self.heard_of(upstream);
    }

    /// `upstream` goes on, as somebody has just seen.
    fn heard_of(&self, upstream: &Upstream) {
        upstream.heard_of.send_replace(Some(self.now()));
    }

    /// Connects to one of the targets, for `client`.
    pub(crate) async fn connect(&self, target: &Target, client: Header) -> io::Result<MaybeTls> {
        let live = self.live();
        let (connecting, tls) = (live.settings.connecting, live.tls(target));
        connecting.connect((target, &self.names), tls, client).await
    }

    /// Looks up the names of its upstreams again and again. Runs until it is dropped.
    pub(super) async fn refresh_names(self: Arc<Self>) {
        let mut replaced = self.replacements();
        loop {
            let live = self.live();
            let mut all = JoinSet::new();
            for upstream in &live.upstreams {
                if let Place::Host { host, .. } = &upstream.target.place {
                    let (pool, host) = (Arc::clone(&self), host.clone());
                    all.spawn(async move { pool.names.refresh(&host).await });
                }
            }
            all.join_all().await;
            tokio::select! {
                () = sleep(live.settings.connecting.names.refresh) => {}
                // The pool has the sender.
                _ = replaced.changed() => {}
            }
        }
    }

    /// One who has waited goes behind those of `priority` from now on.
    pub(crate) fn set_priority(&self, queue_id: QueueId, priority: Priority) {
        self.permits.set_priority(queue_id, priority);
    }

    /// The upstream of `permit` said that it restarts.
    pub(crate) fn restarts(&self, permit: &UpstreamPermit) {
        let live = self.live();
        let (time, counts) = (live.settings.rules.planned_budget, live.settings.away);
        let mut health = permit.upstream().health();
        health.restarts(self.now(), time, counts);
    }

    /// How things stand for the client that has a backend at `upstream`, or had one there last.
    pub(crate) fn outlook(&self, now: Duration, upstream: Option<&Arc<Upstream>>) -> Outlook {
        let rate = self.live().settings.redial_rate;
        let held = self.held.load(Ordering::Relaxed);
        let health = upstream.map(|upstream| upstream.health());
        Outlook {
            accepted: self.permits.accepted(),
            have_returned: self.returns.are_over(),
            heard_of: upstream.and_then(|upstream| upstream.heard_of()),
            was_away: health.as_ref().and_then(|health| health.was_away(now)),
            restarting: health.is_some_and(|health| health.is_restarting(now)),
            spread: Duration::from_secs(1) * u32::try_from(held).unwrap_or(u32::MAX) / rate.max(1),
        }
    }

    /// Tells those who wait when the backend begins to accept, or stops.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Duration>> {
        self.permits.watch()
    }

    /// Is ready once nobody's hello, or nobody's turn, is missing any more, from now on.
    pub(crate) fn returns_over(&self) -> impl Future<Output = ()> + Send + use<> {
        self.returns.over()
    }

    /// How its upstreams stand.
    pub(crate) fn states(&self) -> Vec<UpstreamState> {
        let state = |one: &Arc<Upstream>| {
            let health = one.health();
            UpstreamState {
                upstream: one.name.to_string(),
                accepts: health.accepts(),
                silent: health.is_silent(),
                backup: one.is_backup,
                connections: one.connections(),
            }
        };
        self.live().upstreams.iter().map(state).collect()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("live", &self.live())
            .finish_non_exhaustive()
    }
}

fn untried<'a>(
    live: &'a Live,
    tried: &'a [UpstreamPermit],
) -> impl Iterator<Item = &'a Arc<Upstream>> {
    let is_new = |one: &&Arc<Upstream>| {
        let mut tried = tried.iter();
        !tried.any(|permit| Arc::ptr_eq(permit.upstream(), one))
    };
    live.upstreams.iter().filter(is_new)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::relay::Missing;
    use crate::upstream::balance::Weights;
    use crate::upstream::one_return::Return;
    use crate::upstream::question::Question;

    fn port_of(target: &Target) -> u16 {
        match target.place {
            Place::Host { port, .. } => port,
            Place::Unix(_) => unreachable!("all have a port"),
        }
    }

    fn path(path: &str) -> PathId {
        PathId::of(path)
    }

    /// A re-dial.
    fn again(at: &str) -> Asking {
        Asking {
            path: path(at),
            priority: Priority::Normal,
            is_new: false,
        }
    }

    fn one_upstream() -> PoolSettings {
        PoolSettings::new(Target::parse("ws://127.0.0.1:9").unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_was_away_comes_behind_held_clients_who_return() {
        let pool = Pool::new(one_upstream(), Instant::now());
        let newcomer = Asking {
            is_new: true,
            ..again("/")
        };
        let permit = || pool.permit_behind_returns(pool.queue_id(), newcomer);
        let began = Instant::now();
        drop(permit().await);
        assert!(began.elapsed().is_zero());
        let (one, other) = (
            Return::begin(&pool, Missing::Hello),
            Return::begin(&pool, Missing::Hello),
        );
        drop(one);
        let mut waits = Box::pin(permit());
        assert!(timeout(Duration::from_secs(4), &mut waits).await.is_err());
        drop(other);
        drop(waits.await);
        assert_eq!(began.elapsed(), Duration::from_secs(4));
        // Programs may sleep.
        let _sleeps = Return::begin(&pool, Missing::Turn);
        drop(permit().await);
        assert_eq!(began.elapsed(), Duration::from_secs(4));
        // Nobody waits for ever.
        let _never = Return::begin(&pool, Missing::Hello);
        drop(permit().await);
        assert_eq!(began.elapsed(), Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn a_backup_is_taken_only_while_no_other_upstream_is_fit() {
        let at = |port| Target::parse(&format!("ws://127.0.0.1:{port}")).unwrap();
        let settings = PoolSettings {
            more: vec![at(2)],
            backups: vec![at(3)],
            ..PoolSettings::new(at(1))
        };
        let pool = Pool::new(settings, Instant::now());
        let port = |permit: &UpstreamPermit| port_of(permit.target());
        let busy: Vec<_> = (0..6)
            .filter_map(|_| pool.pick(path("/"), &[], None))
            .collect();
        let ports: Vec<_> = busy.iter().map(port).collect();
        assert_eq!(ports, [1, 2, 1, 2, 1, 2], "a backup without work stays so");
        assert!(pool.tried(&busy[0], path("/"), Reached::Not));
        assert_eq!(pool.pick(path("/"), &[], None).as_ref().map(port), Some(2));
        assert!(
            pool.tried(&busy[1], path("/"), Reached::Not),
            "the backup is up"
        );
        let tried = pool.pick(path("/"), &[], None);
        assert_eq!(tried.as_ref().map(port), Some(3));
        let tried: Vec<_> = tried.into_iter().collect();
        let next = pool.pick(path("/"), &tried, None).as_ref().map(port);
        assert_eq!(
            next,
            Some(1),
            "where a backup fails, the others are tried all the same"
        );
        drop(tried);
        // They are due: one connection finds out, and the rest stays with the backup.
        tokio::time::advance(Duration::from_secs(2)).await;
        let probe = pool.pick(path("/"), &[], None).unwrap();
        assert_eq!(port(&probe), 1);
        assert!(pool.tried(&probe, path("/"), Reached::Well));
        assert_eq!(
            pool.pick(path("/"), &[], None).as_ref().map(port),
            Some(2),
            "the second is due"
        );
        assert_eq!(
            pool.pick(path("/"), &[], None).as_ref().map(port),
            Some(1),
            "no backup any more"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn newcomers_spare_an_upstream_that_has_fallen_silent() {
        let at = |port| Target::parse(&format!("ws://127.0.0.1:{port}")).unwrap();
        let settings = PoolSettings {
            more: vec![at(2)],
            ..PoolSettings::new(at(1))
        };
        let pool = Pool::new(settings, Instant::now());
        let picked = || {
            let all = (0..4).filter_map(|_| pool.pick(path("/"), &[], None));
            let all: Vec<_> = all.collect();
            let ports = all.iter().map(|permit| port_of(permit.target()));
            ports.collect::<Vec<_>>()
        };
        let silent = pool.pick(path("/"), &[], None).unwrap();
        assert_eq!(port_of(silent.target()), 1);
        pool.tried(&silent, path("/other"), Reached::Silent);
        drop(silent);
        assert_eq!(picked(), [2, 2, 2, 2]);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(picked(), [1, 2, 2, 2], "one finds out: nobody else may");
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(picked(), [2, 2, 2, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_doubted_upstream_is_asked_where_there_is_another_and_nobody_has_heard_of_it() {
        let at = |port| Target::parse(&format!("ws://127.0.0.1:{port}")).unwrap();
        let pool = Pool::new(one_upstream(), Instant::now());
        let question = Question::new("/", None);
        let slow = pool.pick(path("/"), &[], None).unwrap();
        let since = pool.now();
        pool.doubts(&slow, &question, since);
        assert!(!slow.upstream().is_asked(), "there is no other");
        let two = PoolSettings {
            more: vec![at(2)],
            ..one_upstream()
        };
        pool.replace(two);
        pool.has_answered(slow.upstream());
        pool.doubts(&slow, &question, since);
        assert!(!slow.upstream().is_asked(), "it has answered somebody");
        pool.doubts(&slow, &question, since + Duration::from_secs(1));
        assert!(slow.upstream().is_asked());
        assert_eq!(
            pool.states()[0],
            UpstreamState {
                upstream: "127.0.0.1:9".to_owned(),
                accepts: true,
                silent: false,
                backup: false,
                connections: 1,
            }
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
        let busy: Vec<_> = (0..60)
            .filter_map(|_| pool.pick(path("/"), &[], None))
            .collect();
        let count = |port| {
            let all = busy.iter();
            all.filter(|permit| port_of(permit.target()) == port)
                .count()
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
        let led = |name: &str| pool.pick(path("/"), &[], key(name)).unwrap();
        let port = |permit: &UpstreamPermit| port_of(permit.target());
        let keys: Vec<_> = (0..30).map(|n| format!("room-{n}")).collect();
        let places: Vec<_> = keys.iter().map(|name| port(&led(name))).collect();
        assert!([1, 2, 3].iter().all(|port| places.contains(port)));
        assert!(!places.contains(&4), "a backup has no keys");
        // While one is away, its keys are with others, and theirs stay.
        let first = led("room-0");
        pool.tried(&first, path("/"), Reached::Not);
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
        pool.tried(&first, path("/"), Reached::Well);
        for (name, before) in keys.iter().zip(&places) {
            assert_eq!(port(&led(name)), *before);
        }
        // Where one was tried in vain, the next one has it.
        let tried = vec![led("room-0")];
        assert_ne!(
            port(&pool.pick(path("/"), &tried, key("room-0")).unwrap()),
            away
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_path_that_answers_badly_makes_nobody_else_wait() {
        let pool = Pool::new(one_upstream(), Instant::now());
        let running = tokio::spawn(Arc::clone(&pool).grant_permits());
        // They dial again for as long as this test runs.
        let mut bad = JoinSet::new();
        for _ in 0..30 {
            let pool = Arc::clone(&pool);
            bad.spawn(async move {
                loop {
                    let permit = pool.dial_permit(pool.queue_id(), again("/bad")).await;
                    let upstream = pool.pick(path("/bad"), &[], None).unwrap();
                    let is_up = pool.tried(&upstream, path("/bad"), Reached::Badly);
                    assert!(is_up, "one path is not the route");
                    permit.report(Reached::Badly);
                    tokio::task::yield_now().await;
                }
            });
        }
        sleep(Duration::from_secs(5)).await;
        for is_new in [true, false] {
            let started = Instant::now();
            let asking = Asking {
                is_new,
                ..again("/good")
            };
            let permit = pool.dial_permit(pool.queue_id(), asking).await;
            permit.report(Reached::Well);
            assert_eq!(started.elapsed(), Duration::ZERO, "new: {is_new}");
        }
        bad.abort_all();
        running.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn many_paths_that_answer_badly_are_a_route_that_is_away() {
        let pool = Pool::new(one_upstream(), Instant::now());
        for number in 1..=5 {
            let at = PathId::of(&format!("/{number}"));
            let upstream = pool.pick(at, &[], None).unwrap();
            let is_up = pool.tried(&upstream, at, Reached::Badly);
            assert_eq!(is_up, number < 5, "{number}");
        }
        assert!(!pool.states()[0].accepts);
    }

    #[tokio::test(start_paused = true)]
    async fn upstreams_come_and_go_and_the_others_stay_as_they_are() {
        let at = |port| Target::parse(&format!("ws://127.0.0.1:{port}")).unwrap();
        let pool = Pool::new(PoolSettings::new(at(1)), Instant::now());
        let first = pool.pick(path("/"), &[], None).unwrap();
        let two = PoolSettings {
            more: vec![at(2)],
            ..PoolSettings::new(at(1))
        };
        assert!(pool.replace(two).is_empty());
        let second = pool.pick(path("/"), &[], None).unwrap();
        assert_eq!(
            port_of(second.target()),
            2,
            "the first one has a connection"
        );
        assert!(pool.has(&first.name()) && pool.has(&second.name()));
        let removed = pool.replace(PoolSettings::new(at(2)));
        assert_eq!(removed.len(), 1);
        assert!(!pool.has(&first.name()) && pool.has(&second.name()));
        // What still ends there changes nothing here.
        assert!(pool.tried(&first, path("/"), Reached::Not));
        assert_eq!(pool.states().len(), 1);
        let third = pool.pick(path("/"), &[], None).unwrap();
        assert_eq!(port_of(third.target()), 2);
    }
}

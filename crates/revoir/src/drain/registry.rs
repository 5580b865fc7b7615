//! [`Registry`]: the connections of a server, and what a drain knows of them.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use revoir_proto::Ending;
use slab::Slab;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::deadline::after;
use crate::drain::slots::Slots;
use crate::drain::{Drain, DrainReport, Drainable, Farewell};
use crate::entropy::Entropy;

/// What a connection is called that is in no registry.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// The connections of a server: those in their handshake are counted, the open ones are known.
///
/// Its lock is never held while a connection's is taken.
#[derive(Default)]
pub(crate) struct Registry {
    state: Mutex<RegistryState>,
    /// A drain has begun, hurries or is over, or the last connection or handshake is gone.
    changed: Notify,
}

#[derive(Default)]
struct RegistryState {
    open: Slab<Weak<dyn Drainable>>,
    /// Open connections and handshakes.
    places: usize,
    /// How many places an address has taken, if there is a limit.
    per_address: HashMap<IpAddr, usize>,
    /// Whose the open connections are, if there is a limit per address.
    addresses: HashMap<usize, IpAddr>,
    drain: Option<Box<Ongoing>>,
}

/// A drain that has begun.
struct Ongoing {
    plan: Drain,
    slots: Slots,
    started: Instant,
    deadlines: Deadlines,
    /// Whether the deadline has passed.
    is_late: bool,
    is_over: bool,
    report: DrainReport,
}

/// By when a drain is done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// The last connection is closed.
    pub(super) closed_by: Instant,
    /// Everything is over.
    pub(super) deadline: Instant,
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) in_total: usize,
    pub(crate) per_address: usize,
}

/// Why there is no place for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// The limit in total is reached.
    InTotal,
    /// The limit per address is reached.
    PerAddress,
    /// The server drains. It, or its successor, takes the client after this time.
    Draining(Duration),
    /// Too many requests per second. There is a slot for this one after this time.
    TooFast(Duration),
}

/// The place of a connection in its handshake, until it is dropped.
pub(crate) struct Seat {
    /// Until the place is passed on.
    registry: Option<Arc<Registry>>,
    /// Whose it is, if there is a limit per address.
    address: Option<IpAddr>,
}

impl Registry {
    fn state(&self) -> MutexGuard<'_, RegistryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from `address`. The address of IPv4 inside IPv6 is that of IPv4.
    pub(crate) fn seat(
        self: &Arc<Self>,
        places: Places,
        address: Option<IpAddr>,
    ) -> Result<Seat, NoPlace> {
        let mut state = self.state();
        if let Some(wait) = state.turn_away() {
            return Err(NoPlace::Draining(wait));
        }
        if state.places >= places.in_total {
            return Err(NoPlace::InTotal);
        }
        let is_limited = places.per_address < usize::MAX;
        let address = address.filter(|_| is_limited).map(|ip| ip.to_canonical());
        if let Some(address) = address {
            let count = state.per_address.entry(address).or_default();
            if *count >= places.per_address {
                return Err(NoPlace::PerAddress);
            }
            *count += 1;
        }
        state.places += 1;
        drop(state);
        Ok(Seat {
            registry: Some(Arc::clone(self)),
            address,
        })
    }

    /// When a request may come again, if there is a drain; it is then counted as refused.
    pub(crate) fn turn_away(&self) -> Option<Duration> {
        self.state().turn_away()
    }

    /// The connection called `key` is gone: with `ending`, or with its runtime.
    pub(crate) fn leave(&self, key: &AtomicU32, ending: Option<&Ending>) {
        let key = key.swap(NOWHERE, Ordering::AcqRel);
        if key == NOWHERE {
            return;
        }
        let key = key as usize;
        let mut state = self.state();
        let gone = state.open.try_remove(key);
        let address = state.addresses.remove(&key);
        state.free(address);
        if let Some(drain) = &mut state.drain
            && !drain.is_over
            && let Some(ending) = ending
        {
            drain.report.count(ending, drain.is_late);
        }
        let is_drained = state.is_drained();
        drop(state);
        // Freed outside the lock.
        drop(gone);
        if is_drained {
            self.changed.notify_waiters();
        }
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.state().open.len()
    }

    /// Starts a drain, and returns the connections to close. A drain that runs already hurries
    /// instead, if `plan` asks for that.
    pub(super) fn begin(&self, plan: Drain) -> Option<Vec<usize>> {
        let now = Instant::now();
        let deadlines = Deadlines {
            closed_by: after(now, plan.closing_time()),
            deadline: after(now, plan.within),
        };
        let mut state = self.state();
        let keys = if let Some(drain) = &mut state.drain {
            drain.deadlines.closed_by = drain.deadlines.closed_by.min(deadlines.closed_by);
            drain.deadlines.deadline = drain.deadlines.deadline.min(deadlines.deadline);
            drain.plan.releases_port |= plan.releases_port;
            None
        } else {
            let keys: Vec<usize> = state.open.iter().map(|(key, _)| key).collect();
            state.drain = Some(Box::new(Ongoing {
                slots: plan.slots(keys.len()),
                plan,
                started: now,
                deadlines,
                is_late: false,
                is_over: false,
                report: DrainReport::default(),
            }));
            Some(keys)
        };
        drop(state);
        self.changed.notify_waiters();
        keys
    }

    pub(super) fn connection(&self, key: usize) -> Option<Arc<dyn Drainable>> {
        self.state().open.get(key)?.upgrade()
    }

    /// By when the drain is done.
    pub(super) fn deadlines(&self) -> Option<Deadlines> {
        self.state().drain.as_ref().map(|drain| drain.deadlines)
    }

    /// What the connection with the slot `index` is closed with.
    pub(super) fn farewell(&self, index: u32) -> Option<Farewell> {
        let state = self.state();
        let drain = state.drain.as_ref()?;
        Some(drain.farewell(drain.slots.nth(index, &mut Entropy)))
    }

    /// The deadline has passed. Returns the connections that are left.
    pub(super) fn begin_cutting(&self) -> Vec<usize> {
        let mut state = self.state();
        if let Some(drain) = &mut state.drain {
            drain.is_late = true;
        }
        state.open.iter().map(|(key, _)| key).collect()
    }

    pub(super) fn conclude(&self) {
        let mut state = self.state();
        if let Some(drain) = &mut state.drain {
            drain.is_over = true;
            drain.report.took = drain.started.elapsed();
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until the last connection and the last handshake are gone (true) or the deadline is
    /// another one.
    pub(super) async fn emptied_or_hurried(&self, deadline: Instant) -> bool {
        self.when(|state| {
            let hurries =
                state.drain.as_ref().map(|drain| drain.deadlines.deadline) != Some(deadline);
            let is_empty = state.places == 0;
            (is_empty || hurries).then_some(is_empty)
        })
        .await
    }

    /// Waits for a drain to begin, or to hurry, that releases the port.
    pub(crate) async fn port_released(&self) {
        let releases = |drain: &Ongoing| drain.plan.releases_port.then_some(());
        self.when(|state| state.drain.as_deref().and_then(releases))
            .await;
    }

    /// Waits for a drain to begin and to be over.
    pub(crate) async fn drained(&self) -> DrainReport {
        let report = |drain: &Ongoing| drain.is_over.then_some(drain.report);
        self.when(|state| state.drain.as_deref().and_then(report))
            .await
    }

    /// Waits for the time from which a drain reads no requests any more: by then it has told every
    /// connection to close. Returns when a client may come again; it is counted as refused.
    pub(crate) async fn requests_over(&self) -> Duration {
        let closed_by =
            |state: &RegistryState| state.drain.as_ref().map(|drain| drain.deadlines.closed_by);
        let mut until = self.when(closed_by).await;
        loop {
            let sooner = self.when(|state| closed_by(state).filter(|by| *by != until));
            match timeout_at(until, sooner).await {
                Ok(sooner) => until = sooner,
                Err(_) => match self.turn_away() {
                    Some(wait) => return wait,
                    // A drain that has begun is never taken back.
                    None => until = self.when(closed_by).await,
                },
            }
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.state().drain.is_some()
    }

    async fn when<R>(&self, look: impl Fn(&RegistryState) -> Option<R>) -> R {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let found = look(&self.state());
            if let Some(found) = found {
                return found;
            }
            changed.await;
        }
    }
}

impl RegistryState {
    fn turn_away(&mut self) -> Option<Duration> {
        let drain = self.drain.as_mut()?;
        drain.report.refused += 1;
        let now = drain.started.elapsed();
        Some(drain.slots.latecomer(now, &mut Entropy) - now)
    }

    /// Whether a drain waits, and nothing is left for it to wait for.
    fn is_drained(&self) -> bool {
        self.places == 0 && self.drain.as_ref().is_some_and(|drain| !drain.is_over)
    }

    fn free(&mut self, address: Option<IpAddr>) {
        self.places -= 1;
        if let Some(address) = address
            && let Some(count) = self.per_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&address);
            }
        }
    }
}

impl Ongoing {
    fn farewell(&self, slot: Duration) -> Farewell {
        Farewell {
            code: self.plan.code,
            text: Arc::clone(&self.plan.reason),
            returns_at: after(self.started, slot),
            #[cfg(feature = "session")]
            ends_server: true,
        }
    }
}

impl Seat {
    /// Makes the connection known, under a `key` that is set before anybody can ask for it. Returns
    /// what to close it with, if a drain has begun during its handshake.
    pub(crate) fn sit(
        mut self,
        connection: Weak<dyn Drainable>,
        key: &AtomicU32,
    ) -> Option<Farewell> {
        let registry = self.registry.take()?;
        let mut state = registry.state();
        let number = state.open.insert(connection);
        if let Some(address) = self.address {
            state.addresses.insert(number, address);
        }
        // So many connections are not open at once.
        key.store(u32::try_from(number).unwrap_or(NOWHERE), Ordering::Release);
        let drain = state.drain.as_ref()?;
        let slot = drain.slots.latecomer(drain.started.elapsed(), &mut Entropy);
        Some(drain.farewell(slot))
    }

    /// When a request may come again, if a drain has begun; it is then counted as refused.
    pub(crate) fn turn_away(&self) -> Option<Duration> {
        self.registry.as_ref()?.turn_away()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(registry) = &self.registry else {
            return;
        };
        let mut state = registry.state();
        state.free(self.address);
        let is_drained = state.is_drained();
        drop(state);
        if is_drained {
            registry.changed.notify_waiters();
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("open", &self.open())
            .field("is_draining", &self.is_draining())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let registry = Arc::new(Registry::default());
        let places = Places {
            in_total: 3,
            per_address: 2,
        };
        let first = registry.seat(places, ip("127.0.0.1")).unwrap();
        let mapped = registry.seat(places, ip("::ffff:127.0.0.1")).unwrap();
        let full = registry.seat(places, ip("127.0.0.1")).unwrap_err();
        assert_eq!(full, NoPlace::PerAddress);
        let other = registry.seat(places, ip("::1")).unwrap();
        let full = registry.seat(places, ip("::1")).unwrap_err();
        assert_eq!(full, NoPlace::InTotal);
        drop(first);
        let again = registry.seat(places, ip("127.0.0.1")).unwrap();
        drop((mapped, other, again));
        let state = registry.state();
        assert_eq!((state.places, state.per_address.len()), (0, 0));
    }

    #[test]
    fn addresses_are_not_kept_without_a_limit_per_address() {
        let registry = Arc::new(Registry::default());
        let places = Places {
            in_total: usize::MAX,
            per_address: usize::MAX,
        };
        let seat = registry.seat(places, ip("::1")).unwrap();
        assert!(seat.address.is_none() && registry.state().per_address.is_empty());
    }

    #[test]
    fn a_known_connection_costs_two_words() {
        assert_eq!(size_of::<Option<Weak<dyn Drainable>>>(), 16);
    }
}

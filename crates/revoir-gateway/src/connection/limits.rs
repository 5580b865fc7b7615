//! [`ClientLimiter`]: how many WebSocket clients come in, in all, from one address, and per second.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revoir::server::Admission;

use crate::net::subscriber;
use crate::watch::Limit;

/// How many may come in. Handshakes count like connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// At a time.
    pub in_all: usize,
    /// At a time, of one client address.
    pub per_address: usize,
    /// Handshakes. `None`: any number.
    pub per_second: Option<NonZeroU32>,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            in_all: usize::MAX,
            per_address: usize::MAX,
            per_second: None,
        }
    }
}

/// Why a client does not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OverLimit {
    InAll,
    ForAddress,
    /// Too many at once. There is room for this one after this time.
    ThisSecond(Duration),
}

impl OverLimit {
    pub(crate) const fn limit(self) -> Limit {
        match self {
            Self::InAll => Limit::Connections,
            Self::ForAddress => Limit::Address,
            Self::ThisSecond(_) => Limit::Rate,
        }
    }
}

/// Counts those who are in.
#[derive(Debug, Default)]
pub(crate) struct ClientLimiter(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    room: ClientLimits,
    admission: Option<Admission>,
    in_all: usize,
    per_address: HashMap<IpAddr, usize>,
}

/// One who is in, until it is dropped.
#[derive(Debug)]
pub(crate) struct ClientPermit {
    limiter: Arc<ClientLimiter>,
    address: Option<IpAddr>,
}

impl ClientLimiter {
    pub(crate) fn new(room: ClientLimits) -> Arc<Self> {
        let limiter = Self::default();
        limiter.resize(room);
        Arc::new(limiter)
    }

    /// Has other limits from now on. Those who are in stay.
    pub(crate) fn resize(&self, room: ClientLimits) {
        let mut inside = self.inside();
        if inside.room.per_second != room.per_second {
            inside.admission = room.per_second.map(Admission::per_second);
        }
        inside.room = room;
    }

    /// Lets a client from `address` in. The address of IPv4 inside IPv6 is that of IPv4; of IPv6,
    /// a /64 counts as one. Without an address it counts among all only.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: impl Into<Option<IpAddr>>,
    ) -> Result<ClientPermit, OverLimit> {
        let address = address.into().map(subscriber);
        let mut inside = self.inside();
        let ClientLimits {
            in_all,
            per_address,
            ..
        } = inside.room;
        if inside.in_all >= in_all {
            return Err(OverLimit::InAll);
        }
        let own = address.and_then(|address| inside.per_address.get(&address).copied());
        let own = own.unwrap_or(0);
        if own >= per_address {
            return Err(OverLimit::ForAddress);
        }
        if let Some(admission) = &inside.admission {
            admission.admit().map_err(OverLimit::ThisSecond)?;
        }
        inside.in_all += 1;
        if let Some(address) = address {
            inside.per_address.insert(address, own + 1);
        }
        drop(inside);
        let limiter = Arc::clone(self);
        Ok(ClientPermit { limiter, address })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ClientPermit {
    fn drop(&mut self) {
        let mut inside = self.limiter.inside();
        inside.in_all -= 1;
        let Some(address) = self.address else {
            return;
        };
        if let Entry::Occupied(mut own) = inside.per_address.entry(address) {
            *own.get_mut() -= 1;
            if *own.get() == 0 {
                own.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn room_is_free_again_when_somebody_leaves() {
        let limiter = ClientLimiter::new(ClientLimits {
            in_all: 3,
            per_address: 2,
            per_second: None,
        });
        let first = limiter.admit(ip("192.0.2.1")).unwrap();
        let mapped = limiter.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(
            limiter.admit(ip("192.0.2.1")).unwrap_err(),
            OverLimit::ForAddress
        );
        let other = limiter.admit(ip("::1")).unwrap();
        assert_eq!(limiter.admit(ip("::2")).unwrap_err(), OverLimit::InAll);
        drop(first);
        let again = limiter.admit(ip("192.0.2.1")).unwrap();
        drop((mapped, other, again));
        let nowhere: Vec<_> = (0..3).map(|_| limiter.admit(None).unwrap()).collect();
        assert_eq!(limiter.admit(None).unwrap_err(), OverLimit::InAll);
        drop(nowhere);
        let inside = limiter.inside();
        assert_eq!((inside.in_all, inside.per_address.len()), (0, 0));
    }

    #[test]
    fn addresses_of_one_64_are_one_client() {
        let limiter = ClientLimiter::new(ClientLimits {
            per_address: 1,
            ..ClientLimits::default()
        });
        let _first = limiter.admit(ip("2001:db8:0:1::1")).unwrap();
        let same = limiter.admit(ip("2001:db8:0:1:ffff::2")).unwrap_err();
        assert_eq!(same, OverLimit::ForAddress);
        limiter.admit(ip("2001:db8:0:2::1")).unwrap();
    }

    #[test]
    fn those_over_the_rate_are_told_when_there_is_room() {
        let limiter = ClientLimiter::new(ClientLimits {
            per_second: NonZeroU32::new(2),
            ..ClientLimits::default()
        });
        let _in: Vec<_> = (0..2).map(|_| limiter.admit(ip("::1")).unwrap()).collect();
        let Err(OverLimit::ThisSecond(wait)) = limiter.admit(ip("::1")) else {
            panic!("let in");
        };
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
    }
}

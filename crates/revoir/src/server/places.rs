//! [`Places`]: how many connections there may be, in total and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts connections against two limits.
#[derive(Debug)]
pub(super) struct Places {
    in_total: usize,
    per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    in_total: usize,
    /// Only kept if there is a limit per address.
    per_address: HashMap<IpAddr, usize>,
}

/// Which limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    InTotal,
    PerAddress,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    /// Whose it is, if there is a limit per address.
    address: Option<Box<IpAddr>>,
}

impl Places {
    pub(super) fn new(in_total: usize, per_address: usize) -> Arc<Self> {
        Arc::new(Self {
            in_total,
            per_address,
            taken: Mutex::default(),
        })
    }

    /// A place for a connection from `address`. The address of IPv4 inside IPv6 is that of IPv4.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let mut taken = self.taken();
        if taken.in_total >= self.in_total {
            return Err(Full::InTotal);
        }
        let mut of_address = None;
        if self.per_address < usize::MAX {
            let address = address.to_canonical();
            let count = taken.per_address.entry(address).or_default();
            if *count >= self.per_address {
                return Err(Full::PerAddress);
            }
            *count += 1;
            of_address = Some(Box::new(address));
        }
        taken.in_total += 1;
        drop(taken);
        Ok(Place {
            places: Arc::clone(self),
            address: of_address,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.in_total -= 1;
        if let Some(address) = self.address.as_deref()
            && let Some(count) = taken.per_address.get_mut(address)
        {
            *count -= 1;
            if *count == 0 {
                taken.per_address.remove(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let [one, two]: [IpAddr; 2] = ["127.0.0.1", "::1"].map(|text| text.parse().unwrap());
        let places = Places::new(3, 2);
        let first = places.take(one).unwrap();
        let mapped = places.take("::ffff:127.0.0.1".parse().unwrap()).unwrap();
        assert_eq!(places.take(one).unwrap_err(), Full::PerAddress);
        let other = places.take(two).unwrap();
        assert_eq!(places.take(two).unwrap_err(), Full::InTotal);
        drop(first);
        let again = places.take(one).unwrap();
        drop((mapped, other, again));
        let taken = places.taken();
        assert_eq!((taken.in_total, taken.per_address.len()), (0, 0));
    }

    #[test]
    fn addresses_are_not_kept_without_a_limit_per_address() {
        let places = Places::new(usize::MAX, usize::MAX);
        let place = places.take("::1".parse().unwrap()).unwrap();
        assert!(place.address.is_none() && places.taken().per_address.is_empty());
    }
}

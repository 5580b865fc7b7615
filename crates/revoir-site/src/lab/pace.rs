//! [`Pace`]: how often one address, and all together, may ask for a connection.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The limits are for so long a time; then all counts start anew.
const WINDOW: Duration = Duration::from_secs(10);
const PER_ADDRESS: u32 = 100;
const TOTAL: u32 = 400;

/// Counts requests. It remembers at most as many addresses as requests are let in.
#[derive(Debug)]
pub(super) struct Pace(Mutex<Counts>);

#[derive(Debug)]
struct Counts {
    since: Instant,
    total: u32,
    by_address: HashMap<IpAddr, u32>,
}

impl Default for Pace {
    fn default() -> Self {
        Self(Mutex::new(Counts {
            since: Instant::now(),
            total: 0,
            by_address: HashMap::new(),
        }))
    }
}

impl Pace {
    /// Counts a request, from an address if it is known.
    ///
    /// # Errors
    ///
    /// How long to wait, if it is one too many.
    pub(super) fn count(&self, address: Option<IpAddr>) -> Result<(), Duration> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let age = now.duration_since(counts.since);
        if age >= WINDOW {
            *counts = Counts {
                since: now,
                total: 0,
                by_address: HashMap::new(),
            };
        }
        let wait = WINDOW.saturating_sub(age);
        if counts.total >= TOTAL {
            return Err(wait);
        }
        if let Some(address) = address {
            let count = counts.by_address.entry(address).or_default();
            if *count >= PER_ADDRESS {
                return Err(wait);
            }
            *count += 1;
        }
        counts.total += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn let_in(pace: &Pace, address: u8, requests: u32) -> u32 {
        let address = IpAddr::from([192, 0, 2, address]);
        (0..requests)
            .filter(|_| pace.count(Some(address)).is_ok())
            .count() as u32
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_its_share_and_all_have_a_total() {
        let pace = Pace::default();
        assert_eq!(let_in(&pace, 1, 150), PER_ADDRESS);
        for address in 2..=4 {
            assert_eq!(let_in(&pace, address, 100), 100);
        }
        assert_eq!(let_in(&pace, 5, 1), 0);
        assert!(pace.count(None).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_counts_start_anew() {
        let pace = Pace::default();
        let_in(&pace, 1, PER_ADDRESS);
        tokio::time::advance(Duration::from_secs(4)).await;
        let address = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(pace.count(Some(address)), Err(Duration::from_secs(6)));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(pace.count(Some(address)), Ok(()));
    }
}

//! [`Admission`]: how many requests are let in per second.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use revoir_proto::Random;
use tokio::time::Instant;

use crate::drain::uniform;
use crate::entropy::Entropy;

/// No client is told to wait longer: an hour.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// Lets in so many requests per second, and gives every other a time of its own to come back.
///
/// A server that has just started, or whose neighbour has just gone, is so protected from everybody
/// at once. A request over the rate is answered with 503, and the Retry-After of those that came
/// together are spread at the same rate. Clones, and the acceptors that have them, count together.
///
/// ```
/// use std::num::NonZeroU32;
///
/// # fn example() -> Option<revoir::Acceptor> {
/// let admission = revoir::server::Admission::per_second(NonZeroU32::new(200)?);
/// let acceptor = revoir::Acceptor::new().with_admission(admission);
/// # Some(acceptor)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Admission {
    bucket: Arc<Mutex<Bucket>>,
    epoch: Instant,
}

impl Admission {
    /// Lets in `rate` requests per second, and as many at once after a quiet second.
    #[must_use]
    pub fn per_second(rate: NonZeroU32) -> Self {
        Self::with_bucket(Bucket::new(rate, rate))
    }

    /// Lets in `burst` requests at once after a quiet time. The count starts anew.
    #[must_use]
    pub fn with_burst(self, burst: NonZeroU32) -> Self {
        let bucket = *self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        Self::with_bucket(Bucket { burst, ..bucket })
    }

    fn with_bucket(bucket: Bucket) -> Self {
        Self {
            bucket: Arc::new(Mutex::new(bucket)),
            epoch: Instant::now(),
        }
    }

    /// Counts a request, as an acceptor does for every one: for a program that takes connections
    /// of its own.
    ///
    /// # Errors
    ///
    /// How long to wait, if it comes too early.
    pub fn admit(&self) -> Result<(), Duration> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(self.epoch.elapsed(), &mut Entropy)
    }
}

/// A bucket of tokens, which fills at a rate. Pure: time and randomness are passed in.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// From one token to the next.
    interval: Duration,
    burst: NonZeroU32,
    /// When the bucket is full again.
    full_at: Duration,
    /// The last slot that was given out.
    promised: Duration,
}

impl Bucket {
    fn new(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self {
            interval: Duration::from_secs(1) / rate.get(),
            burst,
            full_at: Duration::ZERO,
            promised: Duration::ZERO,
        }
    }

    /// A token, or how long to wait: until a slot that nobody else has got.
    fn take(&mut self, now: Duration, random: &mut impl Random) -> Result<(), Duration> {
        let depth = self.interval * (self.burst.get() - 1);
        let next_token = self.full_at.saturating_sub(depth);
        if next_token <= now {
            self.full_at = self.full_at.max(now) + self.interval;
            return Ok(());
        }
        let slot = self.promised.max(next_token);
        let wait = slot - now + uniform(self.interval, random);
        if wait > LONGEST_WAIT {
            return Err(LONGEST_WAIT);
        }
        self.promised = slot + self.interval;
        Err(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the middle of every range.
    struct Middle;

    impl Random for Middle {
        fn next_u32(&mut self) -> u32 {
            1 << 31
        }
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn bucket(rate: u32, burst: u32) -> Bucket {
        let number = |number| NonZeroU32::new(number).unwrap();
        Bucket::new(number(rate), number(burst))
    }

    #[test]
    fn a_crowd_gets_a_burst_and_then_slots_at_the_rate() {
        let mut bucket = bucket(10, 5);
        let now = ms(60_000);
        for _ in 0..5 {
            assert_eq!(bucket.take(now, &mut Middle), Ok(()));
        }
        let waits: Vec<Duration> = (0..4)
            .map(|_| bucket.take(now, &mut Middle).unwrap_err())
            .collect();
        assert_eq!(waits, [ms(150), ms(250), ms(350), ms(450)]);
        // Those who come back in their slots are let in.
        for wait in waits {
            assert_eq!(bucket.take(now + wait, &mut Middle), Ok(()));
        }
    }

    #[test]
    fn the_rate_holds_whoever_comes() {
        let mut bucket = bucket(50, 1);
        let admitted = (0..10_000)
            .filter(|at| bucket.take(ms(*at), &mut Middle).is_ok())
            .count();
        assert_eq!(admitted, 500);
    }

    #[test]
    fn nobody_waits_for_more_than_an_hour_and_slots_are_not_used_up() {
        let mut bucket = bucket(1, 1);
        assert_eq!(bucket.take(ms(0), &mut Middle), Ok(()));
        let waits: Vec<Duration> = (0..4000)
            .map(|_| bucket.take(ms(0), &mut Middle).unwrap_err())
            .collect();
        assert!(waits.is_sorted());
        assert_eq!(waits[3999], LONGEST_WAIT);
        // An hour later there are slots again.
        let later = Duration::from_secs(3601);
        assert_eq!(bucket.take(later, &mut Middle), Ok(()));
        assert!(bucket.take(later, &mut Middle).unwrap_err() <= ms(1500));
    }
}

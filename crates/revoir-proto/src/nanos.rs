//! [`Nanos`]: a `Duration` in eight bytes, for what every connection keeps.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

/// A length of time in nanoseconds, up to 584 years; what is longer counts as that.
///
/// `Duration` and `Option<Duration>` take 16 bytes, `Nanos` and `Option<Nanos>` take 8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos {
    // The nanoseconds and one more, so that none at all is something else than `None`.
    and_one: NonZeroU64,
}

impl Default for Nanos {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Nanos {
    pub(crate) const ZERO: Self = Self {
        and_one: NonZeroU64::MIN,
    };

    #[inline]
    const fn get(self) -> u64 {
        self.and_one.get() - 1
    }

    #[inline]
    const fn from_count(nanos: u64) -> Self {
        Self {
            and_one: NonZeroU64::MIN.saturating_add(nanos),
        }
    }

    /// For a constant.
    pub(crate) const fn from_secs(seconds: u32) -> Self {
        Self::from_count(seconds as u64 * NANOS_PER_SECOND)
    }

    #[inline]
    pub(crate) const fn saturating_add(self, other: Self) -> Self {
        Self {
            and_one: self.and_one.saturating_add(other.get()),
        }
    }

    #[inline]
    pub(crate) const fn saturating_sub(self, other: Self) -> Self {
        Self::from_count(self.get().saturating_sub(other.get()))
    }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl From<Duration> for Nanos {
    #[inline]
    fn from(time: Duration) -> Self {
        // One comparison, since it is asked for with every message.
        if time.as_secs() >= u64::MAX / NANOS_PER_SECOND {
            return Self::from_count(u64::MAX);
        }
        Self::from_count(time.as_secs() * NANOS_PER_SECOND + u64::from(time.subsec_nanos()))
    }
}

impl From<Nanos> for Duration {
    #[inline]
    fn from(nanos: Nanos) -> Self {
        Self::from_nanos(nanos.get())
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Duration::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_half_as_large_as_a_duration_and_none_is_free() {
        assert_eq!(size_of::<Nanos>(), 8);
        assert_eq!(size_of::<Option<Nanos>>(), 8);
        assert_eq!(size_of::<Option<Duration>>(), 16);
    }

    #[test]
    fn durations_come_back_and_the_longest_saturate() {
        for time in [
            Duration::ZERO,
            Duration::new(3, 999_999_999),
            Duration::from_secs(1 << 33),
        ] {
            assert_eq!(Duration::from(Nanos::from(time)), time);
        }
        let longest = Nanos::from(Duration::MAX);
        assert_eq!(Duration::from(longest), Duration::from_nanos(u64::MAX - 1));
        assert_eq!(longest.saturating_add(longest), longest);
        for seconds in [u64::MAX / NANOS_PER_SECOND - 1, u64::MAX / NANOS_PER_SECOND] {
            let time = Duration::new(seconds, 999_999_999);
            let expected = match seconds < u64::MAX / NANOS_PER_SECOND {
                true => time,
                false => Duration::from_nanos(u64::MAX - 1),
            };
            assert_eq!(Duration::from(Nanos::from(time)), expected);
        }
    }

    #[test]
    fn sums_and_differences_are_those_of_durations() {
        let (short, long) = (Duration::from_millis(7), Duration::from_secs(3));
        let (a, b) = (Nanos::from(short), Nanos::from(long));
        assert!(a < b && Nanos::ZERO < a);
        assert_eq!(Duration::from(a.saturating_add(b)), short + long);
        assert_eq!(Duration::from(b.saturating_sub(a)), long - short);
        assert_eq!(a.saturating_sub(b), Nanos::ZERO);
        assert_eq!(Nanos::from_secs(3), b);
        assert_eq!(format!("{b:?}"), "3s");
    }
}

//! Slots: arithmetic of who is closed when, and who may return when. Pure; randomness is passed in.

use std::time::Duration;

use revoir_proto::Random;

/// When `count` clients may return: each in a part of its own of a window.
///
/// The window begins at `first`. Its parts are equal, and a client's time in its part is random, so
/// that no second of the window gets more than its share and one client more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slots {
    first: Duration,
    window: Duration,
    count: u32,
}

impl Slots {
    pub(super) fn new(first: Duration, window: Duration, count: u32) -> Self {
        Self {
            first,
            window,
            count,
        }
    }

    /// The time of the client with the number `index`, from 0.
    pub(super) fn nth(self, index: u32, random: &mut impl Random) -> Duration {
        let part = self.window / self.count.max(1);
        let start = portion(self.window, index, self.count);
        let start = self.first.saturating_add(start);
        start.saturating_add(uniform(part, random))
    }

    /// The time of a client that is not among those counted: any time in what is left of the
    /// window at `now`.
    pub(super) fn latecomer(self, now: Duration, random: &mut impl Random) -> Duration {
        let start = self.first.max(now);
        let end = self.first.saturating_add(self.window).max(start);
        start.saturating_add(uniform(end - start, random))
    }
}

/// How many of `count` have to be closed by the end of the tick that begins `elapsed` after the
/// first, so that all are closed evenly in the time `over`.
pub(super) fn due(count: usize, elapsed: Duration, over: Duration, tick: Duration) -> usize {
    let end = elapsed.saturating_add(tick);
    if end >= over {
        return count;
    }
    // Not more than `count`, since `end` is below `over`.
    (count as u128 * end.as_nanos()).div_ceil(over.as_nanos()) as usize
}

/// Puts `items` in a random order; every order is as likely.
pub(super) fn shuffle<T>(items: &mut [T], random: &mut impl Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last + 1, random));
    }
}

/// A random time from zero up to `limit`, without it; at most 584 years.
pub(crate) fn uniform(limit: Duration, random: &mut impl Random) -> Duration {
    // 64 random bits: the nanoseconds of centuries.
    let bits = u128::from(random.next_u32()) << 32 | u128::from(random.next_u32());
    let limit = limit.as_nanos().min(u64::MAX.into());
    Duration::from_nanos(((limit * bits) >> 64) as u64)
}

/// Whole seconds for a Retry-After (RFC 9110 section 10.2.3): never early, and at least one.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    let up = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(up).max(1)
}

/// A random number below `limit`, which is at most 2^32.
fn below(limit: usize, random: &mut impl Random) -> usize {
    // The bias is at most one in 2^32 divided by the limit.
    ((limit as u64 * u64::from(random.next_u32())) >> 32) as usize
}

/// `whole` times `index` divided by `count`.
fn portion(whole: Duration, index: u32, count: u32) -> Duration {
    let nanos = whole.as_nanos() * u128::from(index) / u128::from(count.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator: SplitMix64.
    struct Seeded(u64);

    impl Random for Seeded {
        fn next_u32(&mut self) -> u32 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed >> 32) as u32
        }
    }

    /// Every possible extreme.
    struct Always(u32);

    impl Random for Always {
        fn next_u32(&mut self) -> u32 {
            self.0
        }
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn no_second_of_the_window_gets_more_than_its_share_and_one_more() {
        for (count, window_s, seed) in [(9_000, 30, 1), (100_000, 60, 2), (7, 3, 3), (1, 10, 4)] {
            let window = Duration::from_secs(window_s);
            let slots = Slots::new(ms(5000), window, count);
            let mut random = Seeded(seed);
            let mut seconds = vec![0; window_s as usize];
            for index in 0..count {
                let at = slots.nth(index, &mut random);
                assert!((ms(5000)..ms(5000) + window).contains(&at), "{at:?}");
                seconds[(at - ms(5000)).as_secs() as usize] += 1;
            }
            let share = count.div_ceil(window_s as u32);
            assert!(seconds.iter().all(|got| *got <= share + 1), "{seconds:?}");
            assert_eq!(seconds.iter().sum::<u32>(), count);
        }
    }

    #[test]
    fn slots_stay_in_their_window_at_the_extremes() {
        let slots = Slots::new(ms(5000), ms(1000), 4);
        assert_eq!(slots.nth(0, &mut Always(0)), ms(5000));
        assert!(slots.nth(3, &mut Always(u32::MAX)) < ms(6000));
        assert_eq!(slots.latecomer(ms(0), &mut Always(0)), ms(5000));
        assert!(slots.latecomer(ms(5900), &mut Always(u32::MAX)) < ms(6000));
        assert_eq!(slots.latecomer(ms(7000), &mut Always(9)), ms(7000));
        let nobody = Slots::new(ms(0), ms(0), 0);
        assert_eq!(nobody.nth(0, &mut Always(u32::MAX)), ms(0));
        let longest = Slots::new(ms(0), Duration::from_secs(3600), u32::MAX);
        assert!(longest.nth(u32::MAX - 1, &mut Always(u32::MAX)) < Duration::from_secs(3600));
    }

    #[test]
    fn latecomers_are_spread_over_what_is_left() {
        let slots = Slots::new(ms(5000), ms(10_000), 9);
        let mut random = Seeded(5);
        let mut halves = [0, 0];
        for _ in 0..10_000 {
            let at = slots.latecomer(ms(9000), &mut random);
            assert!((ms(9000)..ms(15_000)).contains(&at));
            halves[usize::from(at >= ms(12_000))] += 1;
        }
        assert!(
            halves.iter().all(|half| (4800..5200).contains(half)),
            "{halves:?}"
        );
    }

    #[test]
    fn closing_is_even_to_the_last_one() {
        for (count, over) in [(9000, 1000), (10, 1000), (1, 0), (333, 50), (101, 60_000)] {
            let (mut closed, mut now) = (0, 0);
            while closed < count {
                let by_now = due(count, ms(now), ms(over), ms(20));
                let share = (count as u64 * 20).div_ceil(over.max(20)) as usize;
                assert!(
                    (closed..=closed + share + 1).contains(&by_now),
                    "{count} {over} {now}"
                );
                closed = by_now;
                now += 20;
            }
            assert!(now <= over + 20, "{count} in {now} of {over}");
            // Half of them at half of the time.
            let half = due(count, ms(over / 2), ms(over), ms(0)) as i64;
            assert!((half - count as i64 / 2).abs() <= 1 || over == 0, "{half}");
        }
    }

    #[test]
    fn every_place_is_as_likely_for_everybody() {
        let mut random = Seeded(6);
        let mut at_first = [0; 5];
        for _ in 0..50_000 {
            let mut items = [0, 1, 2, 3, 4];
            shuffle(&mut items, &mut random);
            at_first[items[0]] += 1;
            items.sort_unstable();
            assert_eq!(items, [0, 1, 2, 3, 4]);
        }
        assert!(
            at_first.iter().all(|n| (9_500..10_500).contains(n)),
            "{at_first:?}"
        );
    }

    #[test]
    fn a_retry_after_is_never_early_and_never_zero() {
        let seconds = [0, 1, 999, 1000, 1001, 60_000].map(|at| whole_seconds(ms(at)));
        assert_eq!(seconds, [1, 1, 1, 1, 2, 60]);
    }
}

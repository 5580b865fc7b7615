//! [`after`]: a deadline, for any `Duration`.

use std::time::Duration;

use tokio::time::Instant;

/// As good as never: thirty years.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The time `limit` after `start`. An `Instant` cannot show every such time: what it cannot is never,
/// as `Duration::MAX` is meant.
pub(crate) fn after(start: Instant, limit: Duration) -> Instant {
    let shown = start.checked_add(limit);
    shown.or_else(|| start.checked_add(NEVER)).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_limit_is_decades_away_and_a_short_one_is_itself() {
        let now = Instant::now();
        assert_eq!(
            after(now, Duration::from_secs(1)) - now,
            Duration::from_secs(1)
        );
        assert!(after(now, Duration::MAX) - now >= NEVER);
        assert!(after(after(now, Duration::MAX), Duration::MAX) > now);
    }
}

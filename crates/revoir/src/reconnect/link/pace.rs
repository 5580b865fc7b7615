//! [`Pace`]: how fast the messages that were kept follow each other.

use std::time::Duration;

/// The longest gap, where the application did not say another.
const LONGEST: Duration = Duration::from_millis(50);

/// Bounds of the gap between two messages of the backlog.
///
/// A server that limits the rate of its clients would close a connection that begins with everything
/// at once. So they go out at twice the pace at which they were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    shortest: Duration,
    longest: Duration,
}

impl Pace {
    /// At least `gap` between two messages.
    pub(super) fn with_gap(gap: Duration) -> Self {
        Self {
            shortest: gap,
            longest: gap.max(LONGEST),
        }
    }

    /// The gap between two messages that were accepted so far `apart`.
    pub(super) fn gap(self, apart: Duration) -> Duration {
        (apart / 2).clamp(self.shortest, self.longest)
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::with_gap(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(pace: Pace) -> [u128; 3] {
        [0, 60, 5_000].map(|apart| pace.gap(Duration::from_millis(apart)).as_millis())
    }

    #[test]
    fn the_backlog_goes_out_twice_as_fast_as_it_came() {
        assert_eq!(gaps(Pace::default()), [0, 30, 50]);
        assert_eq!(
            gaps(Pace::with_gap(Duration::from_millis(40))),
            [40, 40, 50]
        );
        assert_eq!(gaps(Pace::with_gap(Duration::from_millis(500))), [500; 3]);
    }
}

//! [`KeepAlive`]: the older protocol's heartbeats. A client that has had one gives up when the next does not come: that
//! of subscriptions-transport-ws after 30 s.

use std::time::Duration;

/// Between two heartbeats, while only one has been seen.
const FIRST_INTERVAL: Duration = Duration::from_secs(5);

/// After so long the second one is late: clients still wait for another 10 s.
const FIRST_LATE: Duration = Duration::from_secs(20);

/// Heartbeats are not sent more often, whatever the pace seems to be: those of a stalled connection come all at once.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// However slow the pace, the next one is late after so long: clients wait for 30 s.
const LATEST: Duration = Duration::from_secs(27);

/// No pace is slower: clients would have given up.
const SLOWEST_PACE: Duration = Duration::from_secs(30);

/// How long a server that is there, and silent, is stood in for.
const STOOD_IN: Duration = Duration::from_secs(66);

/// What the client has heard, and when it has to hear the next.
#[derive(Debug, Default)]
pub(super) struct KeepAlive {
    /// The last one that the client got, whoever sent it.
    told: Option<Duration>,
    /// The last one of the server that is there.
    last: Option<Duration>,
    /// Between its last two.
    gap: Option<Duration>,
    /// The pace, by the server that is there or by the one before it.
    interval: Option<Duration>,
    is_away: bool,
    /// Whether the adapter has sent the last one in place of a server that is there.
    stands_in: bool,
    /// When the server that is there was last known to go on.
    since: Duration,
}

impl KeepAlive {
    /// The server has sent one.
    pub(super) fn seen(&mut self, now: Duration) {
        if let Some(last) = self.last {
            self.learn(now.saturating_sub(last));
        }
        (self.told, self.last) = (Some(now), Some(now));
        (self.stands_in, self.since) = (false, now);
    }

    /// Two heartbeats of one server are so far apart.
    fn learn(&mut self, gap: Duration) {
        // A server that was frozen goes back to its own pace, and the gap is not that.
        if self.stands_in && gap > SLOWEST_PACE {
            return;
        }
        // Two that come at once are no pace: the longer of the last two gaps is.
        let before = self.gap.replace(gap).unwrap_or_default();
        self.interval = Some(gap.max(before).max(SHORTEST_INTERVAL));
    }

    /// There is no server.
    pub(super) fn server_gone(&mut self) {
        (self.is_away, self.stands_in) = (true, false);
        (self.last, self.gap) = (None, None);
    }

    /// There is a server, and its hello is over.
    pub(super) fn server_back(&mut self, now: Duration) {
        (self.is_away, self.since) = (false, now);
    }

    /// When the client has to hear one in the place of its server.
    pub(super) fn next(&self) -> Option<Duration> {
        let told = self.told?;
        let interval = self.interval.unwrap_or(FIRST_INTERVAL);
        if self.is_away {
            return Some(told + interval);
        }
        let late = if self.stands_in {
            interval
        } else {
            self.interval
                .map_or(FIRST_LATE, |interval| interval + interval / 2)
                .min(LATEST)
        };
        Some(told + late).filter(|&next| next <= self.since + STOOD_IN)
    }

    /// The client hears one now.
    pub(super) fn stand_in(&mut self, now: Duration) {
        self.told = Some(now);
        self.stands_in = !self.is_away;
    }
}

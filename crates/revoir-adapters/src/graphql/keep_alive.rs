//! [`KeepAlive`]: the older protocol's heartbeats. A client that has had one gives up when the next does not come: that
//! of subscriptions-transport-ws after 30 s.

use std::time::Duration;

/// Between two heartbeats, while only one has been seen.
const FIRST_INTERVAL: Duration = Duration::from_secs(5);

/// After so long the second one is late: clients still wait for another 10 s.
const FIRST_LATE: Duration = Duration::from_secs(20);

/// Heartbeats are not sent more often: a timer is not a busy loop.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// How long a server that is there, and silent, is stood in for.
const STOOD_IN: Duration = Duration::from_secs(66);

/// What the client has heard, and when it has to hear the next.
#[derive(Debug, Default)]
pub(super) struct KeepAlive {
    /// The last one that the client got, whoever sent it.
    told: Option<Duration>,
    /// The last one of the server that is there.
    last: Option<Duration>,
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
        // A server that was frozen comes back to its own pace, and the gap is not that.
        let is_pace = self.interval.is_none() || !self.stands_in;
        if let Some(last) = self.last.filter(|_| is_pace) {
            self.interval = Some(now.saturating_sub(last).max(SHORTEST_INTERVAL));
        }
        (self.told, self.last) = (Some(now), Some(now));
        (self.stands_in, self.since) = (false, now);
    }

    /// There is no server.
    pub(super) fn server_gone(&mut self) {
        (self.is_away, self.last, self.stands_in) = (true, None, false);
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
        };
        Some(told + late).filter(|&late| late <= self.since + STOOD_IN)
    }

    /// The client hears one now.
    pub(super) fn stand_in(&mut self, now: Duration) {
        self.told = Some(now);
        self.stands_in = !self.is_away;
    }
}

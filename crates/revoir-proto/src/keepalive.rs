//! [`Liveness`]: when to ping, and when the peer counts as dead. Pure: time is passed in.

use std::time::Duration;

use crate::config::KeepaliveConfig;
use crate::nanos::Nanos;

/// The payload of a keepalive ping: random, so that a pong can be matched.
pub(crate) type PingId = [u8; 4];

/// Signs of life and the ping that asks for one.
///
/// A [`Connection`](crate::Connection) keeps one of its own. It is public for those who relay
/// frames without a connection: they report bytes and pongs, ask for the two deadlines, and queue
/// the ping themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    received: Nanos,
    sent: Nanos,
    /// The random number that moves the next ping.
    jitter: u32,
    ping: Ping,
    /// The last ping that was written, until its pong comes: its payload and when.
    unmatched: Option<(PingId, Nanos)>,
    rtt: Option<Nanos>,
}

/// Where a keepalive ping stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ping {
    /// None is under way.
    Idle,
    /// In the output queue. It ends after so many bytes of output since the connection opened.
    Queued { id: PingId, end: u64 },
    /// Written, and no byte came. From when on the peer's silence counts.
    Awaited { since: Nanos },
}

/// The keepalive: signs of life and the ping that asks for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LivenessSnapshot {
    /// When the last byte was received.
    pub received: Duration,
    /// When the last byte was written.
    pub sent: Duration,
    /// The random number that moves the next ping.
    pub jitter: u32,
    /// The ping that waits for a sign of life.
    pub ping: PingSnapshot,
    /// The last ping that was written, until its pong comes: its payload and when.
    pub unmatched: Option<([u8; 4], Duration)>,
    /// The last round trip.
    pub rtt: Option<Duration>,
}

/// Where a keepalive ping stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PingSnapshot {
    /// None is under way.
    Idle,
    /// In the output queue.
    Queued {
        /// Its payload.
        id: [u8; 4],
        /// Where it ends, in bytes of output since the connection opened.
        end: u64,
    },
    /// Written; no byte came since.
    Awaited {
        /// From when on the peer's silence counts.
        since: Duration,
    },
}

impl Liveness {
    /// Nothing was received or sent since `now`. `jitter` moves the first ping.
    #[must_use]
    pub fn new(now: Duration, jitter: u32) -> Self {
        let now = now.into();
        Self {
            received: now,
            sent: now,
            jitter,
            ping: Ping::Idle,
            unmatched: None,
            rtt: None,
        }
    }

    /// When the last byte was received.
    #[must_use]
    pub fn received(&self) -> Duration {
        self.received.into()
    }

    /// The last round trip.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt.map(Into::into)
    }

    /// When the last byte went in either direction.
    pub(crate) fn latest(&self) -> Nanos {
        self.received.max(self.sent)
    }

    /// When the last byte was written.
    #[inline]
    pub(crate) fn sent(&self) -> Nanos {
        self.sent
    }

    /// Takes note of received bytes: any byte is a sign of life.
    #[inline]
    pub fn on_received(&mut self, now: Duration) {
        self.note_received(now.into());
    }

    /// [`on_received`](Self::on_received), in the units of the core. Returns whether a ping waited
    /// for it.
    #[inline]
    pub(crate) fn note_received(&mut self, now: Nanos) -> bool {
        self.received = now;
        let was_awaited = matches!(self.ping, Ping::Awaited { .. });
        if was_awaited {
            self.ping = Ping::Idle;
        }
        was_awaited
    }

    /// Takes note of written bytes; `written` counts them since the connection opened.
    #[inline]
    pub fn on_written(&mut self, now: Duration, written: u64) {
        self.note_written(now.into(), written);
    }

    /// [`on_written`](Self::on_written), in the units of the core. Returns whether the end of the
    /// ping was among the bytes.
    #[inline]
    pub(crate) fn note_written(&mut self, now: Nanos, written: u64) -> bool {
        self.sent = now;
        if let Ping::Queued { id, end } = self.ping
            && end <= written
        {
            self.ping = Ping::Awaited { since: now };
            self.unmatched = Some((id, now));
            return true;
        }
        false
    }

    /// Takes note of a pong in input that `arrived` then: the round trip, if it answers the last
    /// ping.
    pub fn on_pong(&mut self, arrived: Duration, payload: &[u8]) -> Option<Duration> {
        let (id, at) = self.unmatched?;
        if payload != id {
            return None;
        }
        self.unmatched = None;
        let arrived = Nanos::from(arrived);
        // Input that was added to older input that nobody had taken counts from the last byte.
        let arrived = if arrived < at { self.received } else { arrived };
        self.rtt = Some(arrived.saturating_sub(at));
        self.rtt()
    }

    /// How long it may be quiet before the next ping: the interval, varied.
    #[must_use]
    pub fn interval(&self, config: &KeepaliveConfig) -> Duration {
        jittered(config.interval, self.jitter)
    }

    /// When to send the next ping, given its [`interval`](Self::interval). `None` while one is
    /// under way.
    ///
    /// While we are deaf no pong can be waited for, and pings go on: intermediaries are to see
    /// traffic.
    #[inline]
    #[must_use]
    pub fn ping_at(&self, interval: Duration, is_deaf: bool) -> Option<Duration> {
        self.ping_due(interval.into(), is_deaf).map(Into::into)
    }

    /// [`ping_at`](Self::ping_at), in the units of the core.
    #[inline]
    pub(crate) fn ping_due(&self, interval: Nanos, is_deaf: bool) -> Option<Nanos> {
        match self.ping {
            Ping::Idle => Some(self.received.min(self.sent).saturating_add(interval)),
            Ping::Awaited { .. } if is_deaf => Some(self.sent.saturating_add(interval)),
            Ping::Queued { .. } | Ping::Awaited { .. } => None,
        }
    }

    /// When the peer counts as dead. `None` while no ping waits for a sign of life.
    #[inline]
    #[must_use]
    pub fn dead_at(&self, config: &KeepaliveConfig) -> Option<Duration> {
        self.dead_due(config).map(Into::into)
    }

    /// [`dead_at`](Self::dead_at), in the units of the core.
    #[inline]
    pub(crate) fn dead_due(&self, config: &KeepaliveConfig) -> Option<Nanos> {
        match self.ping {
            Ping::Awaited { since } => Some(since.saturating_add(config.timeout.into())),
            Ping::Idle | Ping::Queued { .. } => None,
        }
    }

    /// A ping entered the queue, with `id` as its payload; it `end`s after so many bytes of output
    /// since the connection opened. `jitter` moves the one after it.
    pub fn on_ping_queued(&mut self, id: PingId, end: u64, jitter: u32) {
        self.ping = Ping::Queued { id, end };
        self.jitter = jitter;
    }

    /// The peer can be heard again. The time `deaf_since` then does not count as its silence.
    pub fn on_hearing_again(&mut self, now: Duration, deaf_since: Duration) {
        if let Ping::Awaited { since } = &mut self.ping {
            *since = moved(*since, now.into(), deaf_since.into());
        }
    }

    pub(crate) fn export(&self) -> LivenessSnapshot {
        LivenessSnapshot {
            received: self.received.into(),
            sent: self.sent.into(),
            jitter: self.jitter,
            ping: match self.ping {
                Ping::Idle => PingSnapshot::Idle,
                Ping::Queued { id, end } => PingSnapshot::Queued { id, end },
                Ping::Awaited { since } => PingSnapshot::Awaited {
                    since: since.into(),
                },
            },
            unmatched: self.unmatched.map(|(id, at)| (id, at.into())),
            rtt: self.rtt(),
        }
    }

    pub(crate) fn import(snapshot: &LivenessSnapshot) -> Self {
        Self {
            received: snapshot.received.into(),
            sent: snapshot.sent.into(),
            jitter: snapshot.jitter,
            ping: match snapshot.ping {
                PingSnapshot::Idle => Ping::Idle,
                PingSnapshot::Queued { id, end } => Ping::Queued { id, end },
                PingSnapshot::Awaited { since } => Ping::Awaited {
                    since: since.into(),
                },
            },
            unmatched: snapshot.unmatched.map(|(id, at)| (id, at.into())),
            rtt: snapshot.rtt.map(Into::into),
        }
    }
}

/// `since`, moved so that the time from `deaf_since` until `now` does not count.
pub(crate) fn moved(since: Nanos, now: Nanos, deaf_since: Nanos) -> Nanos {
    since.saturating_add(now.saturating_sub(since.max(deaf_since)))
}

/// `interval` varied by 10 % either way, evenly over `random`.
fn jittered(interval: Duration, random: u32) -> Duration {
    let millis = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX / 8);
    let spread = millis / 5;
    // 2^32 random values scaled to the spread.
    let moved = ((u128::from(spread) * u128::from(random)) >> 32) as u64;
    Duration::from_millis((millis - spread / 2).saturating_add(moved))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn jitter_stays_within_ten_percent() {
        let interval = seconds(20);
        assert_eq!(jittered(interval, 0), seconds(18));
        assert_eq!(jittered(interval, u32::MAX), Duration::from_millis(21_999));
        assert_eq!(jittered(interval, 1 << 31), seconds(20));
        assert!(jittered(Duration::MAX, u32::MAX) > seconds(1_000_000));
    }

    #[test]
    fn a_ping_is_due_when_either_direction_is_quiet() {
        let mut liveness = Liveness::new(seconds(100), 1 << 31);
        let interval = liveness.interval(&KeepaliveConfig::default());
        assert_eq!(liveness.ping_at(interval, false), Some(seconds(120)));
        liveness.on_received(seconds(110));
        assert_eq!(liveness.ping_at(interval, false), Some(seconds(120)));
        liveness.on_written(seconds(111), 0);
        assert_eq!(liveness.ping_at(interval, false), Some(seconds(130)));
    }

    #[test]
    fn silence_counts_from_the_written_ping_and_any_byte_breaks_it() {
        let config = KeepaliveConfig::default();
        let mut liveness = Liveness::new(seconds(0), 0);
        liveness.on_ping_queued(*b"ping", 10, 0);
        assert_eq!(
            (
                liveness.ping_at(seconds(20), false),
                liveness.dead_at(&config)
            ),
            (None, None)
        );
        liveness.on_written(seconds(30), 9);
        assert_eq!(liveness.dead_at(&config), None);
        liveness.on_written(seconds(31), 10);
        assert_eq!(liveness.dead_at(&config), Some(seconds(51)));
        liveness.on_received(seconds(40));
        assert_eq!(liveness.dead_at(&config), None);
        assert_eq!(liveness.on_pong(seconds(40), b"else"), None);
        assert_eq!(liveness.on_pong(seconds(40), b"ping"), Some(seconds(9)));
        assert_eq!(liveness.on_pong(seconds(40), b"ping"), None);
    }
}

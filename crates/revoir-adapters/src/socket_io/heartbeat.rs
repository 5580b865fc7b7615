//! [`Heartbeat`]: Engine.IO's ping and pong, between a client and whichever server it has.

use std::time::Duration;

use serde::Deserialize;

/// Shorter intervals are taken as this: a timer is not a busy loop.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// What Engine.IO's open packet says about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// The server pings so often.
    interval: Duration,
    /// Either side waits so long for the other's part.
    timeout: Duration,
}

impl Pace {
    /// From the JSON of an open packet. `None` if it is none.
    pub(super) fn parse(open: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Open {
            #[serde(rename = "sid")]
            _sid: String,
            ping_interval: u64,
            ping_timeout: u64,
        }
        let open: Open = serde_json::from_slice(open).ok()?;
        Some(Self {
            interval: Duration::from_millis(open.ping_interval).max(SHORTEST_INTERVAL),
            timeout: Duration::from_millis(open.ping_timeout),
        })
    }
}

/// Who pings, and who is told of a pong. The server pings in Engine.IO 4: a client that misses a ping
/// for the interval and the timeout of *its* open packet gives up.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    /// What the client was told. `None` before its open packet.
    pace: Option<Pace>,
    /// Whether the server that is there has another pace: the adapter pings the client then, and
    /// answers the server.
    is_ours: bool,
    /// When the adapter pings next.
    next: Option<Duration>,
    /// When the client saw its last ping, or its open packet.
    last: Duration,
    /// A ping of the server that is there, passed and not answered.
    is_asked: bool,
    /// How often the adapter has pinged in a row in place of a server that is there, and late.
    stood_in: u8,
    /// Pings that the client was sent by whomever, and those that it has answered.
    pings: u64,
    pongs: u64,
    awaited: Awaited,
}

/// What has to be answered until the client has handled what it was told before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Awaited {
    #[default]
    Nothing,
    /// The ping of this number, which another one follows.
    First(u64),
    /// The ping of this number.
    Second(u64),
}

/// How often in a row a server that is there is stood in for: if it is frozen it may go on, and if not the
/// client is to find out.
const MOST_STOOD_IN: u8 = 3;

/// What becomes of a ping or a pong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Pass,
    Swallow,
    /// Swallow, and answer.
    Answer,
}

impl Heartbeat {
    /// The client's own open packet.
    pub(super) fn opened(&mut self, now: Duration, pace: Pace) {
        self.pace = Some(pace);
        self.last = now;
    }

    /// The open packet of a later server.
    pub(super) fn reopened(&mut self, pace: Pace) {
        self.is_ours = self.pace != Some(pace);
    }

    /// The server pinged. `is_ready`: whether a pong may go to it.
    pub(super) fn ping(&mut self, now: Duration, is_ready: bool) -> Beat {
        if self.is_ours || !is_ready {
            return Beat::Answer;
        }
        self.pinged(now);
        self.stood_in = 0;
        self.is_asked = true;
        Beat::Pass
    }

    /// The client answered a ping, of whomever: it is there, and a server is told so that has asked.
    pub(super) fn pong(&mut self) -> Beat {
        self.late_pong();
        match std::mem::take(&mut self.is_asked) {
            true => Beat::Pass,
            false => Beat::Swallow,
        }
    }

    /// The client answered a ping while no server was there to be told.
    pub(super) fn late_pong(&mut self) {
        self.pongs = self.pings.min(self.pongs + 1);
    }

    /// Whether another ping is due, which its caller says: the client has answered the first of two.
    pub(super) fn asks_again(&mut self, now: Duration) -> bool {
        match self.awaited {
            Awaited::First(number) if number <= self.pongs => {
                self.pinged(now);
                self.awaited = Awaited::Second(self.pings);
                true
            }
            Awaited::Second(number) if number <= self.pongs => {
                self.awaited = Awaited::Nothing;
                false
            }
            Awaited::Nothing | Awaited::First(_) | Awaited::Second(_) => false,
        }
    }

    /// Whether the client may still be about to handle what it was told.
    pub(super) fn is_awaited(&self) -> bool {
        self.awaited != Awaited::Nothing
    }

    fn pinged(&mut self, now: Duration) {
        self.last = now;
        self.pings += 1;
    }

    /// The server is gone: the adapter pings in its place.
    pub(super) fn server_gone(&mut self, now: Duration) {
        self.awaited = Awaited::Nothing;
        self.stood_in = 0;
        self.is_asked = false;
        self.next = self.pace.map(|pace| (self.last + pace.interval).max(now));
    }

    /// The server is there and ready: the client is pinged, because the first ping of a new
    /// server may come up to two intervals after the last one of the old, and because its answer tells that
    /// it knows of the server. One that has not answered its last ping sleeps, and is not waited for.
    pub(super) fn ready(&mut self, now: Duration) {
        let is_awake = self.pongs == self.pings;
        self.pinged(now);
        if is_awake {
            self.awaited = Awaited::First(self.pings);
        }
        self.next = match self.pace {
            Some(pace) if self.is_ours => Some(now + pace.interval),
            _ => None,
        };
    }

    /// When the adapter pings next. In place of a server that is there only where its ping is so late that
    /// the client is about to give up.
    pub(super) fn next(&self) -> Option<Duration> {
        let stands_in = self.stood_in < MOST_STOOD_IN;
        let pace = self.pace.filter(|_| stands_in);
        let late = pace.map(|pace| self.last + pace.interval + pace.timeout / 2);
        self.next.or(late)
    }

    /// A ping of the adapter's own, which its caller says.
    pub(super) fn beat(&mut self, now: Duration) {
        self.pinged(now);
        if self.next.is_some() {
            self.next = self.pace.map(|pace| now + pace.interval);
        } else {
            self.is_asked = false;
            self.stood_in += 1;
        }
    }
}

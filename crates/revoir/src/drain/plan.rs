//! [`Drain`]: how to close all connections.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use revoir_proto::SendCode;

use crate::drain::Schedule;
use crate::drain::slots::Slots;

/// Returns per second, unless told otherwise.
const RETURN_RATE: u32 = 500;

/// A plan to close all connections of a server: fast, in order, and with a time to return for each.
///
/// Closing and returning are independent. The connections are closed within a second or so, evenly,
/// in random order. In the reason of its Close frame each client gets a slot of its own
/// ([`Slot`](crate::ending::Slot)), from the time a successor is ready, spread over a window. Clients that
/// know slots ([`Policy`](crate::Policy) does) come back at an even rate instead of all at once.
///
/// ```
/// use std::time::Duration;
///
/// let plan = revoir::drain::Drain::restart()
///     .within(Duration::from_secs(10))
///     .return_over(Duration::from_secs(30));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a plan does nothing by itself; see Tracker::drain"]
pub struct Drain {
    pub(super) code: SendCode,
    pub(super) reason: Arc<str>,
    pub(super) within: Duration,
    pub(super) closing_over: Duration,
    pub(super) notice: Duration,
    pub(super) releases_port: bool,
    ready_in: Duration,
    window: Window,
}

/// How long the returns take.
#[derive(Clone, Copy, Debug)]
enum Window {
    Over(Duration),
    PerSecond(NonZeroU32),
}

impl Drain {
    /// A restart: 1012, and the successor is ready 5 s after the drain has started.
    pub fn restart() -> Self {
        let ready_in = Duration::from_secs(5);
        Self::new(SendCode::SERVICE_RESTART, "service restart", ready_in)
    }

    /// This server goes and others remain: 1001, and clients may return from now on.
    pub fn going_away() -> Self {
        Self::new(SendCode::GOING_AWAY, "going away", Duration::ZERO)
    }

    fn new(code: SendCode, reason: &str, ready_in: Duration) -> Self {
        let rate = NonZeroU32::MIN.saturating_add(RETURN_RATE - 1);
        Self {
            code,
            reason: reason.into(),
            within: Duration::from_secs(10),
            closing_over: Duration::from_secs(1),
            notice: Duration::from_secs(1),
            releases_port: false,
            ready_in,
            window: Window::PerSecond(rate),
        }
    }

    /// When the drain is over at the latest: what is still there is cut and counted. Default: 10 s.
    ///
    /// A peer that does not answer its Close frame takes as long as the close budget of its
    /// connection, 5 s by default. Requests that are being read are answered with 503, at the latest
    /// when the last connection was told to close; one that the application has not decided on is
    /// waited for.
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// How long the closing takes: connections are closed evenly, in ticks of 20 ms. Default: 1 s.
    /// At most half of [`within`](Self::within) is taken.
    ///
    /// Clients that ignore slots return some time after their close, so a longer time spreads them.
    pub fn closing_over(mut self, time: Duration) -> Self {
        self.closing_over = time;
        self
    }

    /// When a successor is ready for the first client, from the start of the drain. Default: 5 s
    /// for a restart, at once for going away.
    pub fn ready_in(mut self, time: Duration) -> Self {
        self.ready_in = time;
        self
    }

    /// Spreads the returns over `window`.
    pub fn return_over(mut self, window: Duration) -> Self {
        self.window = Window::Over(window);
        self
    }

    /// Lets so many clients return per second. Default: 500.
    pub fn return_rate(mut self, per_second: NonZeroU32) -> Self {
        self.window = Window::PerSecond(per_second);
        self
    }

    /// How long a handler that awaits [`draining`](crate::WebSocket::draining) may go on before its
    /// Close frame is sent. Connections without one are closed at once. Default: 1 s.
    pub fn notice(mut self, time: Duration) -> Self {
        self.notice = time;
        self
    }

    /// The text of the Close frames, in front of the slot. Default: `service restart` or
    /// `going away`.
    pub fn reason(mut self, text: &str) -> Self {
        self.reason = text.into();
        self
    }

    /// Closes the listening socket at once, because a successor listens on the same port. Default:
    /// it stays open, and new requests are answered with 503 and a Retry-After.
    pub fn releasing_port(mut self) -> Self {
        self.releases_port = true;
        self
    }

    /// When `count` connections are closed and may return, for a program that has connections of
    /// its own.
    #[must_use]
    pub fn schedule(&self, count: usize) -> Schedule {
        Schedule::new(self.slots(count), count, self.closing_time())
    }

    /// When the drain is over at the latest, from its start.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.within
    }

    /// The code of the Close frames.
    #[must_use]
    pub fn code(&self) -> SendCode {
        self.code
    }

    /// The text of the Close frames, in front of the slot.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.reason
    }

    /// When `count` connections may return, from the start of the drain.
    pub(super) fn slots(&self, count: usize) -> Slots {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let window = match self.window {
            Window::Over(window) => window,
            Window::PerSecond(rate) => Duration::from_secs(1) * count / rate.get(),
        };
        Slots::new(self.ready_in, window, count)
    }

    /// How long the closing takes.
    pub(super) fn closing_time(&self) -> Duration {
        self.closing_over.min(self.within / 2)
    }
}

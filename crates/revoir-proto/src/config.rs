//! [`Config`]: what a connection can be told. Shared by many connections.

use std::time::Duration;

use crate::limits::Limits;

/// What a connection can be told. One value is shared by many connections.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Bounds on what the connection holds.
    pub limits: Limits,
    /// Pings, and how long to wait for a sign of life. `None`: no pings, no such wait.
    pub keepalive: Option<KeepaliveConfig>,
    /// How long the peer may take no bytes while some are queued. `None`: for ever.
    /// Default: 20 s.
    pub write_timeout: Option<Duration>,
    /// How long the application may take nothing of what was received before the transport ended.
    /// Afterwards the rest is counted in `Ending::discarded` and the connection ends. `None`: for
    /// ever. Default: 60 s.
    pub take_timeout: Option<Duration>,
    /// How long there may be no message in either direction before the connection is closed with
    /// 1001. `None`, the default: for ever.
    pub idle_timeout: Option<Duration>,
    /// How long the whole closing handshake may take, whatever the peer does, from its first
    /// Close frame to the end of TCP. Default: 5 s. After a ping that was not answered
    /// ([`Cause::PongTimeout`](crate::Cause::PongTimeout)) it is 10 ms at most: our Close frame leaves
    /// if it can at once, and its answer is not waited for (RFC 6455 section 7.1.7).
    pub close_budget: Duration,
    /// How long a client waits for the server's FIN after the closing handshake
    /// (RFC 6455 section 7.1.1), within the budget. Default: 2 s.
    pub fin_wait: Duration,
    /// The shortest message that is worth compressing, in bytes, where compression was agreed on.
    /// Default: 64.
    pub compress_from: usize,
}

impl Config {
    /// The defaults of a client: messages up to 16 MiB.
    #[must_use]
    pub fn client() -> Self {
        Self::default().max_message(16 * 1024 * 1024)
    }

    /// The defaults of a server: messages up to 1 MiB.
    #[must_use]
    pub fn server() -> Self {
        Self::default()
    }

    /// Accepts messages up to so many bytes; see [`Limits::message`].
    #[must_use]
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.limits.message = bytes;
        self
    }

    /// Queues output up to so many bytes; see [`Limits::queue`].
    #[must_use]
    pub fn max_queue(mut self, bytes: usize) -> Self {
        self.limits.queue = bytes;
        self
    }

    /// Pings after `interval` without a byte one way, and waits so long for a sign of life; see
    /// [`KeepaliveConfig`].
    #[must_use]
    pub fn keepalive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.keepalive = Some(KeepaliveConfig { interval, timeout });
        self
    }

    /// Sends no pings, and waits for no sign of life.
    #[must_use]
    pub fn no_keepalive(mut self) -> Self {
        self.keepalive = None;
        self
    }

    /// How long the peer may take no bytes; see [`Config::write_timeout`](#structfield.write_timeout).
    #[must_use]
    pub fn write_timeout(mut self, limit: Option<Duration>) -> Self {
        self.write_timeout = limit;
        self
    }

    /// How long there may be no message; see [`Config::idle_timeout`](#structfield.idle_timeout).
    #[must_use]
    pub fn idle_timeout(mut self, limit: Option<Duration>) -> Self {
        self.idle_timeout = limit;
        self
    }

    /// How long closing may take; see [`Config::close_budget`](#structfield.close_budget).
    #[must_use]
    pub fn close_budget(mut self, budget: Duration) -> Self {
        self.close_budget = budget;
        self
    }
}

/// Those of a [server](Config::server).
impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            keepalive: Some(KeepaliveConfig::default()),
            write_timeout: Some(Duration::from_secs(20)),
            take_timeout: Some(Duration::from_secs(60)),
            idle_timeout: None,
            close_budget: Duration::from_secs(5),
            fin_wait: Duration::from_secs(2),
            compress_from: 64,
        }
    }
}

/// When to ping, and how long to wait for a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepaliveConfig {
    /// Ping when nothing was received, or nothing was sent, for so long. Each time it varies by
    /// 10 % either way, so that connections do not ping in step. Default: 20 s, below the limits
    /// of common intermediaries.
    pub interval: Duration,
    /// The peer is dead when no byte at all came for so long after the ping was written.
    /// Default: 20 s.
    pub timeout: Duration,
}

impl Default for KeepaliveConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(20),
            timeout: Duration::from_secs(20),
        }
    }
}

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
    /// Close frame to the end of TCP. Default: 5 s.
    pub close_budget: Duration,
    /// How long a client waits for the server's FIN after the closing handshake
    /// (RFC 6455 section 7.1.1), within the budget. Default: 2 s.
    pub fin_wait: Duration,
    /// The shortest message that is worth compressing, in bytes, where compression was agreed on.
    /// Default: 64.
    pub compress_from: usize,
}

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

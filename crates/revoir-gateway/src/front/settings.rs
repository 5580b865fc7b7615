//! [`Settings`]: what a gateway is told that holds for all of its routes.

use std::time::Duration;

use crate::connection::ClientLimits;
use crate::front::announced::ProxyProtocol;
use crate::net::Peers;

/// What a gateway is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a client may take to send its request, and a backend to answer it.
    pub handshake_limit: Duration,
    /// How long an opening handshake may wait until a backend can be reached.
    pub wait_limit: Duration,
    /// The most opening handshakes, and first requests of sessions, that wait for a backend.
    pub waiting: usize,
    /// The most bytes of a request's head.
    pub head_bytes: usize,
    /// The most header fields of a request.
    pub head_fields: usize,
    /// The most memory that all clients together fill, with messages whose end is missing, messages of
    /// held clients, what waits to be written, and bodies.
    pub held_bytes: usize,
    /// The most connections of any kind at a time.
    pub sockets: usize,
    /// The same, from one address.
    pub sockets_per_address: usize,
    /// How long plain HTTP may stand still.
    pub http: HttpTimes,
    /// How many WebSocket clients may come in.
    pub room: ClientLimits,
    /// Which connections begin with a PROXY header.
    pub proxy_protocol: ProxyProtocol,
    /// The proxies whose word about clients is taken.
    pub trusted: Peers,
}

/// How long each leg of a plain request may stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpTimes {
    /// For the next bytes of a request's body.
    pub body: Duration,
    /// For the head of the answer, once the backend has the request.
    pub response: Duration,
    /// For the next bytes of the answer's body. 0: any time, as server-sent events need it.
    pub response_idle: Duration,
    /// For a client to take bytes.
    pub write: Duration,
    /// For the next request of a connection to begin.
    pub keep_alive: Duration,
}

impl Default for HttpTimes {
    fn default() -> Self {
        Self {
            body: Duration::from_secs(30),
            response: Duration::from_secs(60),
            response_idle: Duration::ZERO,
            write: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            handshake_limit: Duration::from_secs(10),
            wait_limit: Duration::from_secs(30),
            waiting: 10_000,
            head_bytes: 32 * 1024,
            head_fields: 100,
            held_bytes: 64 * 1024 * 1024,
            sockets: usize::MAX,
            sockets_per_address: usize::MAX,
            http: HttpTimes::default(),
            room: ClientLimits::default(),
            proxy_protocol: ProxyProtocol::default(),
            trusted: Peers::default(),
        }
    }
}

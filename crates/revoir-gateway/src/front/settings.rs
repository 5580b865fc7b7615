//! [`Settings`]: what a gateway is told that holds for all of its routes.

use std::time::Duration;

use ipnet::IpNet;

use crate::connection::ClientLimits;
use crate::front::announced::ProxyProtocol;

/// What a gateway is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a client may take to send its request, and then wait for the backend's answer.
    pub handshake_limit: Duration,
    /// The most bytes of a request's head.
    pub head_bytes: usize,
    /// The most header fields of a request.
    pub head_fields: usize,
    /// The most bytes that all holds together hold back.
    pub held_bytes: usize,
    /// How many WebSocket clients may come in.
    pub room: ClientLimits,
    /// Which connections begin with a PROXY header.
    pub proxy_protocol: ProxyProtocol,
    /// The addresses of proxies whose word about clients is taken.
    pub trusted: Vec<IpNet>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            handshake_limit: Duration::from_secs(10),
            head_bytes: 32 * 1024,
            head_fields: 100,
            held_bytes: 64 * 1024 * 1024,
            room: ClientLimits::default(),
            proxy_protocol: ProxyProtocol::default(),
            trusted: Vec::new(),
        }
    }
}

//! [`Peer`]: the other end of a client's connection.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The other end of a client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A program at this address.
    Tcp(SocketAddr),
    /// A program of this machine, through a Unix socket. It has no address.
    Unix,
}

impl Peer {
    /// Its address; that of IPv4 inside IPv6 is that of IPv4.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address().map(|address| address.ip().to_canonical())
    }

    /// Its address and port.
    pub const fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix => None,
        }
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

/// As logs have it: `unix:` where there is no address, as nginx writes it.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix:"),
        }
    }
}

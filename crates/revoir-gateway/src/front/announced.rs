//! [`ProxyProtocol`]: which connections begin with a PROXY header, and reading it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::front::source::contains;
use crate::proxy_protocol::{Header, decode};

/// How much is looked at in one go. Most headers are shorter.
const AHEAD: usize = 256;

/// Which connections begin with a PROXY header (version 1 or 2). The others are taken as they are:
/// a header from anybody else is no HTTP, and refused as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyProtocol {
    /// The balancers that send one, always.
    pub from: Vec<IpNet>,
    /// The addresses of listeners that they connect to. Empty: all.
    pub at: Vec<SocketAddr>,
    /// For the header to come.
    pub limit: Duration,
}

impl Default for ProxyProtocol {
    fn default() -> Self {
        Self {
            from: Vec::new(),
            at: Vec::new(),
            limit: Duration::from_secs(5),
        }
    }
}

impl ProxyProtocol {
    /// Whether a connection from `peer` to `local` begins with a header.
    fn is_expected(&self, peer: SocketAddr, local: SocketAddr) -> bool {
        let is_there = |at: &SocketAddr| {
            let ip = at.ip();
            at.port() == local.port()
                && (ip.is_unspecified() || ip.to_canonical() == local.ip().to_canonical())
        };
        contains(&self.from, peer.ip()) && (self.at.is_empty() || self.at.iter().any(is_there))
    }

    /// The client of a connection: whom the header names, if one is expected, else the peer. No byte
    /// behind the header is taken.
    ///
    /// # Errors
    ///
    /// `TimedOut`, `InvalidData`, or why nothing could be read.
    pub(super) async fn client(
        &self,
        stream: &mut TcpStream,
        peer: SocketAddr,
    ) -> io::Result<SocketAddr> {
        if self.from.is_empty() || !self.is_expected(peer, stream.local_addr()?) {
            return Ok(peer);
        }
        // In a box, because few connections need it.
        let header = timeout(self.limit, Box::pin(read(stream))).await;
        match header.map_err(|_| ErrorKind::TimedOut)?? {
            Header::For(addresses) => Ok(addresses.source),
            Header::Own => Ok(peer),
        }
    }
}

/// Reads a header, and nothing behind it: what is there is looked at before it is taken.
async fn read(stream: &mut TcpStream) -> io::Result<Header> {
    let mut seen = Vec::new();
    let mut ahead = [0; AHEAD];
    loop {
        let count = stream.peek(&mut ahead).await?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let before = seen.len();
        seen.extend_from_slice(&ahead[..count]);
        let decoded = decode(&seen);
        let decoded = decoded.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        let taken = decoded.map_or(count, |(_, length)| length - before);
        stream.read_exact(&mut ahead[..taken]).await?;
        if let Some((header, _)) = decoded {
            return Ok(header);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_expected_from_a_balancer_at_its_listener_only() {
        let mut balancers = ProxyProtocol {
            from: vec!["10.0.0.0/8".parse().unwrap()],
            ..ProxyProtocol::default()
        };
        let expected = |balancers: &ProxyProtocol, peer: &str, local: &str| {
            balancers.is_expected(peer.parse().unwrap(), local.parse().unwrap())
        };
        assert!(expected(&balancers, "10.1.1.1:9", "192.0.2.1:80"));
        assert!(expected(&balancers, "[::ffff:10.1.1.1]:9", "[::1]:80"));
        assert!(!expected(&balancers, "192.0.2.9:9", "192.0.2.1:80"));
        balancers.at = vec![
            "0.0.0.0:80".parse().unwrap(),
            "192.0.2.1:81".parse().unwrap(),
        ];
        assert!(expected(&balancers, "10.1.1.1:9", "192.0.2.7:80"));
        assert!(expected(&balancers, "10.1.1.1:9", "192.0.2.1:81"));
        assert!(!expected(&balancers, "10.1.1.1:9", "192.0.2.7:81"));
        assert!(!expected(&balancers, "10.1.1.1:9", "192.0.2.1:443"));
    }
}

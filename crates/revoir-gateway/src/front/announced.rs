//! [`ProxyProtocol`]: which connections begin with a PROXY header, and reading it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use crate::net::{ListenAddr, Peer, Peers, Socket};
use crate::proxy_protocol::{Header, SHORTEST, decode, missing};

/// Which connections begin with a PROXY header (version 1 or 2). The others are taken as they are:
/// a header from anybody else is no HTTP, and refused as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyProtocol {
    /// The balancers that send one, always.
    pub from: Peers,
    /// The listeners that they connect to. Empty: all.
    pub at: Vec<ListenAddr>,
    /// For the header to come.
    pub limit: Duration,
}

impl Default for ProxyProtocol {
    fn default() -> Self {
        Self {
            from: Peers::default(),
            at: Vec::new(),
            limit: Duration::from_secs(5),
        }
    }
}

impl ProxyProtocol {
    /// Whether a connection from `peer` to `local` begins with a header.
    fn is_expected(&self, peer: Peer, local: &ListenAddr) -> bool {
        let is_there = |at: &ListenAddr| match (at, local) {
            (ListenAddr::Tcp(at), ListenAddr::Tcp(local)) => {
                let ip = at.ip();
                at.port() == local.port()
                    && (ip.is_unspecified() || ip.to_canonical() == local.ip().to_canonical())
            }
            (at, local) => at == local,
        };
        self.from.contains(peer) && (self.at.is_empty() || self.at.iter().any(is_there))
    }

    /// The client of a connection to `listener`, and what it connected to: as the header says, if one
    /// is expected, else the ends of the connection. No byte behind the header is taken.
    ///
    /// # Errors
    ///
    /// `TimedOut`, `InvalidData`, or why nothing could be read.
    pub(super) async fn client(
        &self,
        stream: &mut Socket,
        peer: Peer,
        listener: &ListenAddr,
    ) -> io::Result<(Peer, Option<SocketAddr>)> {
        let local = stream.local_address();
        if self.from.is_empty() {
            return Ok((peer, local));
        }
        // One listener may be at many addresses.
        let is_expected = match local {
            Some(local) => self.is_expected(peer, &local.into()),
            None => self.is_expected(peer, listener),
        };
        if !is_expected {
            return Ok((peer, local));
        }
        // In a box, because few connections need it.
        let header = timeout(self.limit, Box::pin(read(stream))).await;
        match header.map_err(|_| ErrorKind::TimedOut)?? {
            Header::For(addresses) => {
                let client = Peer::Tcp(addresses.source);
                Ok((client, Some(addresses.destination)))
            }
            Header::Own => Ok((peer, local)),
        }
    }
}

/// Reads a header, and nothing behind it: no more at once than is missing for sure.
async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Header> {
    let mut seen = Vec::with_capacity(SHORTEST);
    loop {
        let decoded = decode(&seen);
        let decoded = decoded.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if let Some((header, _)) = decoded {
            return Ok(header);
        }
        let missing = missing(&seen) as u64;
        if (&mut *stream).take(missing).read_buf(&mut seen).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_expected_from_a_balancer_at_its_listener_only() {
        let mut balancers = ProxyProtocol {
            from: vec!["10.0.0.0/8".parse().unwrap()].into(),
            ..ProxyProtocol::default()
        };
        let expected = |balancers: &ProxyProtocol, peer: &str, local: &str| {
            let peer = Peer::Tcp(peer.parse().unwrap());
            balancers.is_expected(peer, &local.parse().unwrap())
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
        let socket = |path: &str| format!("unix:{path}").parse::<ListenAddr>().unwrap();
        assert!(!balancers.is_expected(Peer::Unix, &socket("/run/a.sock")));
        balancers.from.unix = true;
        assert!(!balancers.is_expected(Peer::Unix, &socket("/run/a.sock")));
        balancers.at = vec![socket("/run/a.sock")];
        assert!(balancers.is_expected(Peer::Unix, &socket("/run/a.sock")));
        assert!(!balancers.is_expected(Peer::Unix, &socket("/run/b.sock")));
    }
}

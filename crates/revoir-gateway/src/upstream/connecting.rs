//! [`Connecting`]: how connections to upstreams are made.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use revoir::tls::ClientTls;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::net::Socket;
use crate::proxy_protocol::{self, Header, encode};
use crate::upstream::maybe_tls::MaybeTls;
use crate::upstream::names::{NameTimes, Names};
use crate::upstream::target::{Place, Target};

/// How long an address has before the next one of a name is tried beside it (RFC 8305 section 5).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// How connections to upstreams are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connecting {
    /// For TCP and TLS with one upstream, so that there is time for another.
    pub limit: Duration,
    /// How long the addresses of names hold.
    pub names: NameTimes,
    /// Connections begin with a PROXY header of this version, which names the client.
    pub announce: Option<proxy_protocol::Version>,
}

impl Default for Connecting {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(3),
            names: NameTimes::default(),
            announce: None,
        }
    }
}

impl Connecting {
    /// Connects to `target`, with `tls` if that is given. `client`: whom a PROXY header names, where
    /// one is written.
    pub(crate) async fn connect(
        self,
        (target, names): (&Target, &Names),
        tls: Option<&ClientTls>,
        client: Header,
    ) -> io::Result<MaybeTls> {
        let connected = timeout(self.limit, async {
            let socket = self.socket(target, names, client).await?;
            MaybeTls::over(socket, target, tls).await
        });
        connected.await.map_err(|_| ErrorKind::TimedOut)?
    }

    /// As [`connect`](Self::connect), only as far as the system answers there, whatever its process does.
    pub(crate) async fn reach(
        self,
        (target, names): (&Target, &Names),
        client: Header,
    ) -> io::Result<Socket> {
        let connected = timeout(self.limit, self.socket(target, names, client));
        connected.await.map_err(|_| ErrorKind::TimedOut)?
    }

    async fn socket(self, target: &Target, names: &Names, client: Header) -> io::Result<Socket> {
        let mut socket = match &target.place {
            Place::Host { host, port } => {
                let addresses = names.addresses(host, *port, self.names).await?;
                Socket::Tcp(dial_any(&addresses).await?)
            }
            #[cfg(unix)]
            Place::Unix(path) => Socket::Unix(UnixStream::connect(path).await?),
            #[cfg(not(unix))]
            Place::Unix(_) => return Err(ErrorKind::Unsupported.into()),
        };
        socket.set_nodelay();
        if let Some(version) = self.announce {
            socket.write_all(&encode(version, client)).await?;
        }
        Ok(socket)
    }
}

/// A connection to the first of several addresses that accepts. One that is silent does not keep the
/// next one waiting for long.
async fn dial_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    if let [address] = addresses {
        return TcpStream::connect(address).await;
    }
    let mut attempts = JoinSet::new();
    let mut left = addresses.iter().copied();
    let mut error = io::Error::from(ErrorKind::NotFound);
    loop {
        let next = left.next();
        match next {
            Some(address) => {
                attempts.spawn(TcpStream::connect(address));
            }
            None if attempts.is_empty() => return Err(error),
            None => {}
        }
        tokio::select! {
            Some(done) = attempts.join_next() => match done {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(refused)) => error = refused,
                // It was not aborted, and cannot panic.
                Err(failed) => error = failed.into(),
            },
            () = sleep(NEXT_ADDRESS), if left.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn every_address_of_a_name_is_tried() {
        let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = (there.local_addr().unwrap(), there);
        // Nobody listens there any more.
        let gone = {
            let closed = TcpListener::bind("127.0.0.2:0").await.unwrap();
            closed.local_addr().unwrap()
        };
        for addresses in [
            &[gone, there.0][..],
            &[there.0, gone],
            &[gone, gone, there.0],
        ] {
            let stream = dial_any(addresses).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), there.0);
        }
        let refused = dial_any(&[gone, gone]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert!(dial_any(&[]).await.is_err());
    }
}

//! [`Listener`]: where clients are taken.

use std::io;

use tokio::net::TcpListener;

use crate::net::listen_address::ListenAddr;
use crate::net::peer::Peer;
use crate::net::socket::Socket;
#[cfg(unix)]
use crate::net::unix_socket::UnixSocket;

/// Where clients are taken.
#[derive(Debug)]
pub enum Listener {
    /// On TCP.
    Tcp(TcpListener),
    /// On a Unix socket.
    #[cfg(unix)]
    Unix(UnixSocket),
}

impl Listener {
    /// Takes clients at `address`. `permissions`: of a Unix socket, as chmod has them.
    ///
    /// # Errors
    ///
    /// Somebody else has the address, or it may not be had.
    pub async fn bind(address: &ListenAddr, permissions: u32) -> io::Result<Self> {
        match address {
            ListenAddr::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            #[cfg(unix)]
            ListenAddr::Unix(path) => UnixSocket::bind(path, permissions).map(Self::Unix),
            #[cfg(not(unix))]
            ListenAddr::Unix(_) => {
                let _ = permissions;
                Err(io::ErrorKind::Unsupported.into())
            }
        }
    }

    /// Where it is in the end: port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn address(&self) -> io::Result<ListenAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddr::Tcp),
            #[cfg(unix)]
            Self::Unix(socket) => Ok(ListenAddr::Unix(socket.path().to_owned())),
        }
    }

    pub(crate) async fn accept(&self) -> io::Result<(Socket, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Socket::Tcp(stream), Peer::Tcp(peer)))
            }
            #[cfg(unix)]
            Self::Unix(socket) => Ok((Socket::Unix(socket.accept().await?), Peer::Unix)),
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

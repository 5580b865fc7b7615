//! [`Server`]: a listening socket and a handler.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::time::sleep;
use tracing::Instrument;

use crate::driver::{Failure, Shared, Supervisor, call};
use crate::server::Acceptor;
#[cfg(feature = "rustls")]
use crate::server::handshake::Limit;
use crate::server::handshake::refuse;
#[cfg(feature = "rustls")]
use crate::tls::ServerTls;
use crate::websocket::WebSocket;

/// Connections over the limit that are told so at the same time. More are closed without an
/// answer.
const REFUSED_AT_ONCE: usize = 64;

/// How long to wait when a connection cannot be taken, because no file descriptor is left for
/// example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A listening socket that hands every connection to a handler.
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use revoir::{Server, WebSocket};
///
/// let server = Server::bind("127.0.0.1:0").await?;
/// println!("ws://{}/", server.local_addr()?);
/// let echo = |mut socket: WebSocket| async move {
///     loop {
///         let message = socket.recv().await?;
///         socket.send(message).await?;
///     }
///     # #[expect(unreachable_code)]
///     # Ok::<(), std::sync::Arc<revoir::Ending>>(())
/// };
/// # if false {
/// server.serve(echo).await;
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    acceptor: Acceptor,
    nodelay: bool,
    max_connections: usize,
    #[cfg(feature = "rustls")]
    tls: Option<ServerTls>,
}

impl Server {
    /// Listens on `address`; port 0 lets the system choose one.
    ///
    /// # Errors
    ///
    /// That of the operating system: the address is in use, for example.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self::from_listener(TcpListener::bind(address).await?))
    }

    /// Serves a socket that listens already.
    #[must_use]
    pub fn from_listener(listener: TcpListener) -> Self {
        Self {
            listener,
            acceptor: Acceptor::new(),
            nodelay: true,
            max_connections: usize::MAX,
            #[cfg(feature = "rustls")]
            tls: None,
        }
    }

    /// Agrees to what `acceptor` does: origins, subprotocols, extensions, limits, observer.
    #[must_use]
    pub fn with_acceptor(mut self, acceptor: Acceptor) -> Self {
        self.acceptor = acceptor;
        self
    }

    /// Speaks TLS. Keep a clone of `tls` to replace its certificate while the server runs.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn with_tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How many connections there may be at once, those in their handshake included. More are
    /// refused with 503. Default: no limit.
    #[must_use]
    pub fn with_max_connections(mut self, limit: usize) -> Self {
        self.max_connections = limit;
        self
    }

    /// Whether small writes leave at once (`TCP_NODELAY`). Default: yes.
    #[must_use]
    pub fn with_nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// The address it listens on.
    ///
    /// # Errors
    ///
    /// That of the operating system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes connections for ever, each in a task of its own, which runs `handler` and keeps the
    /// connection; see the [crate's front page](crate#what-drives-a-connection).
    ///
    /// A handler that returns an error or panics has its connection closed with 1011; an error
    /// that is, or comes from, the connection's [`Ending`](crate::Ending) is none. A handler that
    /// returns `Ok` without having closed drops its connection, which sends 1001.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the listening socket. Connections that were taken go on.
    pub async fn serve<H, F, E>(self, handler: H) -> Infallible
    where
        H: Fn(WebSocket) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        let handler = Arc::new(handler);
        let open = Arc::new(AtomicUsize::new(0));
        let refused = Arc::new(AtomicUsize::new(0));
        let opener = Opener {
            acceptor: self.acceptor.clone(),
            #[cfg(feature = "rustls")]
            tls: self.tls.clone(),
        };
        loop {
            let (stream, peer) = self.next().await;
            let opener = opener.clone();
            if let Some(place) = Place::take(&open, self.max_connections) {
                let span = tracing::debug_span!(target: "revoir", "accept", %peer);
                let handler = Arc::clone(&handler);
                let opening = async move {
                    let Some(driver) = opener.open(stream).await else {
                        return;
                    };
                    // Tasks of their own size: an open connection does not pay for its handshake.
                    let socket = WebSocket::new(Arc::clone(&driver));
                    if let Some(running) = call(&driver, || handler(socket)) {
                        tokio::spawn(Supervisor::new(driver, running, place));
                    } else {
                        let over = std::future::ready(Ok::<(), Failure>(()));
                        tokio::spawn(Supervisor::new(driver, over, place));
                    }
                };
                tokio::spawn(opening.instrument(span));
            } else if let Some(place) = Place::take(&refused, REFUSED_AT_ONCE) {
                tokio::spawn(opener.turn_away(stream, place));
            }
        }
    }

    async fn next(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    if let Err(error) = stream.set_nodelay(self.nodelay) {
                        tracing::debug!(target: "revoir", %error, "TCP_NODELAY was not set");
                    }
                    return (stream, peer);
                }
                Err(error) => {
                    tracing::warn!(target: "revoir", %error, "a connection could not be taken");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// A place among a limited number, until it is dropped.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(taken: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        if taken.fetch_add(1, Ordering::AcqRel) < limit {
            return Some(Self(Arc::clone(taken)));
        }
        taken.fetch_sub(1, Ordering::AcqRel);
        None
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What makes a connection of a stream.
#[derive(Clone, Debug)]
struct Opener {
    acceptor: Acceptor,
    #[cfg(feature = "rustls")]
    tls: Option<ServerTls>,
}

impl Opener {
    async fn open(self, stream: TcpStream) -> Option<Shared> {
        let limit = self.acceptor.limit();
        #[cfg(feature = "rustls")]
        if let Some(tls) = &self.tls {
            let stream = self.secure(tls, stream, limit).await?;
            return self.acceptor.open(stream, limit).await.ok();
        }
        self.acceptor.open(stream, limit).await.ok()
    }

    #[cfg(feature = "rustls")]
    async fn secure(
        &self,
        tls: &ServerTls,
        stream: TcpStream,
        limit: Limit,
    ) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
        let ending = match tokio::time::timeout_at(limit.at, tls.accept(stream)).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => crate::tls::failed(error.to_string()),
            Err(_) => limit.exceeded(),
        };
        self.acceptor.settings().announce(ending);
        None
    }

    /// Says 503 to a connection over the limit.
    async fn turn_away(self, mut stream: TcpStream, place: Place) {
        let limit = self.acceptor.limit();
        #[cfg(feature = "rustls")]
        if let Some(tls) = &self.tls {
            if let Some(mut stream) = self.secure(tls, stream, limit).await {
                let ending = refuse(&mut stream, 503, b"too many connections\n").await;
                self.acceptor.settings().announce(ending);
            }
            return;
        }
        #[cfg(not(feature = "rustls"))]
        let _ = limit;
        let ending = refuse(&mut stream, 503, b"too many connections\n").await;
        self.acceptor.settings().announce(ending);
        drop(place);
    }
}

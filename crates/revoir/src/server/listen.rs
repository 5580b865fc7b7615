//! [`Server`]: a listening socket and a handler.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use revoir_proto::Random;
use revoir_proto::handshake::Headers;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::time::sleep;
use tracing::Instrument;

use crate::driver::Failure;
use crate::entropy::Entropy;
use crate::server::acceptor::Visit;
#[cfg(feature = "rustls")]
use crate::server::handshake::Limit;
use crate::server::handshake::refuse;
use crate::server::places::{Full, Place, Places};
use crate::server::{Acceptor, Incoming};
#[cfg(feature = "rustls")]
use crate::tls::ServerTls;
use crate::websocket::WebSocket;

/// Connections over the limit that are told so at the same time. More are closed without an
/// answer.
const REFUSED_AT_ONCE: usize = 64;

/// How long to wait when a connection cannot be taken, because no file descriptor is left for
/// example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Who comes over a limit may try again after 1 s to this: places get free at any time.
const BUSY_SECONDS: u32 = 5;

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
    max_connections_per_ip: usize,
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
            max_connections_per_ip: usize::MAX,
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
    /// refused with 503 and a Retry-After of a few seconds. Default: no limit.
    #[must_use]
    pub fn with_max_connections(mut self, limit: usize) -> Self {
        self.max_connections = limit;
        self
    }

    /// How many connections one IP address may have at once, those in their handshake included.
    /// More are refused with 429 and a Retry-After of a few seconds. Default: no limit.
    ///
    /// Behind a proxy all connections come from its address.
    #[must_use]
    pub fn with_max_connections_per_ip(mut self, limit: usize) -> Self {
        self.max_connections_per_ip = limit;
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
        self.serve_incoming(move |incoming| {
            let handler = Arc::clone(&handler);
            incoming.run(move |socket| handler(socket))
        })
        .await
    }

    /// Takes requests for ever, and hands each to `decide`, in a task of its own.
    ///
    /// [`Incoming::run`] opens the connection for a handler as of [`serve`](Self::serve), in a task
    /// that has nothing of the request any more; [`Incoming::refuse`] answers with a status.
    ///
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use std::sync::Arc;
    ///
    /// use revoir::{Ending, Headers, Incoming, Server, WebSocket};
    ///
    /// async fn chat(mut socket: WebSocket, room: String) -> Result<(), Arc<Ending>> {
    ///     socket.send_text(format!("welcome to {room}")).await?;
    ///     loop {
    ///         socket.recv().await?;
    ///     }
    /// }
    ///
    /// let decide = |incoming: Incoming| async move {
    ///     match incoming.request().path().strip_prefix("/rooms/") {
    ///         Some(room) => {
    ///             let room = room.to_owned();
    ///             incoming.run(|socket| chat(socket, room)).await;
    ///         }
    ///         None => drop(incoming.refuse(404, &Headers::new(), b"no such room\n").await),
    ///     }
    /// };
    /// let server = Server::bind("127.0.0.1:0").await?;
    /// # if false {
    /// server.serve_incoming(decide).await;
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As for [`serve`](Self::serve).
    pub async fn serve_incoming<D, F>(self, decide: D) -> Infallible
    where
        D: Fn(Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let decide = Arc::new(decide);
        let places = Places::new(self.max_connections, self.max_connections_per_ip);
        let refusing = Places::new(REFUSED_AT_ONCE, usize::MAX);
        let opener = Opener {
            acceptor: self.acceptor.clone(),
            #[cfg(feature = "rustls")]
            tls: self.tls.clone(),
        };
        loop {
            let (stream, peer) = self.next().await;
            let opener = opener.clone();
            match places.take(peer.ip()) {
                Ok(place) => {
                    let span = tracing::debug_span!(target: "revoir", "accept", %peer);
                    let decide = Arc::clone(&decide);
                    let opening = async move {
                        if let Some(incoming) = opener.read(stream, Visit { peer, place }).await {
                            decide(incoming).await;
                        }
                    };
                    tokio::spawn(opening.instrument(span));
                }
                Err(full) => {
                    if let Ok(place) = refusing.take(peer.ip()) {
                        tokio::spawn(opener.turn_away(stream, full, place));
                    }
                }
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

/// What makes a connection of a stream.
#[derive(Clone, Debug)]
struct Opener {
    acceptor: Acceptor,
    #[cfg(feature = "rustls")]
    tls: Option<ServerTls>,
}

impl Opener {
    async fn read(self, stream: TcpStream, visit: Visit) -> Option<Incoming> {
        let limit = self.acceptor.limit();
        #[cfg(feature = "rustls")]
        if let Some(tls) = &self.tls {
            let stream = self.secure(tls, stream, limit).await?;
            return self.acceptor.read(stream, limit, Some(visit)).await.ok();
        }
        self.acceptor.read(stream, limit, Some(visit)).await.ok()
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

    /// Says so to a connection over a limit.
    async fn turn_away(self, mut stream: TcpStream, full: Full, place: Place) {
        #[cfg(feature = "rustls")]
        if let Some(tls) = &self.tls {
            let limit = self.acceptor.limit();
            if let Some(mut stream) = self.secure(tls, stream, limit).await {
                self.refuse(&mut stream, full).await;
            }
            return;
        }
        self.refuse(&mut stream, full).await;
        drop(place);
    }

    async fn refuse<S>(&self, stream: &mut S, full: Full)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (status, body) = match full {
            Full::InTotal => (503, "too many connections\n"),
            Full::PerAddress => (429, "too many connections from this address\n"),
        };
        let mut headers = Headers::new();
        let seconds = 1 + Entropy.next_u32() % BUSY_SECONDS;
        let digits = headers.push("Retry-After", seconds.to_string());
        debug_assert!(digits.is_ok());
        let ending = refuse(stream, status, &headers, body.as_bytes()).await;
        self.acceptor.settings().announce(ending);
    }
}

//! [`Server`]: a listening socket and a handler.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::Response;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tracing::Instrument;

use crate::drain::{DrainReport, Tracker};
use crate::driver::Failure;
use crate::observer::ConnectionInfo;
use crate::server::accepting::AcceptFailures;
#[cfg(feature = "rustls")]
use crate::server::handshake::Limit;
use crate::server::opening::spawn;
use crate::server::refusal::Refusal;
use crate::server::visit::{Visit, nameless};
use crate::server::waiting::Waiting;
use crate::server::{Acceptor, Incoming};
use crate::span;
#[cfg(feature = "rustls")]
use crate::tls::ServerTls;
use crate::websocket::WebSocket;

/// Clients without a place that are told so at the same time. More are closed without an answer.
const REFUSED_AT_ONCE: usize = 1024;

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
    #[cfg(feature = "rustls")]
    tls: Option<ServerTls>,
}

impl Server {
    /// Listens on `address`; port 0 lets the system choose one.
    ///
    /// # Errors
    ///
    /// That of the operating system: the address is in use, for example.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up.
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

    /// Whether small writes leave at once (`TCP_NODELAY`). Default: yes.
    #[must_use]
    pub fn with_nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// Knows the connections that were taken, and drains them. Keep a clone before the server
    /// serves. It is that of the [acceptor](Self::with_acceptor).
    #[must_use]
    pub fn tracker(&self) -> &Tracker {
        self.acceptor.tracker()
    }

    /// The address it listens on.
    ///
    /// # Errors
    ///
    /// That of the operating system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes connections, each in a task of its own, which runs `handler` and keeps the
    /// connection; see the [crate's front page](crate#what-drives-a-connection). Returns when the
    /// [tracker](Self::tracker) was drained.
    ///
    /// A handler that returns an error or panics has its connection closed with 1011. Once the
    /// connection is over an error changes nothing: so its own [`Ending`](crate::Ending), passed on
    /// with `?` or wrapped in anything, is no failure, and that of another connection is one. A handler that
    /// returns `Ok` without having closed drops its connection, which sends 1001.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the listening socket. Connections that were taken go on.
    pub async fn serve<H, F, E>(self, handler: H) -> DrainReport
    where
        H: Fn(WebSocket) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        let handler = Arc::new(handler);
        self.receive(move |waiting: Waiting| {
            let handler = Arc::clone(&handler);
            async move {
                if let Ok(socket) = waiting.open().await {
                    spawn(socket, |socket| handler(socket));
                }
            }
        })
        .await
    }

    /// Takes requests, hands each to `decide`, in a task of its own, and writes the answer that it
    /// returns. Returns when the [tracker](Self::tracker) was drained.
    ///
    /// [`Incoming::run`] opens the connection for a handler as of [`serve`](Self::serve), in a task
    /// that has nothing of the request any more; any other response refuses,
    /// [`Incoming::refuse`] makes one. A panic of `decide` is answered with 500.
    ///
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use std::sync::Arc;
    ///
    /// use revoir::http::StatusCode;
    /// use revoir::{Ending, Incoming, Server, WebSocket};
    ///
    /// async fn chat(mut socket: WebSocket, room: String) -> Result<(), Arc<Ending>> {
    ///     socket.send_text(format!("welcome to {room}")).await?;
    ///     loop {
    ///         socket.recv().await?;
    ///     }
    /// }
    ///
    /// let decide = |incoming: Incoming| async move {
    ///     match incoming.path().strip_prefix("/rooms/") {
    ///         Some(room) => {
    ///             let room = room.to_owned();
    ///             incoming.run(|socket| chat(socket, room))
    ///         }
    ///         None => incoming.refuse(StatusCode::NOT_FOUND, "no such room\n"),
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
    pub async fn serve_incoming<D, F, B>(self, decide: D) -> DrainReport
    where
        D: Fn(Incoming) -> F + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Into<Bytes> + Send + 'static,
    {
        let decide = Arc::new(decide);
        self.receive(move |waiting: Waiting| {
            let decide = Arc::clone(&decide);
            // Its ending is told to the observer.
            async move { drop(waiting.decide(|incoming| decide(incoming)).await) }
        })
        .await
    }

    /// Takes clients, and hands each to `decide` with its request.
    async fn receive<D, F>(self, decide: D) -> DrainReport
    where
        D: Fn(Waiting) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let registry = Arc::clone(&self.acceptor.tracker().registry);
        let mut drained = pin!(registry.drained());
        let mut released = pin!(registry.port_released());
        let desk = Desk {
            acceptor: self.acceptor,
            nodelay: self.nodelay,
            decide: Arc::new(decide),
            refusing: Arc::new(Semaphore::new(REFUSED_AT_ONCE)),
            #[cfg(feature = "rustls")]
            tls: self.tls,
        };
        let mut failures = AcceptFailures::default();
        loop {
            let next = poll_fn(|cx| {
                if let Poll::Ready(report) = drained.as_mut().poll(cx) {
                    return Poll::Ready(ListenEvent::Drained(report));
                }
                if released.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(ListenEvent::PortReleased);
                }
                self.listener.poll_accept(cx).map(ListenEvent::Taken)
            });
            match next.await {
                ListenEvent::Taken(Ok((stream, peer))) => {
                    failures = AcceptFailures::default();
                    desk.attend(stream, peer);
                }
                ListenEvent::Taken(Err(error)) => {
                    tracing::warn!(target: "revoir", %error, "a connection could not be taken");
                    if let Some(pause) = failures.pause(&error) {
                        sleep(pause).await;
                    }
                }
                ListenEvent::PortReleased => break,
                ListenEvent::Drained(report) => return report,
            }
        }
        // Those that the system has accepted already would be reset with the listening socket.
        let waiting = || poll_fn(|cx| Poll::Ready(self.listener.poll_accept(cx)));
        while let Poll::Ready(Ok((stream, peer))) = waiting().await {
            desk.attend(stream, peer);
        }
        drop(self.listener);
        drained.await
    }
}

/// What the loop of a server goes on with.
enum ListenEvent {
    Taken(io::Result<(TcpStream, SocketAddr)>),
    PortReleased,
    Drained(DrainReport),
}

/// Where every client of a server is received.
struct Desk<D> {
    acceptor: Acceptor,
    nodelay: bool,
    decide: Arc<D>,
    /// A permit for every client that is being refused.
    refusing: Arc<Semaphore>,
    #[cfg(feature = "rustls")]
    tls: Option<ServerTls>,
}

impl<D, F> Desk<D>
where
    D: Fn(Waiting) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    /// Reads the request and has it decided, or refuses it, in a task of its own.
    fn attend(&self, stream: TcpStream, peer: SocketAddr) {
        if let Err(error) = stream.set_nodelay(self.nodelay) {
            tracing::debug!(target: "revoir", %error, "TCP_NODELAY was not set");
        }
        let opener = Opener {
            acceptor: self.acceptor.clone(),
            #[cfg(feature = "rustls")]
            tls: self.tls.clone(),
        };
        match self.acceptor.admit(Some(peer)) {
            Ok(visit) => {
                let span = visit.span.clone();
                let decide = Arc::clone(&self.decide);
                let opening = async move {
                    if let Some(waiting) = opener.read(stream, visit).await {
                        decide(waiting).await;
                    }
                };
                tokio::spawn(opening.instrument(span));
            }
            Err(refusal) => {
                if let Ok(permit) = Arc::clone(&self.refusing).try_acquire_owned() {
                    let id = span::next_id();
                    let (span, conn) = (span::of_server(id, Some(peer)), nameless(id, Some(peer)));
                    let refusing = async move {
                        opener.turn_away(stream, refusal, &conn).await;
                        drop(permit);
                    };
                    tokio::spawn(refusing.instrument(span));
                }
            }
        }
    }
}

/// What makes a request of a stream.
struct Opener {
    acceptor: Acceptor,
    #[cfg(feature = "rustls")]
    tls: Option<ServerTls>,
}

impl Opener {
    async fn read(self, stream: TcpStream, visit: Visit) -> Option<Waiting> {
        let limit = self.acceptor.limit();
        #[cfg(feature = "rustls")]
        if let Some(tls) = &self.tls {
            let stream = self.secure(tls, stream, limit, &visit.info()).await?;
            return self.acceptor.read(stream, limit, visit).await.ok();
        }
        self.acceptor.read(stream, limit, visit).await.ok()
    }

    /// Says so to a client for whom there is no place.
    async fn turn_away(self, mut stream: TcpStream, refusal: Refusal, conn: &ConnectionInfo<'_>) {
        #[cfg(feature = "rustls")]
        if let Some(tls) = &self.tls {
            let limit = self.acceptor.limit();
            if let Some(mut stream) = self.secure(tls, stream, limit, conn).await {
                self.acceptor.turn_away(&mut stream, refusal, conn).await;
            }
            return;
        }
        self.acceptor.turn_away(&mut stream, refusal, conn).await;
    }

    #[cfg(feature = "rustls")]
    async fn secure(
        &self,
        tls: &ServerTls,
        stream: TcpStream,
        limit: Limit,
        conn: &ConnectionInfo<'_>,
    ) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
        let registry = &self.acceptor.tracker().registry;
        let securing = tokio::time::timeout_at(limit.at, tls.accept(stream));
        let ending = tokio::select! {
            biased;
            secured = securing => match secured {
                Ok(Ok(stream)) => return Some(stream),
                Ok(Err(error)) => crate::tls::failed(error.to_string()),
                Err(_) => limit.exceeded(),
            },
            _ = registry.requests_over() => {
                crate::tls::failed("not done when the server drained".to_owned())
            }
        };
        self.acceptor.announce(conn, ending);
        None
    }
}

//! The way from a URL to an open connection.

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};
use revoir_proto::handshake::{ClientHandshake, ClientRequest, Headers};
use revoir_proto::{Cause, Ending, Role};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use crate::client::proxy::Proxy;
#[cfg(feature = "rustls")]
use crate::client::proxy::Scheme;
use crate::client::stream::Way;
use crate::client::url::Target;
use crate::client::{Client, ConnectError, InvalidUrl, handshake, tcp, tunnel};
use crate::driver::{Agreed, Driver, Known, Shared, Socket, Start};
use crate::entropy::Entropy;
use crate::handshake_io::too_slow;
use crate::observer::{ConnectionInfo, announce};
use crate::span;
use crate::websocket::WebSocket;

impl Client {
    /// Opens a connection to `url`: `ws://` or `wss://`, a host, and optionally port, path and
    /// query, as text, as an [`http::Uri`], or taken apart already.
    ///
    /// The addresses of the host are raced (RFC 8305): IPv6 and IPv4 take turns in the resolver's
    /// order, each starts 250 ms after the one before it or as soon as that has failed, and the
    /// first to answer is taken. If none does, the ending names them all.
    ///
    /// It spawns one small task, which keeps the connection; see the
    /// [crate's front page](crate#what-drives-a-connection).
    ///
    /// # Errors
    ///
    /// [`ConnectError::Ended`] if there is no connection: the name was not resolved, TCP or TLS
    /// failed, the server refused (its status, header fields and the first 1 KiB of its body are
    /// in [`Ending::response`]) or broke a rule, or it took too long. The other variants are
    /// mistakes in the URL or the request.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up; a connection is either returned or gone.
    pub async fn connect<U>(&self, url: U) -> Result<WebSocket, ConnectError>
    where
        U: TryInto<Target>,
        U::Error: Into<ConnectError>,
    {
        Ok(self.connect_with_response(url).await?.0)
    }

    /// [`connect`](Self::connect), with the answer of the server: its header fields, which are not
    /// kept with the connection.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    ///
    /// # Cancel safety
    ///
    /// As for [`connect`](Self::connect).
    pub async fn connect_with_response<U>(
        &self,
        url: U,
    ) -> Result<(WebSocket, Response<()>), ConnectError>
    where
        U: TryInto<Target>,
        U::Error: Into<ConnectError>,
    {
        let (target, request) = self.prepare(url)?;
        let proxy = self.proxies.to(&target)?;
        let known = self.known(&target);
        let span = span::of_client(known.id, &target.host, target.port);
        let opening = async {
            match self.reach(&target, proxy).await? {
                Way::Plain(stream) => {
                    self.secure_and_open(stream, &target, request, &span, &known)
                        .await
                }
                #[cfg(feature = "rustls")]
                Way::Secure(stream) => {
                    self.secure_and_open(stream, &target, request, &span, &known)
                        .await
                }
            }
        };
        let opened = opening.instrument(span.clone()).await;
        self.conclude(opened, &span, &known)
    }

    /// Opens a connection over a stream that is already there, for example one through a proxy.
    /// For a `wss` URL, TLS is spoken on it.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    ///
    /// # Cancel safety
    ///
    /// As for [`connect`](Self::connect).
    pub async fn connect_over<U, S>(&self, url: U, stream: S) -> Result<WebSocket, ConnectError>
    where
        U: TryInto<Target>,
        U::Error: Into<ConnectError>,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (target, request) = self.prepare(url)?;
        let known = self.known(&target);
        let span = span::of_client(known.id, &target.host, target.port);
        let opening = self.secure_and_open(stream, &target, request, &span, &known);
        let opened = opening.instrument(span.clone()).await;
        Ok(self.conclude(opened, &span, &known)?.0)
    }

    /// A TCP connection to a host.
    pub(super) async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, Ending> {
        let stream = tcp::connect(&self.resolver, host, port, self.connect_timeout).await?;
        if let Err(error) = stream.set_nodelay(self.nodelay) {
            tracing::debug!(target: "revoir", %error, "TCP_NODELAY was not set");
        }
        Ok(stream)
    }

    /// A way to `target` through `proxy`, all within the connect timeout. Every ending names the proxy.
    pub(super) async fn tunnel(&self, proxy: &Proxy, target: &Target) -> Result<Way, Ending> {
        let opening = async {
            let mut stream = self.tcp(&proxy.host, proxy.port).await?;
            #[cfg(feature = "rustls")]
            if proxy.scheme == Scheme::Https {
                let tls = self.tls.clone().unwrap_or_default();
                let mut stream = tls.connect(&proxy.host, stream).await?;
                tunnel::open(&mut stream, proxy, target).await?;
                return Ok(Way::Secure(Box::new(stream)));
            }
            tunnel::open(&mut stream, proxy, target).await?;
            Ok(Way::Plain(stream))
        };
        let opened = match timeout(self.connect_timeout, Box::pin(opening)).await {
            Ok(opened) => opened,
            Err(_) => Err(tcp::never(
                Cause::ConnectTimeout,
                "it did not answer in time",
            )),
        };
        opened.map_err(|ending| tunnel::at(proxy, ending))
    }

    /// Finds the mistakes in `url` and in what the client was told, without connecting: for programs
    /// that read them from a configuration.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect), but for [`ConnectError::Ended`].
    pub fn check<U>(&self, url: U) -> Result<(), ConnectError>
    where
        U: TryInto<Target>,
        U::Error: Into<ConnectError>,
    {
        self.proxy_to(url).map(drop)
    }

    /// The proxy on the way to `url`, as its host and port; `None` where the client connects by itself.
    /// Nothing is connected.
    ///
    /// # Errors
    ///
    /// As for [`check`](Self::check).
    pub fn proxy_to<U>(&self, url: U) -> Result<Option<String>, ConnectError>
    where
        U: TryInto<Target>,
        U::Error: Into<ConnectError>,
    {
        let (target, _) = self.prepare(url)?;
        Ok(self.proxies.to(&target)?.map(ToString::to_string))
    }

    fn known(&self, target: &Target) -> Known {
        let path = target.resource.split('?').next().unwrap_or_default();
        Known {
            id: span::next_id(),
            peer: None,
            path: Some(path.into()),
            shown: None,
            user: self.notes.clone(),
        }
    }

    fn prepare<U>(&self, url: U) -> Result<(Target, ClientRequest), ConnectError>
    where
        U: TryInto<Target>,
        U::Error: Into<ConnectError>,
    {
        let target = url.try_into().map_err(Into::into)?;
        if target.secure && cfg!(not(feature = "rustls")) {
            return Err(InvalidUrl::NoTls.into());
        }
        let request = self.request(&target)?;
        Ok((target, request))
    }

    fn conclude(
        &self,
        opened: Result<(Shared, Headers), Ending>,
        span: &Span,
        known: &Known,
    ) -> Result<(WebSocket, Response<()>), ConnectError> {
        match opened {
            Ok((socket, headers)) => {
                tokio::spawn(Driver::new(Arc::clone(&socket)));
                let mut response = Response::new(());
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                *response.headers_mut() = HeaderMap::from(&headers);
                Ok((WebSocket::new(socket), response))
            }
            Err(ending) => {
                let observer = self.home.observer.as_deref();
                let conn = ConnectionInfo {
                    id: known.id,
                    role: Role::Client,
                    peer: None,
                    path: known.path.as_deref(),
                    subprotocol: None,
                    shown: None,
                    user: Some(&known.user),
                };
                span.in_scope(|| announce(&conn, &ending, observer));
                Err(ending.into())
            }
        }
    }

    async fn secure_and_open<S>(
        &self,
        stream: S,
        target: &Target,
        request: ClientRequest,
        span: &Span,
        known: &Known,
    ) -> Result<(Shared, Headers), Ending>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limit = self.handshake_timeout;
        let opening = async {
            #[cfg(feature = "rustls")]
            if target.secure {
                let tls = self.tls.clone().unwrap_or_default();
                let stream = tls.connect(&target.host, stream).await?;
                return self.open(stream, request, span, known).await;
            }
            #[cfg(not(feature = "rustls"))]
            let _ = target;
            self.open(stream, request, span, known).await
        };
        match timeout(limit, Box::pin(opening)).await {
            Ok(result) => result,
            Err(_) => Err(too_slow(limit)),
        }
    }

    async fn open<S>(
        &self,
        mut stream: S,
        request: ClientRequest,
        span: &Span,
        known: &Known,
    ) -> Result<(Shared, Headers), Ending>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = ClientHandshake::new(request, Entropy::bytes(), self.head_limits);
        let (established, input) = handshake::open(&mut stream, handshake).await?;
        let start = Start {
            role: Role::Client,
            config: Arc::clone(&self.config),
            agreed: Agreed {
                subprotocol: established.subprotocol,
                extensions: established.extensions,
            },
            input,
            home: Arc::clone(&self.home),
            seat: None,
            span: span.clone(),
            known: known.clone(),
        };
        Ok((Socket::start(stream, start), established.headers))
    }
}

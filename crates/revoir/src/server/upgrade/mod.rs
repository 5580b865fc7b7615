//! [`Upgrade`]: connections on a route of an HTTP server.

#[cfg(feature = "axum")]
mod axum;

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use http::request::Parts;
use http::{HeaderMap, StatusCode, Version};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use revoir_proto::handshake::{Acceptance, HandshakeError, Headers, Request};
use revoir_proto::{Cause, Detail, Ending};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;
use tracing::{Instrument, Span};

use crate::drain::{NoPlace, Seat};
use crate::driver::Failure;
use crate::server::Acceptor;
use crate::server::acceptor::Visit;
use crate::server::handshake::{Limit, ending_of};
use crate::server::incoming::spawn;
use crate::server::origin;
use crate::server::refusal::Refusal;
use crate::server::settings::Settings;
use crate::websocket::WebSocket;

/// A request for a connection that an HTTP server has read, for a handler to accept or refuse.
///
/// It is [`Incoming`](crate::Incoming) for hyper and axum: the [`Acceptor`] says what is agreed to,
/// and its [tracker](Acceptor::tracker) drains the connections, which those servers forget. Under
/// axum it is an extractor; see the feature `axum` on the [crate's front page](crate#features).
/// Under hyper:
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use std::convert::Infallible;
/// use std::sync::Arc;
///
/// use hyper::service::service_fn;
/// use hyper_util::rt::TokioIo;
/// use revoir::{Acceptor, Ending, WebSocket};
/// use revoir::server::Upgrade;
///
/// async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
///     loop {
///         let message = socket.recv().await?;
///         socket.send(message).await?;
///     }
/// }
///
/// let acceptor = Acceptor::new();
/// let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
///     let response = match Upgrade::new(&acceptor, &mut request, None) {
///         Ok(upgrade) => upgrade.run(echo),
///         Err(refused) => refused,
///     };
///     async { Ok::<_, Infallible>(response) }
/// });
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # if false {
/// let (stream, _) = listener.accept().await?;
/// let server = hyper::server::conn::http1::Builder::new();
/// let serving = server.serve_connection(TokioIo::new(stream), service);
/// tokio::spawn(serving.with_upgrades());
/// # }
/// # Ok(())
/// # }
/// ```
///
/// Only HTTP/1.1 can be upgraded; extended CONNECT of HTTP/2 (RFC 8441) is not supported. Small
/// writes leave at once only if the HTTP server sets `TCP_NODELAY`. The request's time limit is
/// that of the HTTP server.
pub struct Upgrade {
    upgraded: OnUpgrade,
    request: Request,
    settings: Arc<Settings>,
    seat: Seat,
    span: Span,
    peer: Option<SocketAddr>,
    headers: Headers,
}

impl Upgrade {
    /// Checks a request that hyper has read, against the rules and against `acceptor`. `peer` is
    /// where the client connects from, if that is known.
    ///
    /// # Errors
    ///
    /// The answer: the broken rule, an origin that is not allowed, or no place. The ending is told
    /// to the observer.
    #[expect(
        clippy::result_large_err,
        reason = "both are given to the HTTP server at once"
    )]
    pub fn new<B>(
        acceptor: &Acceptor,
        request: &mut http::Request<B>,
        peer: Option<SocketAddr>,
    ) -> Result<Self, http::Response<String>> {
        let upgraded = request.extensions_mut().remove();
        let asked = Asked {
            method: request.method().as_str(),
            target: request.uri().to_string(),
            version: request.version(),
            headers: request.headers(),
        };
        Self::check(acceptor, &asked, upgraded, peer)
    }

    #[expect(clippy::result_large_err, reason = "as above")]
    fn check(
        acceptor: &Acceptor,
        asked: &Asked<'_>,
        upgraded: Option<OnUpgrade>,
        peer: Option<SocketAddr>,
    ) -> Result<Self, http::Response<String>> {
        let settings = acceptor.settings();
        let Visit { peer, seat, span } = match acceptor.admit(peer) {
            Ok(visit) => visit,
            Err(refusal) => return Err(refuse(settings, refusal)),
        };
        // Without it the HTTP server cannot hand the stream over.
        let checked = asked.check(settings).and_then(|request| {
            let missing = HandshakeError::UpgradeMissing { got: None };
            Ok((request, upgraded.ok_or(missing)?))
        });
        match checked {
            Ok((request, upgraded)) => Ok(Self {
                upgraded,
                request,
                settings: Arc::clone(settings),
                seat,
                span,
                peer,
                headers: Headers::new(),
            }),
            Err(error) => {
                let response = response_to(&error);
                span.in_scope(|| settings.announce(ending_of(error)));
                Err(response)
            }
        }
    }

    /// The request: path, header fields, the subprotocol and the extensions that the answer will
    /// agree to.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The request, to choose another subprotocol or to decline the extensions.
    pub fn request_mut(&mut self) -> &mut Request {
        &mut self.request
    }

    /// Where the client connects from, if that is known. Under axum it is if the application is
    /// served with `into_make_service_with_connect_info::<SocketAddr>`.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Fields to add to the answer that opens the connection. With one that belongs to the
    /// handshake the request is answered with 500 instead.
    pub fn response_headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    /// Opens the connection once the returned answer is written, and runs `handler` on it, in a
    /// task of its own, which also keeps the connection.
    ///
    /// For what becomes of errors and panics of a handler see [`Server::serve`](crate::Server::serve).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn run<H, F, E>(self, handler: H) -> http::Response<String>
    where
        H: FnOnce(WebSocket) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        self.run_over(TokioIo::new, handler)
    }

    /// [`run`](Self::run), over what `wrap` makes of the stream that the HTTP server hands over: one
    /// that counts its bytes, slows them down, or fails on purpose.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn run_over<W, S, H, F, E>(self, wrap: W, handler: H) -> http::Response<String>
    where
        W: FnOnce(Upgraded) -> S + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        H: FnOnce(WebSocket) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        let span = self.span.clone();
        let _inside = span.enter();
        if let Some(wait) = self.seat.turn_away() {
            return refuse(&self.settings, NoPlace::Draining(wait).into());
        }
        let acceptance = match self.request.accept(&self.headers) {
            Ok(acceptance) => acceptance,
            Err(error) => {
                rejected(&self.settings, &format!("answered with HTTP 500: {error}"));
                return response(500, &Headers::new(), String::new());
            }
        };
        let mut answer = response(101, &acceptance.headers, String::new());
        *answer.version_mut() = Version::HTTP_11;
        let limit = Limit::new(self.settings.handshake_timeout);
        let upgraded = async { self.upgraded.await.map(wrap) };
        let opening = open(
            upgraded,
            limit,
            self.settings,
            acceptance,
            self.seat,
            self.span,
            handler,
        );
        tokio::spawn(opening.instrument(span.clone()));
        answer
    }

    /// Refuses the connection with `status`, 300 to 599; anything else, or `headers` with a field
    /// of the response itself, is answered with 500.
    #[must_use]
    pub fn refuse(self, status: u16, headers: &Headers, body: &str) -> http::Response<String> {
        let _inside = self.span.enter();
        match self.request.reject(status, headers, body.as_bytes()) {
            Ok(_) => {
                rejected(&self.settings, &format!("answered with HTTP {status}"));
                response(status, headers, body.to_owned())
            }
            Err(error) => {
                rejected(&self.settings, &format!("answered with HTTP 500: {error}"));
                response(500, &Headers::new(), String::new())
            }
        }
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade")
            .field("request", &self.request)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// Waits for the HTTP server to hand over the stream.
async fn open<S, H, F, E>(
    upgraded: impl Future<Output = hyper::Result<S>>,
    limit: Limit,
    settings: Arc<Settings>,
    acceptance: Acceptance,
    seat: Seat,
    span: Span,
    handler: H,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: FnOnce(WebSocket) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Failure> + 'static,
{
    let ending = match timeout_at(limit.at, upgraded).await {
        Ok(Ok(stream)) => {
            let stream = Box::new(stream);
            let socket = settings.start(stream, acceptance, BytesMut::new(), seat, span);
            return spawn(socket, handler);
        }
        Ok(Err(error)) => {
            // The client went away before it had its answer.
            let detail = Detail::Text(error.to_string().into());
            Ending::never_opened(Cause::HandshakeReset, detail)
        }
        Err(_) => limit.exceeded(),
    };
    settings.announce(ending);
}

/// What an HTTP server has read.
struct Asked<'a> {
    method: &'a str,
    target: String,
    version: Version,
    headers: &'a HeaderMap,
}

impl<'a> Asked<'a> {
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "for axum"))]
    fn of(parts: &'a Parts) -> Self {
        Self {
            method: parts.method.as_str(),
            target: parts.uri.to_string(),
            version: parts.version,
            headers: &parts.headers,
        }
    }

    fn check(&self, settings: &Settings) -> Result<Request, HandshakeError> {
        if self.version != Version::HTTP_11 {
            let got = format!("{:?}", self.version);
            return Err(HandshakeError::HttpVersion { got });
        }
        let mut headers = Headers::new();
        for (name, value) in self.headers {
            let pushed = headers.push(name.as_str(), value.as_bytes());
            pushed.map_err(|_| HandshakeError::MalformedHead {
                part: "header value",
            })?;
        }
        let config = &settings.handshake;
        let request = Request::from_parts(self.method, &self.target, headers, config)?;
        origin::check(&request, &settings.origins)?;
        Ok(request)
    }
}

fn refuse(settings: &Settings, refusal: Refusal) -> http::Response<String> {
    rejected(settings, &format!("answered with HTTP {}", refusal.status));
    response(refusal.status, &refusal.headers(), refusal.body.to_owned())
}

fn rejected(settings: &Settings, detail: &str) {
    let detail = Detail::Text(detail.to_owned().into());
    settings.announce(Ending::never_opened(Cause::HandshakeRejected, detail));
}

/// The answer that tells the client which rule it broke.
fn response_to(error: &HandshakeError) -> http::Response<String> {
    let fields: &[(&str, &str)] = match error {
        HandshakeError::MethodNotGet { .. } => &[("Allow", "GET")],
        HandshakeError::VersionNotSupported { .. } | HandshakeError::UpgradeMissing { .. } => &[
            ("Sec-WebSocket-Version", "13"),
            ("Upgrade", "websocket"),
            ("Connection", "upgrade"),
        ],
        _ => &[],
    };
    let mut headers = Headers::new();
    for (name, value) in [("Content-Type", "text/plain; charset=utf-8")]
        .iter()
        .chain(fields)
    {
        let pushed = headers.push(name, value);
        debug_assert!(pushed.is_ok());
    }
    let body = format!("{error} ({})\n", error.section());
    response(error.status().unwrap_or(400), &headers, body)
}

/// Fields of ours are fields of `http`: both keep to RFC 9110.
fn response(status: u16, headers: &Headers, body: String) -> http::Response<String> {
    let mut response = http::Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    for (name, value) in headers.iter() {
        let name = http::HeaderName::from_bytes(name.as_bytes());
        let value = http::HeaderValue::from_bytes(value);
        debug_assert!(name.is_ok() && value.is_ok());
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

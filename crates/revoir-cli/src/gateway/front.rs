//! The side that clients see: HTTP requests, and those among them that become WebSockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use revoir_proto::handshake::{self, HandshakeError, Headers, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout_at};

use super::Gateway;
use super::agreement;
use super::dial::{Answer, Body, DialError, Opened, Opening, empty, open};
use super::driver::Driver;
use super::headers::{rewrite_request, strip_hop_by_hop};
use super::redial::Redialer;
use super::upstream::Priority;

/// The header field that names a connection to the backend, for as long as the client stays.
const CONN: HeaderName = HeaderName::from_static("revoir-conn");

/// How long to wait when a connection cannot be taken, because no file descriptor is left for
/// example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// After which time a client should ask again that was refused for want of a backend.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Takes connections for as long as it is polled.
pub(super) async fn serve(gateway: Arc<Gateway>, listener: TcpListener) {
    let front = Arc::new(Front {
        plain: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
        gateway,
    });
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(Arc::clone(&front).talk(stream, peer));
            }
            Err(error) => {
                tracing::warn!(target: "revoir", %error, "a connection cannot be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

struct Front {
    gateway: Arc<Gateway>,
    /// For everything that is no WebSocket.
    plain: Client<HttpConnector, Body>,
}

impl Front {
    /// Speaks HTTP on one connection, until it ends or becomes a WebSocket.
    async fn talk(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(target: "revoir", %error, "TCP_NODELAY was not set");
        }
        let settings = &self.gateway.settings;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(settings.handshake_limit)
            .max_buf_size(settings.head_bytes)
            .max_headers(settings.head_fields);
        let service = service_fn(|request| {
            let front = Arc::clone(&self);
            async move { Ok::<_, Infallible>(front.answer(request, peer).await) }
        });
        let talking = http.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = talking.with_upgrades().await {
            tracing::debug!(target: "revoir", %peer, %error, "an HTTP connection ended early");
        }
    }

    async fn answer(&self, mut request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        if request.method() == Method::CONNECT {
            return refusal(StatusCode::METHOD_NOT_ALLOWED, "CONNECT is not supported");
        }
        normalise(&mut request);
        match request.headers().get(UPGRADE) {
            Some(value) if is_websocket(value) => match self.handshake(request, peer).await {
                Ok(response) => response,
                Err(error) => broken(&error),
            },
            _ => self.pass(request, peer).await,
        }
    }

    /// Passes a plain request on, with its body as it comes.
    async fn pass(&self, mut request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        rewrite_request(request.headers_mut(), peer.ip());
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let target = &self.gateway.upstream.target;
        let Ok(uri) = format!("http://{target}{path}").parse() else {
            return refusal(StatusCode::BAD_REQUEST, "the request target is invalid");
        };
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        match self.plain.request(request.map(BodyExt::boxed)).await {
            Ok(mut response) => {
                strip_hop_by_hop(response.headers_mut());
                response.map(BodyExt::boxed)
            }
            Err(error) if error.is_connect() => unavailable(),
            Err(error) => {
                tracing::debug!(target: "revoir", %error, "the backend did not answer");
                refusal(StatusCode::BAD_GATEWAY, "the backend did not answer")
            }
        }
    }

    /// Answers an opening handshake as the backend does.
    async fn handshake(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Body>, HandshakeError> {
        let gateway = &self.gateway;
        let settings = &gateway.settings;
        let mode = settings.rules.mode;
        let asked = check(&request)?;
        if gateway.connections() >= settings.connections {
            return Ok(unavailable());
        }
        let id = gateway.next_id();
        let name = format!("{:08x}-{id}", gateway.boot);
        let key = request.headers().get(SEC_WEBSOCKET_KEY);
        let opening = Opening {
            resource: request.uri().clone(),
            key: key
                .and_then(|key| key.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            subprotocols: asked.subprotocols().to_vec(),
            extensions: agreement::offer(mode, asked.offered_extensions()),
            headers: forwarded_headers(request.headers(), peer, &name),
        };
        let mut opened = match self.reach(&opening).await {
            Ok(opened) => opened,
            Err(response) => {
                gateway.observer.refused(response.status().as_u16());
                return Ok(response);
            }
        };
        let response = switching_protocols(&mut opened);
        let connection = gateway.connection(peer, id, opening.resource.to_string());
        let compression = opened.agreement.extensions.is_some();
        let redial = Box::new(Redialer::new(
            Arc::clone(&gateway.upstream),
            mode,
            settings.handshake_limit,
            name,
            opening,
            opened.agreement,
        ));
        let (stream, input) = (opened.stream, opened.input);
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let upgraded = match upgrade.await {
                Ok(upgraded) => upgraded,
                Err(error) => {
                    tracing::debug!(target: "revoir", %error, "the client did not wait");
                    return;
                }
            };
            // What was given to `serve_connection` is what comes back.
            if let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() {
                let client = parts.io.into_inner();
                let driver = Driver::new(connection, compression, redial, client, stream);
                driver.run(parts.read_buf, input).await;
            }
        });
        Ok(response)
    }

    /// The backend's acceptance, or the answer for the client. While the backend is away this
    /// waits, up to the limit.
    async fn reach(&self, opening: &Opening) -> Result<Opened, Response<Body>> {
        let settings = &self.gateway.settings;
        let upstream = &self.gateway.upstream;
        let deadline = Instant::now() + settings.handshake_limit;
        loop {
            let turn = upstream.turn(upstream.ticket(), Priority::Normal, true);
            let Ok(turn) = timeout_at(deadline, turn).await else {
                return Err(unavailable());
            };
            let left = deadline.saturating_duration_since(Instant::now());
            match open(&upstream.target, settings.rules.mode, opening, left).await {
                Ok(Answer::Opened(opened)) => {
                    turn.report(true);
                    return Ok(*opened);
                }
                Ok(Answer::Refused(mut response)) => {
                    turn.report(response.status().as_u16() < 500);
                    strip_hop_by_hop(response.headers_mut());
                    return Err(response.map(BodyExt::boxed));
                }
                Err(error) => {
                    turn.report(false);
                    tracing::debug!(target: "revoir", %error, "the backend was not reached");
                    match error {
                        DialError::Unreachable(_) => {}
                        DialError::Silent => {
                            let text = "the backend does not answer";
                            return Err(refusal(StatusCode::GATEWAY_TIMEOUT, text));
                        }
                        DialError::Invalid(_) => {
                            let text = "the backend's handshake is invalid";
                            return Err(refusal(StatusCode::BAD_GATEWAY, text));
                        }
                    }
                }
            }
        }
    }
}

/// An absolute target goes before Host (RFC 9112 section 3.2.2), and the backend gets a path.
fn normalise<B>(request: &mut Request<B>) {
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
    if let Some(path) = request.uri().path_and_query().cloned() {
        *request.uri_mut() = Uri::from(path);
    }
}

fn is_websocket(value: &HeaderValue) -> bool {
    let tokens = value.as_bytes().split(|byte| *byte == b',');
    tokens
        .map(<[u8]>::trim_ascii)
        .any(|token| token.eq_ignore_ascii_case(b"websocket"))
}

/// The rules of RFC 6455 section 4.2.1.
fn check<B>(request: &Request<B>) -> Result<handshake::Request, HandshakeError> {
    let part = "header";
    let mut headers = Headers::new();
    for (name, value) in request.headers() {
        let pushed = headers.push(name.as_str(), value.as_bytes());
        pushed.map_err(|_| HandshakeError::MalformedHead { part })?;
    }
    let target = request.uri().to_string();
    let config = ServerConfig::default();
    handshake::Request::from_parts(request.method().as_str(), &target, headers, &config)
}

/// The fields of a client's request that the backend gets, but for those of the handshake.
fn forwarded_headers(headers: &HeaderMap, peer: SocketAddr, name: &str) -> HeaderMap {
    let mut headers = headers.clone();
    rewrite_request(&mut headers, peer.ip());
    for own in [
        SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_VERSION,
        SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_EXTENSIONS,
    ] {
        headers.remove(own);
    }
    if let Ok(name) = HeaderValue::from_str(name) {
        headers.insert(CONN, name);
    }
    headers
}

/// The backend's 101, for the client.
fn switching_protocols(opened: &mut Opened) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    *headers = std::mem::take(&mut opened.headers);
    strip_hop_by_hop(headers);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    if let Some(extensions) = &opened.agreement.extensions
        && let Ok(extensions) = HeaderValue::from_str(extensions)
    {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, extensions);
    }
    response
}

/// The answer to a request that breaks a rule of the opening handshake.
fn broken(error: &HandshakeError) -> Response<Body> {
    let status = error
        .status()
        .and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = refusal(status, &format!("{error} ({})", error.section()));
    if status == StatusCode::UPGRADE_REQUIRED {
        let headers = response.headers_mut();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    response
}

/// There is no backend, or no room.
fn unavailable() -> Response<Body> {
    let text = "there is no backend at present";
    let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
    response
}

fn refusal(status: StatusCode, text: &str) -> Response<Body> {
    let body = Full::from(format!("{text}\n")).map_err(|never| match never {});
    let mut response = Response::new(body.boxed());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

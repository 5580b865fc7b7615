//! Takes connections, speaks HTTP on them, and has the route of each request answer it.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use revoir::server::AcceptFailures;
use revoir::tls::ServerTls;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::connection::{Held, begun, linger};
use crate::file_limit::FileLimit;
use crate::front::arrival::{Arrival, FirstRequest, Times};
use crate::front::auth_hook::allowed;
use crate::front::beginning::{Beginning, EndsEarly};
use crate::front::client_cert::ClientCert;
use crate::front::exchange::OpenExchange;
use crate::front::handshake;
use crate::front::head::{
    has_a_known_coding, has_a_path, has_a_plain_host, has_body, has_one_host, head_bytes, host,
    normalise,
};
use crate::front::path::normal_form;
use crate::front::progress::Progress;
use crate::front::refusal::{crowded, malformed, refusal, too_slow};
use crate::front::request_id;
use crate::front::route::Backing;
use crate::front::session;
use crate::front::session_start;
use crate::front::source::Source;
use crate::front::state::Front;
use crate::net::{ListenAddr, Listener, Peer, Socket};
use crate::shortage;
use crate::upstream::MaybeTls;
use crate::watch::{Exchange, Limit, LoggedRequest};

/// What whoever finds no room is told.
const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n\
                    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 31\r\n\r\n\
                    there are too many connections\n";

/// What whoever has too many connections is told.
const FULL_FOR_ADDRESS: &str = "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 5\r\n\
                                Content-Type: text/plain; charset=utf-8\r\nContent-Length: 41\r\n\r\n\
                                there are too many connections from here\n";

/// What whoever speaks plain HTTP where TLS is spoken is told.
const PLAIN: &str = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\
                     Content-Type: text/plain; charset=utf-8\r\nContent-Length: 54\r\n\r\n\
                     TLS is spoken here: the URL needs https:// or wss://.\n";

/// Connections at a time that are waited for, once they were told that there is no room: the others may
/// see a reset behind the answer.
const TURNED_AWAY: usize = 8;

/// Takes connections for as long as it is polled, over TLS if that is given.
pub(crate) async fn serve(front: Arc<Front>, listeners: Vec<Listener>, tls: Option<ServerTls>) {
    let shared = Arc::new(Listeners {
        front,
        tls,
        talking: AtomicUsize::new(0),
        turning_away: AtomicUsize::new(0),
        files: FileLimit::now(),
    });
    let mut all = JoinSet::new();
    for listener in listeners {
        all.spawn(Arc::clone(&shared).listen(listener));
    }
    all.join_all().await;
}

struct Listeners {
    front: Arc<Front>,
    tls: Option<ServerTls>,
    /// Connections that speak HTTP now.
    talking: AtomicUsize,
    /// Connections that are told that there is no room.
    turning_away: AtomicUsize,
    /// `None`: this process may have any number of files open.
    files: Option<FileLimit>,
}

impl Listeners {
    async fn listen(self: Arc<Self>, listener: Listener) {
        let address = match listener.address() {
            Ok(address) => Arc::new(address),
            Err(error) => {
                tracing::warn!(target: "revoir", %error, "a listener has no address");
                return;
            }
        };
        let mut failures = AcceptFailures::default();
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    failures = AcceptFailures::default();
                    if let Some(limit) = self.lacks_room() {
                        self.front.registry.limited(limit);
                        self.turn_away(stream, FULL);
                        continue;
                    }
                    let talking = Talking::new(&self);
                    let from = (peer, Arc::clone(&address));
                    tokio::spawn(async move { talking.listeners().talk(stream, from).await });
                }
                Err(error) => {
                    shortage::tell_of_accept(&error, "clients");
                    if let Some(pause) = failures.pause(&error) {
                        sleep(pause).await;
                    }
                }
            }
        }
    }

    /// Which limit leaves no room for another connection, of whatever kind.
    fn lacks_room(&self) -> Option<Limit> {
        let open = self.talking.load(Ordering::Relaxed) + self.front.registry.len();
        let current = self.front.current();
        if open >= current.settings.sockets {
            return Some(Limit::Sockets);
        }
        let files = self.files?;
        let has_upstreams = current.routes.pools().next().is_some();
        let clients = files.clients(has_upstreams);
        if open < clients {
            return None;
        }
        tracing::error!(
            target: "revoir",
            limit = files.limit,
            clients,
            "no more clients are taken, so that those who are here can have a connection to an upstream: \
             this process may not have more files open; raise its limit (ulimit -n, LimitNOFILE=)"
        );
        Some(Limit::Files)
    }

    /// Tells a client that there is no room. Over TLS that would cost too much.
    fn turn_away(self: &Arc<Self>, stream: Socket, text: &'static str) {
        if self.tls.is_some() {
            return;
        }
        if self.turning_away.fetch_add(1, Ordering::Relaxed) >= TURNED_AWAY {
            self.turning_away.fetch_sub(1, Ordering::Relaxed);
            // Best effort: whoever is turned away here costs nothing more.
            let _ = stream.try_write(text.as_bytes());
            return;
        }
        let listeners = Arc::clone(self);
        tokio::spawn(async move {
            linger(stream, text.as_bytes().to_vec()).await;
            listeners.turning_away.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Takes a client in: until a request is there, it costs little more than its socket, so all that
    /// comes before and after is in boxes of its own.
    async fn talk(self: Arc<Self>, stream: Socket, from: (Peer, Arc<ListenAddr>)) {
        let since = Instant::now();
        let met = Box::pin(self.meet(stream, from)).await;
        let Some((mut stream, source)) = met else {
            return;
        };
        // A drain waits for those that were there when it began.
        let draining = &self.front.registry.draining;
        let mut draining = (!draining.has_begun()).then(|| draining.listen());
        let (head_limit, body_limit) = {
            let settings = &self.front.current().settings;
            (settings.handshake_limit, settings.http.body)
        };
        let deadline = Instant::now() + head_limit;
        let mut beginning = Beginning::new(Held::of(&self.front.registry.held_bytes));
        tokio::select! {
            biased;
            () = beginning.read(&mut stream, deadline, body_limit) => {}
            () = begun(draining.as_mut()) => {}
        }
        let times = (since, deadline);
        Box::pin(self.speak((stream, beginning), source, draining, times)).await;
    }

    /// Reads a PROXY header and greets over TLS, where that is due.
    async fn meet(
        self: &Arc<Self>,
        mut stream: Socket,
        (peer, at): (Peer, Arc<ListenAddr>),
    ) -> Option<(MaybeTls, Source)> {
        stream.set_nodelay();
        let registry = &self.front.registry;
        // Not the routes with them: a connection may outlive those.
        let settings = Arc::clone(&self.front.current().settings);
        let (peer, local) = match settings.proxy_protocol.client(&mut stream, peer, &at).await {
            Ok(ends) => ends,
            Err(error) => {
                if error.kind() == io::ErrorKind::TimedOut {
                    registry.limited(Limit::Time);
                }
                let text = match error.kind() {
                    io::ErrorKind::InvalidData => "the PROXY header of a balancer is malformed",
                    io::ErrorKind::TimedOut => {
                        "the PROXY header of a balancer did not come in time"
                    }
                    io::ErrorKind::UnexpectedEof => {
                        "a balancer closed before its PROXY header was whole"
                    }
                    _ => "the PROXY header of a balancer cannot be read",
                };
                tracing::warn!(target: "revoir", %peer, %error, "{text}");
                return None;
            }
        };
        // A proxy has the connections of others.
        let own = peer.ip().filter(|_| !settings.trusted.contains(peer));
        let Ok(permit) = self.front.sockets.admit(own) else {
            registry.limited(Limit::Address);
            self.turn_away(stream, FULL_FOR_ADDRESS);
            return None;
        };
        let stream = match &self.tls {
            None => MaybeTls::Plain(stream),
            Some(_) if speaks_plain(&stream, settings.handshake_limit).await => {
                self.tell_plain(stream, peer);
                return None;
            }
            Some(tls) => {
                let accepting = TlsAcceptor::from(tls.config()).accept(stream);
                match timeout(settings.handshake_limit, accepting).await {
                    Ok(Ok(stream)) => MaybeTls::Tls(Box::new(stream.into())),
                    Ok(Err(error)) => {
                        tracing::debug!(target: "revoir", %peer, %error, "no TLS");
                        return None;
                    }
                    Err(_) => return None,
                }
            }
        };
        let source = Source::new(peer, self.tls.is_some(), &settings.trusted)
            .with_permit(permit)
            .with_local_address(local)
            .with_client_cert(stream.peer_certificate().map(ClientCert::new));
        Some((stream, source))
    }

    /// A client speaks plain HTTP where TLS is spoken.
    fn tell_plain(&self, stream: Socket, peer: Peer) {
        let text = "a client speaks plain HTTP where TLS is spoken: it needs https:// or wss://";
        tracing::warn!(target: "revoir", %peer, "{text}");
        let request = LoggedRequest::unread(peer, Instant::now());
        let exchange = Exchange::unread(request, StatusCode::BAD_REQUEST.as_u16());
        self.front.registry.observer.answered(exchange);
        tokio::spawn(linger(stream, PLAIN.as_bytes().to_vec()));
    }

    /// Speaks HTTP on one connection, until it ends or becomes a WebSocket.
    async fn speak(
        self: &Arc<Self>,
        connection: (MaybeTls, Beginning),
        source: Source,
        mut draining: Option<watch::Receiver<bool>>,
        (since, deadline): (Instant, Instant),
    ) {
        let registry = &self.front.registry;
        let peer = source.peer;
        let current = self.front.current();
        let settings = &current.settings;
        let mut http = http1::Builder::new();
        // What it reads from keeps to the times.
        http.header_read_timeout(None)
            .max_buf_size(settings.head_bytes)
            .max_headers(settings.head_fields)
            .keep_alive(draining.is_some());
        let first = Arc::new(FirstRequest::of(&connection.1));
        let times = Times {
            head: settings.handshake_limit,
            keep_alive: settings.http.keep_alive,
            write: settings.http.write,
        };
        let limits = (deadline, times);
        let arrival = Arrival::new(connection, Arc::clone(&first), limits);
        // Requests that come later are not held to these settings.
        drop(current);
        let service = service_fn(|request| {
            let ends_early = first.comes(has_body(&request));
            let listeners = Arc::clone(self);
            let source = source.clone();
            let first = Arc::clone(&first);
            async move {
                let response = listeners.answer(request, source, ends_early).await;
                Ok::<_, Infallible>(first.answered_by(response))
            }
        });
        let talking = http.serve_connection(TokioIo::new(arrival), service);
        let mut talking = pin!(talking.with_upgrades());
        let ended = tokio::select! {
            // A head that came before the drain is one that it waits for.
            biased;
            ended = &mut talking => ended,
            () = begun(draining.as_mut()) => {
                // What was asked is answered within the time of the drain, to its last byte. It does
                // not wait for what somebody may yet ask.
                if !first.has_come() {
                    draining = None;
                }
                talking.as_mut().graceful_shutdown();
                talking.await
            }
        };
        drop(draining);
        if let Err(error) = ended {
            if first.is_crowded() {
                registry.limited(Limit::Held);
            } else if first.is_late() {
                registry.limited(Limit::Time);
            } else if error.is_parse_too_large() {
                registry.limited(Limit::Head);
            }
            if let Some(status) = unread(&first, &error) {
                let request = LoggedRequest::unread(peer, since);
                registry
                    .observer
                    .answered(Exchange::unread(request, status));
            }
            tracing::debug!(target: "revoir", %peer, %error, "an HTTP connection ended early");
        }
    }

    /// Answers a request, and has it observed unless a connection comes of it.
    /// `ends_early`: its body is not going to be whole.
    async fn answer(
        &self,
        mut request: Request<Incoming>,
        source: Source,
        ends_early: Option<EndsEarly>,
    ) -> Response<Body> {
        normalise(&mut request);
        let current = self.front.current();
        let source = source.judged(&current.settings.trusted);
        let client = source.client(request.headers(), &current.settings.trusted);
        let id = request_id::of(request.headers(), source.is_trusted);
        let path = normal_form(request.uri().path()).ok();
        let route = path.and_then(|path| current.routes.find(host(&request), &path));
        let route = route.map(|route| Arc::clone(&route.name));
        drop(current);
        let asked = LoggedRequest::new(&request, (source.peer, client), id, route);
        let is_handshake = handshake::is_asked_for(&request);
        let registry = &self.front.registry;
        let (asking, request) = OpenExchange::new(registry, asked.clone(), is_handshake, request);
        match ends_early {
            None => {}
            Some(EndsEarly::Late) => {
                registry.limited(Limit::Time);
                return asking.answered(too_slow());
            }
            Some(EndsEarly::Cut) => return asking.answered(malformed()),
        }
        asking.answered(self.take(request, asked, source).await)
    }

    /// Has the route of a request answer it.
    async fn take(
        &self,
        mut request: Request<Body>,
        asked: LoggedRequest,
        source: Source,
    ) -> Response<Body> {
        if request.method() == Method::CONNECT {
            return refusal(StatusCode::METHOD_NOT_ALLOWED, "CONNECT is not supported");
        }
        let current = self.front.current();
        // What reads the request may have room for more.
        if head_bytes(&request) > current.settings.head_bytes {
            self.front.registry.limited(Limit::Head);
            let text = "the head of the request is too long";
            return refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, text);
        }
        if !has_a_path(&request) {
            return refusal(StatusCode::BAD_REQUEST, "the request target has no path");
        }
        if !has_one_host(&request) {
            return refusal(StatusCode::BAD_REQUEST, "a request has one Host field");
        }
        if !has_a_plain_host(&request) {
            let text = "the Host field is no host with a port (RFC 9110 section 7.2)";
            return refusal(StatusCode::BAD_REQUEST, text);
        }
        if !has_a_known_coding(&request) {
            let text = "the transfer coding of the body is not chunked alone";
            return refusal(StatusCode::NOT_IMPLEMENTED, text);
        }
        let path = match normal_form(request.uri().path()) {
            Ok(path) => path,
            Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        let Some(route) = current.routes.find(host(&request), &path) else {
            return refusal(StatusCode::NOT_FOUND, "no route leads there");
        };
        let held = &self.front.registry.held_bytes;
        // Bodies leave some room for whoever has none.
        if held.is_full() || has_body(&request) && held.is_short() {
            self.front.registry.limited(Limit::Held);
            return crowded();
        }
        request_id::write(request.headers_mut(), &asked.id);
        let times = current.settings.http;
        let (parts, body) = request.into_parts();
        let (body, progress) = Progress::watch(body, times.body);
        let request = Request::from_parts(parts, body);
        let auth = route.auth.as_ref();
        let response = match &route.backing {
            Backing::Upstreams { pool, .. } if handshake::is_asked_for(&request) => {
                let who = (asked, source);
                match handshake::asked(&self.front, pool, &request) {
                    Err(response) => response,
                    Ok(wanted) => match &route.settings.session {
                        // In a box, because few requests have to do with it for long.
                        Some(settings) if session::is_asked_for(wanted.subprotocols()) => {
                            let to = (&**route, pool, settings);
                            Box::pin(session::answer(&self.front, to, request, who)).await
                        }
                        _ => {
                            let (to, what) = ((pool, auth), (request, wanted));
                            Box::pin(handshake::answer(&self.front, to, what, who)).await
                        }
                    },
                }
            }
            backing => {
                let observer = &self.front.registry.observer;
                let granted = match allowed(auth, &request, &source, observer).await {
                    Ok(granted) => granted,
                    Err(response) => return response,
                };
                progress.goes_on();
                match backing {
                    Backing::LocalService(site) => site.answer(request, asked.peer).await,
                    Backing::Upstreams { pool, plain, .. } => {
                        let (uri, headers) = (request.uri(), request.headers());
                        let live = pool.live();
                        let balance = &live.settings.balance;
                        let affinity = balance.affinity(uri, headers, asked.client);
                        let announced = source.announced(asked.client);
                        let (who, limits) = ((source, granted), (&*progress, times));
                        let place = (affinity, announced);
                        if session_start::starts_session(&request) {
                            let here = (&*self.front, &*current.settings);
                            let to = (plain, pool);
                            let pass = session_start::pass(here, to, request, who, place, limits);
                            Box::pin(pass).await
                        } else {
                            Box::pin(plain.pass(pool, request, who, place, limits)).await
                        }
                    }
                }
            }
        };
        if progress.is_broken() {
            return malformed();
        }
        if progress.is_late() {
            self.front.registry.limited(Limit::Time);
            return too_slow();
        }
        response
    }
}

/// Whether a client begins as plain HTTP does, and not as TLS: it is looked at before it is read.
async fn speaks_plain(stream: &Socket, limit: Duration) -> bool {
    let mut first = [0];
    let peeked = timeout(limit, stream.peek(&mut first)).await;
    matches!(peeked, Ok(Ok(1))) && first[0].is_ascii_uppercase()
}

/// The status that a request was answered with before it could be read, if it was.
fn unread(first: &FirstRequest, error: &hyper::Error) -> Option<u16> {
    let status = if first.is_crowded() {
        Some(StatusCode::SERVICE_UNAVAILABLE)
    } else if first.is_late() {
        // Who says nothing is told nothing.
        first.has_begun().then_some(StatusCode::REQUEST_TIMEOUT)
    } else if error.is_parse_too_large() {
        Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    } else {
        error.is_parse().then_some(StatusCode::BAD_REQUEST)
    };
    status.map(|status| status.as_u16())
}

/// A connection that speaks HTTP, for as long as it is counted.
struct Talking(Arc<Listeners>);

impl Talking {
    fn new(listeners: &Arc<Listeners>) -> Self {
        listeners.talking.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(listeners))
    }

    fn listeners(&self) -> Arc<Listeners> {
        Arc::clone(&self.0)
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        self.0.talking.fetch_sub(1, Ordering::Relaxed);
    }
}

//! Opening handshakes of clients with sessions: the 101 comes before the backend's.
//!
//! Who may connect is decided before the 101, as always. Then the client says HELLO. If it resumes a session, that has a
//! backend already; if it begins one, a backend is dialled with what HELLO says, and WELCOME has its answer. So it is if it
//! resumes one that only the store has: its gateway was lost, and the backend connection with it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue, ORIGIN, SET_COOKIE};
use hyper::{HeaderMap, Request, Response, Uri};
use revoir::reconnect::Entropy;
use revoir::server::Origins;
use revoir::session::{Accepted, Close, Loss, Opening, Principal, SUBPROTOCOL, Session, Verdict};
use revoir::{Acceptor, Incoming};
use revoir_proto::Config;
use revoir_proto::handshake::key;
use tokio::time::timeout;

use crate::connection::{ClientPermit, Connection, Driver, OverLimit, Redialer, retry_after};
use crate::front::arrived::Arrived;
use crate::front::auth_hook::{AuthHook, allowed};
use crate::front::granted::Granted;
use crate::front::handshake::{forwarded_headers, reach, treated, unless_drained};
use crate::front::headers::{is_twin_of, may_be_granted};
use crate::front::refusal::{full, unavailable};
use crate::front::route::Route;
use crate::front::source::Source;
use crate::front::state::Front;
use crate::proxy_protocol::Header;
use crate::rules::Rules;
use crate::session::{Callback, Leg, SessionClient, SessionSettings, Shared, refused};
use crate::upstream::Pool;
use crate::upstream::opening;
use crate::watch::LoggedRequest;

/// For the backend's answer: the client waits 10 s for WELCOME.
const BACKEND_LIMIT: Duration = Duration::from_secs(9);

/// The longest control message of a session, with its type.
const CONTROL_BYTES: usize = 16 * 1024;

/// The most of a backend's Set-Cookie that fits into WELCOME beside the rest.
const COOKIE_BYTES: usize = 8 * 1024;

/// What drives a session's relay.
type Handler = Box<dyn FnOnce(Session) -> Running + Send>;
type Running = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Whether a client that offers these subprotocols asks for a session.
pub(super) fn is_asked_for(offered: &[String]) -> bool {
    offered.iter().any(|one| one == SUBPROTOCOL)
}

/// Answers an opening handshake: the session is spoken of once the client has said HELLO.
pub(super) async fn answer(
    front: &Arc<Front>,
    (route, pool, settings): (&Route, &Arc<Pool>, &SessionSettings),
    mut request: Request<Body>,
    (who, source): (LoggedRequest, Source),
) -> Response<Body> {
    let registry = &front.registry;
    // Whoever resumes has a place: its session has it.
    let permit = match front.limiter.admit(who.client) {
        Ok(permit) => Some(permit),
        Err(OverLimit::InAll | OverLimit::ForAddress) if front.sessions.has_detached() => None,
        Err(reason) => {
            registry.limited(reason.limit());
            return full(reason);
        }
    };
    let auth: Option<&AuthHook> = route.auth.as_ref();
    let asking = allowed(auth, &request, &source, &registry.observer);
    let granted = match unless_drained(registry, asking).await {
        Ok(granted) => granted,
        Err(response) => return response,
    };
    let principal = settings
        .principal
        .principal(&route.name, &granted.fields, request.headers());
    let rules = Arc::clone(&pool.live().settings.rules);
    let begins = Begins {
        front: Arc::clone(front),
        pool: Arc::clone(pool),
        route: Arc::clone(&route.name),
        resource: request.uri().clone(),
        headers: request.headers().clone(),
        rules: Arc::clone(&rules),
        source: source.clone(),
        granted,
        permit,
        who,
        callback: route.callback.clone(),
    };
    open(front, &mut request, (begins, source), (settings, principal))
}

/// The 101, or what is wrong with the request.
fn open(
    front: &Front,
    request: &mut Request<Body>,
    (begins, source): (Begins, Source),
    (settings, principal): (&SessionSettings, Principal),
) -> Response<Body> {
    let upgrade = hyper::upgrade::on(&mut *request);
    let arriving = async move {
        let upgraded = upgrade.await.map_err(io::Error::other)?;
        Arrived::new(upgraded, source).ok_or_else(|| io::ErrorKind::Unsupported.into())
    };
    let longest = usize::try_from(begins.rules.client_message).unwrap_or(usize::MAX);
    // An application's binary message has one byte more.
    let longest = longest.saturating_add(1).max(CONTROL_BYTES);
    let config = Config::server().no_keepalive().max_message(longest);
    let acceptor = Acceptor::new()
        .with_origins(Origins::Any)
        .with_config(config);
    let peer = begins.who.client.map(|client| SocketAddr::new(client, 0));
    let mut server = front
        .sessions
        .clone()
        .with_ttl(settings.ttl)
        .with_window(settings.window)
        .with_overflow(settings.overflow)
        .with_durable(settings.durable)
        .with_heartbeat(
            begins
                .rules
                .keepalive
                .map_or(Duration::ZERO, |life| life.interval),
        );
    if let Some(keys) = &settings.keys {
        server = server.with_keys(keys.clone());
    }
    let response = match Incoming::from_http(&acceptor, &*request, peer, arriving) {
        Ok(incoming) => server.run_as(incoming, principal, |opening| {
            Box::pin(begins.accept(opening))
        }),
        Err(refused) => refused,
    };
    response.map(Body::from)
}

/// A client that may begin a session.
struct Begins {
    front: Arc<Front>,
    pool: Arc<Pool>,
    route: Arc<str>,
    resource: Uri,
    headers: HeaderMap,
    rules: Arc<Rules>,
    source: Source,
    granted: Granted,
    /// Its place among all clients, if there was one.
    permit: Option<ClientPermit>,
    who: LoggedRequest,
    /// Who is told that it is away, or back.
    callback: Option<Arc<Callback>>,
}

impl Begins {
    /// Dials a backend with what HELLO says. One that goes on with a session has to be one that may follow another.
    async fn accept(mut self, hello: Opening) -> Result<Accepted<Handler>, Close> {
        let front = Arc::clone(&self.front);
        let registry = &front.registry;
        let permit = match self.permit.take() {
            Some(permit) => permit,
            None => front.limiter.admit(self.who.client).map_err(|reason| {
                registry.limited(reason.limit());
                close_of(&full(reason))
            })?,
        };
        let id = registry.next_id();
        let name = registry.name(id);
        let opening = self.opening(&hello, &name);
        let current = front.current();
        let settings = &current.settings;
        let reaching = reach(&front, (&self.pool, settings), &self.rules, &opening);
        let in_time = async {
            match timeout(BACKEND_LIMIT, reaching).await {
                Ok(reached) => reached,
                Err(_) => Err(unavailable()),
            }
        };
        let reached = unless_drained(registry, in_time).await;
        let (opened, upstream) = reached.map_err(|response| close_of(&response))?;
        registry.observer.backend_accepted(&self.who, opened.took);
        let (treatment, adapter) = treated(&self.rules, &opening, &opened, true);
        // What an adapter has heard of its client went with the gateway before.
        let may_move = treatment.is_hold() && adapter.is_none();
        let is_successor = hello.verdict == Verdict::Resumed;
        let told = self
            .callback
            .take()
            .map(|callback| (callback, name.as_str().into()));
        let redial = Box::new(Redialer::new(
            Arc::clone(&self.pool),
            settings.handshake_limit,
            name,
            &opening,
            (opened.agreement.clone(), treatment),
            &registry.held_bytes,
        ));
        let protocol = opened.agreement.subprotocol.as_deref().map(str::to_owned);
        let cookies = cookies(&opened.headers);
        let handler: Handler = Box::new(move |session: Session| {
            let Self {
                front,
                pool,
                route,
                rules,
                who,
                ..
            } = self;
            let registry = &front.registry;
            let shared = Arc::new(Shared::new(session.watcher()));
            let seen = (Arc::clone(&registry.observer), route);
            let side = SessionClient::new(session, (Arc::clone(&shared), may_move), seen, told);
            if is_successor && may_move {
                side.succeed();
            }
            let side = Box::new(side);
            let agreed = (opened.agreement, rules, treatment);
            let place = (pool, upstream, permit);
            let connection = Connection::new(registry, id, who, agreed, place).with_session(shared);
            let (client, backend) = (Leg::Session(side), Leg::Socket(opened.stream));
            let driver = Driver::new(connection, (false, adapter), redial, client, backend);
            Box::pin(driver.handle(Bytes::new(), opened.input))
        });
        let accepted = Accepted::new(handler)
            .with_protocol(protocol)
            .with_headers(cookies);
        Ok(match is_successor && !may_move {
            // Another backend knows nothing of it.
            true => accepted.with_loss(Loss::Backend),
            false => accepted,
        })
    }

    /// What the backend is asked for: as without a session, with the subprotocols and fields of HELLO.
    fn opening(&self, hello: &Opening, name: &str) -> opening::Opening {
        let mut headers = self.headers.clone();
        if let Some(lines) = &hello.headers {
            add_fields(&mut headers, lines);
        }
        let mut headers = forwarded_headers(&headers, &self.source, name);
        self.granted.write(&mut headers);
        let live = self.pool.live();
        let offered = hello.protocols.iter().flat_map(|all| all.split(','));
        opening::Opening {
            resource: self.resource.clone(),
            key: key(Entropy::bytes()),
            subprotocols: offered
                .map(|one| one.trim().to_owned())
                .filter(|one| !one.is_empty())
                .collect(),
            // What a session keeps is what its client gets again: nothing that refers to earlier messages.
            extensions: None,
            headers,
            mode: self.rules.mode,
            affinity: live.settings.balance.affinity(
                &self.resource,
                &self.headers,
                self.who.client,
            ),
            client: match live.settings.connecting.announce {
                Some(_) => self.source.announced(self.who.client),
                None => Header::Own,
            },
        }
    }
}

/// Adds fields of HELLO to those of the request. What the request has itself stays as it is, and what is not the
/// application's to say is left out.
fn add_fields(headers: &mut HeaderMap, lines: &str) {
    let mut added = Vec::new();
    for line in lines.split('\n') {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let name = name.trim().parse::<HeaderName>().ok();
        let name = name.filter(|name| {
            let is_there = headers.keys().any(|known| is_twin_of(known, name));
            !is_there
                && may_be_granted(name)
                && *name != ORIGIN
                && !name.as_str().starts_with("sec-")
        });
        if let (Some(name), Ok(value)) = (name, HeaderValue::from_str(value.trim())) {
            added.push((name, value));
        }
    }
    for (name, value) in added {
        headers.append(name, value);
    }
}

/// The Set-Cookie of a backend's answer, for the client's application: a line each.
fn cookies(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(SET_COOKIE).into_iter();
    let lines: Vec<_> = all
        .filter_map(|value| Some(format!("set-cookie: {}", value.to_str().ok()?)))
        .collect();
    let lines = lines.join("\n");
    if lines.len() > COOKIE_BYTES {
        tracing::warn!(target: "revoir", bytes = lines.len(), "Set-Cookie of a backend does not fit into a WELCOME");
        return None;
    }
    Some(lines).filter(|lines| !lines.is_empty())
}

/// The Close frame in the place of an answer.
fn close_of(response: &Response<Body>) -> Close {
    refused(response.status(), retry_after(response.headers()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_hello_are_the_applications_own_and_no_more() {
        let mut headers = HeaderMap::new();
        headers.insert("x-kept", HeaderValue::from_static("of the request"));
        headers.insert("origin", HeaderValue::from_static("https://a.example"));
        let lines = "authorization: Bearer 1\nX-Kept: of HELLO\nx_kept: of HELLO\nX-App:  2 \nX-App: 3\n\
                     Host: evil\nOrigin: evil\nCookie: evil=1\nX-Forwarded-For: evil\nRevoir-Conn: evil\n\
                     Sec-Fetch-Site: evil\nSec-WebSocket-Key: evil\nConnection: evil\nno field\n: \n";
        add_fields(&mut headers, lines);
        let mut all: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        all.sort();
        let expected = [
            "authorization: Bearer 1",
            "origin: https://a.example",
            "x-app: 2",
            "x-app: 3",
            "x-kept: of the request",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn cookies_of_a_backend_are_lines_of_welcome() {
        let mut headers = HeaderMap::new();
        assert_eq!(cookies(&headers), None);
        headers.append(SET_COOKIE, HeaderValue::from_static("a=1; Path=/"));
        headers.append(SET_COOKIE, HeaderValue::from_static("b=2"));
        let expected = "set-cookie: a=1; Path=/\nset-cookie: b=2";
        assert_eq!(cookies(&headers).as_deref(), Some(expected));
        let long = HeaderValue::from_str(&"x".repeat(COOKIE_BYTES)).unwrap();
        headers.append(SET_COOKIE, long);
        assert_eq!(cookies(&headers), None);
    }
}

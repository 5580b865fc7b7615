//! Opening handshakes: a client becomes a WebSocket as the backend answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use hyper::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{HeaderMap, Request, Response, StatusCode, Uri, Version};
use revoir::server::is_origin_allowed;
use revoir_adapters::{Adapter, Handshake, Protocol};
use revoir_proto::handshake::{self, HandshakeError, Origins, ServerConfig};

use crate::connection::{Connection, Driver, Redialer, Registry, begun};
use crate::front::arrival::taken_over;
use crate::front::auth_hook::{AuthHook, allowed};
use crate::front::headers::{rewrite_request, strip_hop_by_hop};
use crate::front::patience::Patience;
use crate::front::refusal::{broken, crowded, draining, forbidden, full, refusal, unavailable};
use crate::front::settings::Settings;
use crate::front::source::Source;
use crate::front::state::Front;
use crate::proxy_protocol::Header;
use crate::rules::{Mode, Rules};
use crate::treatment::{HeldBy, Treatment};
use crate::upstream::dial::dial;
use crate::upstream::opening::{DialError, Opened, Opening, handshake_headers};
use crate::upstream::{Asking, PathId, Pool, Priority, UpstreamPermit, agreement};
use crate::watch::{Limit, LoggedRequest};

/// The header field that names a connection to the backend, for as long as the client stays.
const CONN: HeaderName = HeaderName::from_static("revoir-conn");

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked_for<B>(request: &Request<B>) -> bool {
    let upgrade = request.headers().get(UPGRADE);
    upgrade.is_some_and(|value| {
        let tokens = value.as_bytes().split(|byte| *byte == b',');
        tokens
            .map(<[u8]>::trim_ascii)
            .any(|token| token.eq_ignore_ascii_case(b"websocket"))
    })
}

/// What the request asks for, if it may be answered by a backend at all: it keeps the rules, comes from a page that may
/// connect, and not in a drain.
///
/// # Errors
///
/// The answer.
#[expect(clippy::result_large_err, reason = "it is answered with at once")]
pub(super) fn asked(
    front: &Front,
    pool: &Pool,
    request: &Request<Body>,
) -> Result<handshake::Request, Response<Body>> {
    if request.version() < Version::HTTP_11 {
        let text = "a WebSocket begins with HTTP/1.1 (RFC 6455 section 4.2.1)";
        return Err(refusal(StatusCode::BAD_REQUEST, text));
    }
    let asked = check(request).map_err(|error| broken(&error))?;
    let registry = &front.registry;
    if !is_origin_allowed(request.headers(), &pool.live().settings.origins) {
        registry.limited(Limit::Origin);
        return Err(forbidden());
    }
    match registry.draining.turn_away(registry.now()) {
        Some(wait) => Err(draining(wait)),
        None => Ok(asked),
    }
}

/// Answers an opening handshake as the backend does.
pub(super) async fn answer(
    front: &Front,
    (pool, auth): (&Arc<Pool>, Option<&AuthHook>),
    (mut request, asked): (Request<Body>, handshake::Request),
    (who, source): (LoggedRequest, Source),
) -> Response<Body> {
    let registry = &front.registry;
    let current = front.current();
    let settings = &current.settings;
    let client_permit = match front.limiter.admit(who.client) {
        Ok(client_permit) => client_permit,
        Err(reason) => {
            registry.limited(reason.limit());
            return full(reason);
        }
    };
    let id = registry.next_id();
    let name = registry.name(id);
    let key = request.headers().get(SEC_WEBSOCKET_KEY);
    let live = pool.live();
    let rules = Arc::clone(&live.settings.rules);
    let mode = rules.mode;
    let mut opening = Opening {
        resource: request.uri().clone(),
        key: key
            .and_then(|key| key.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        subprotocols: asked.subprotocols().to_vec(),
        extensions: agreement::offer(
            mode,
            may_be_seen(&rules, request.uri(), asked.subprotocols()),
            asked.offered_extensions(),
        ),
        headers: forwarded_headers(request.headers(), &source, &name),
        mode,
        affinity: live
            .settings
            .balance
            .affinity(request.uri(), request.headers(), who.client),
        client: match pool.live().settings.connecting.announce {
            Some(_) => source.announced(who.client),
            None => Header::Own,
        },
    };
    let allowed = allowed(auth, &request, &source, &registry.observer);
    let reaching = async {
        // A client that is held was asked about: a re-dial does not ask again.
        allowed.await?.write(&mut opening.headers);
        reach(front, (pool, settings), &rules, &opening).await
    };
    let reached = unless_drained(registry, reaching).await;
    let (mut opened, upstream) = match reached {
        Ok(reached) => reached,
        Err(response) => return response,
    };
    registry.observer.backend_accepted(&who, opened.took);
    let response = switching_protocols(&mut opened);
    let place = (Arc::clone(pool), upstream, client_permit);
    let stands_alone = opened.agreement.stands_alone();
    let (treatment, adapter) = treated(&rules, &opening, &opened, stands_alone);
    let agreed = (opened.agreement.clone(), rules, treatment);
    let connection = Connection::new(registry, id, who, agreed, place);
    let compression = opened.agreement.extensions.is_some();
    let redial = Box::new(Redialer::new(
        Arc::clone(pool),
        settings.handshake_limit,
        name,
        &opening,
        (opened.agreement, treatment),
        &registry.held_bytes,
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
        if let Some((client, early)) = taken_over(upgraded) {
            // It counts for its address until the connection is over.
            let _source = source;
            let driver = Driver::new(connection, (compression, adapter), redial, client, stream);
            driver.run(early, input).await;
        }
    });
    response
}

/// What comes of `answering`, unless a drain begins before.
pub(super) async fn unless_drained<T>(
    registry: &Registry,
    answering: impl Future<Output = Result<T, Response<Body>>>,
) -> Result<T, Response<Body>> {
    let mut draining_begins = registry.draining.listen();
    tokio::select! {
        answer = answering => answer,
        () = begun(Some(&mut draining_begins)) => {
            Err(draining(registry.draining.turn_away(registry.now()).unwrap_or_default()))
        }
    }
}

/// Whether an adapter may look at what comes of a request for this, with one of these subprotocols.
fn may_be_seen(rules: &Rules, resource: &Uri, subprotocols: &[String]) -> bool {
    let chosen = subprotocols.iter().map(|one| Some(&**one));
    let mut chosen = chosen.chain([None]);
    rules.mode == Mode::Auto
        && chosen.any(|subprotocol| rules.protocol.of(&spoken(resource, subprotocol)).is_some())
}

/// How the connection is treated that has opened, and with whose help.
pub(super) fn treated(
    rules: &Rules,
    opening: &Opening,
    opened: &Opened,
    stands_alone: bool,
) -> (Treatment, Option<Box<dyn Adapter>>) {
    let handshake = spoken(&opening.resource, opened.agreement.subprotocol.as_deref());
    let protocol = rules.protocol.of(&handshake);
    let applications = rules.protocol.applications();
    let adapter = |protocol: Protocol| (protocol, protocol.adapter(&handshake, applications));
    let (said, adapter) = match protocol.map(adapter) {
        None => (rules.protocol.unholdable(&handshake).map(Err), None),
        Some((protocol, Ok(adapter))) => (Some(Ok(protocol)), Some(adapter)),
        Some((_, Err(why))) => (Some(Err(why)), None),
    };
    let treatment = Treatment::new(rules.mode, opened.says_hold, said, stands_alone);
    let is_needed = matches!(treatment, Treatment::Hold(HeldBy::Protocol(_)));
    (treatment, adapter.filter(|_| is_needed))
}

/// What an opening handshake tells of the protocol.
fn spoken<'a>(resource: &'a Uri, subprotocol: Option<&'a str>) -> Handshake<'a> {
    Handshake {
        path: resource.path(),
        query: resource.query().unwrap_or_default(),
        subprotocol,
    }
}

/// The backend's acceptance, or the answer for the client. While the backend is away this waits: with
/// a place among those who do, up to the limit, and then for its turn.
pub(super) async fn reach(
    front: &Front,
    (pool, settings): (&Arc<Pool>, &Settings),
    rules: &Rules,
    opening: &Opening,
) -> Result<(Opened, UpstreamPermit), Response<Body>> {
    let mut patience = Patience::new(front, settings, opening.bytes());
    // What a client of SignalR tries first after a loss, and it pauses before it asks for another id.
    let is_of_one_process = || {
        let handshake = spoken(&opening.resource, None);
        opening.subprotocols.is_empty() && rules.protocol.unholdable(&handshake).is_some()
    };
    if pool.has_negotiated.load(Ordering::Relaxed) && is_of_one_process() {
        patience.for_this_one();
    }
    let asking = Asking {
        path: PathId::of(opening.resource.path()),
        priority: Priority::Normal,
        is_new: true,
    };
    loop {
        let permit = patience
            .permit(pool, asking)
            .await
            .ok_or_else(unavailable)?;
        let error = match dial(pool, permit, opening, settings.handshake_limit).await {
            Ok(reached) => return Ok(reached),
            Err(error) => error,
        };
        tracing::debug!(target: "revoir", %error, "the backend was not reached");
        match error {
            DialError::Refused(mut response) => {
                strip_hop_by_hop(response.headers_mut());
                return Err(response.map(Body::new));
            }
            // Nobody knows how long that takes, and who waits takes a file too.
            DialError::Untried(_) => return Err(crowded()),
            // Whoever comes next waits for the backend too.
            DialError::Unreachable(_) => {}
            // Only this one waits.
            DialError::Broken(_) => {
                if !patience.pauses().await {
                    return Err(unavailable());
                }
            }
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

/// The rules of RFC 6455 section 4.2.1.
fn check<B>(request: &Request<B>) -> Result<handshake::Request, HandshakeError> {
    let headers = handshake_headers(request.headers())?;
    let target = request.uri().to_string();
    // Which pages may connect is for the backend to say.
    let mut config = ServerConfig::default();
    config.origins = Origins::Any;
    handshake::Request::from_parts(request.method().as_str(), &target, headers, &config)
}

/// The fields of a client's request that the backend gets, but for those of the handshake.
pub(super) fn forwarded_headers(headers: &HeaderMap, source: &Source, name: &str) -> HeaderMap {
    let mut headers = headers.clone();
    rewrite_request(&mut headers, source);
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
    let mut response = Response::new(Body::empty());
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

//! [`HttpProxy`]: a plain request passes on to the backend, and the answer back.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::header::{HOST, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::front::granted::Granted;
use crate::front::head;
use crate::front::headers::{rewrite_request, strip_hop_by_hop};
use crate::front::lent_body::Lender;
use crate::front::progress::Progress;
use crate::front::refusal::{crowded, malformed, refusal, unavailable};
use crate::front::settings::HttpTimes;
use crate::front::source::Source;
use crate::innermost::innermost;
use crate::proxy_protocol::Header;
use crate::relay::is_there;
use crate::upstream::{
    Affinity, Connector, KeepAlive, Kept, PathId, Pool, Question, Reached, UpstreamPermit,
};

/// An upstream that has answered nobody for so long, while somebody waits, may be frozen.
const DOUBTED_AFTER: Duration = Duration::from_secs(5);

/// Passes plain requests on, over connections that are kept for more of them.
pub(crate) struct HttpProxy(Client<Connector, Body>);

/// Connects to upstreams, as the pool does.
fn connector(pool: &Arc<Pool>, client: Header) -> Connector {
    let pool = Arc::clone(pool);
    Connector::new(move |target| {
        let (pool, client) = (Arc::clone(&pool), client);
        async move { pool.connect(&target, client).await }
    })
}

impl HttpProxy {
    pub(crate) fn new(pool: &Arc<Pool>) -> Self {
        let connector = connector(pool, Header::Own);
        let mut kept = Client::builder(TokioExecutor::new());
        let KeepAlive { connections, time } = pool.live().settings.keep_alive;
        kept.pool_timer(TokioTimer::new())
            .pool_idle_timeout(time)
            .pool_max_idle_per_host(connections);
        Self(kept.build(connector))
    }

    /// For `client` alone: a connection that begins with its PROXY header is for nobody else.
    fn alone(pool: &Arc<Pool>, client: Header) -> Self {
        let connector = connector(pool, client);
        let mut alone = Client::builder(TokioExecutor::new());
        Self(alone.pool_max_idle_per_host(0).build(connector))
    }

    /// Passes a request on, with its body as it comes. It goes to the next upstream as long as
    /// nothing of it was sent; one that may be repeated is tried once more where a connection that
    /// was kept is gone.
    pub(super) async fn pass(
        &self,
        pool: &Arc<Pool>,
        mut request: Request<Body>,
        (source, granted): (Source, Granted),
        (affinity, client): (Option<Affinity>, Header),
        (progress, times): (&Progress, HttpTimes),
    ) -> Response<Body> {
        rewrite_request(request.headers_mut(), &source);
        // Behind what Connection names: a client must not be able to take these away either.
        granted.write(request.headers_mut());
        *request.version_mut() = Version::HTTP_11;
        let has_body = head::has_body(&request);
        let (mut parts, body) = request.into_parts();
        if has_body {
            // It may stay for long, and does not keep what it was read into.
            head::detach(&mut parts);
        }
        let mut may_repeat = !has_body && parts.method.is_safe();
        let lender = Lender::new(body);
        let alone = pool.live().settings.connecting.announce;
        let alone = alone.map(|_| Self::alone(pool, client));
        let upstreams = &alone.as_ref().unwrap_or(self).0;
        let path = PathId::of(parts.uri.path());
        let mut tried = Vec::new();
        let mut is_short = false;
        let pick = |tried: &[UpstreamPermit]| match has_body {
            true => pool.pick_for_body(path, tried, affinity),
            false => pool.pick(path, tried, affinity),
        };
        while let Some(permit) = pick(&tried) {
            let Ok(uri) = permit.target().resource(&parts.uri) else {
                return refusal(StatusCode::BAD_REQUEST, "the request target is invalid");
            };
            let Some(body) = lender.lend() else {
                break;
            };
            let mut request = Request::from_parts(parts.clone(), body);
            if let Ok(host) = HeaderValue::try_from(permit.target().host_field()) {
                // Only HTTP/1.0 leaves it out.
                request.headers_mut().entry(HOST).or_insert(host);
            }
            *request.uri_mut() = uri;
            let asking = upstreams.request(request);
            let waited = (progress, times.response);
            let answered = in_time(asking, (pool, &permit), (&parts, affinity), waited).await;
            let Some(answered) = answered else {
                let text = "the backend does not answer";
                tracing::warn!(target: "revoir", upstream = %permit.name(), "{text}");
                return refusal(StatusCode::GATEWAY_TIMEOUT, text);
            };
            match answered {
                // What follows such an answer is no HTTP, and nobody asked for it.
                Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                    permit.reached();
                    pool.has_answered(permit.upstream());
                    let text = "the backend switched protocols unasked";
                    return refusal(StatusCode::BAD_GATEWAY, text);
                }
                Ok(mut response) => {
                    Kept::answered(response.extensions_mut());
                    permit.reached();
                    if is_there(response.status().as_u16()) {
                        pool.has_answered(permit.upstream());
                    }
                    strip_hop_by_hop(response.headers_mut());
                    // The upstream is busy with it until the body has ended.
                    return response.map(|body| {
                        let body = unless_idle(Body::new(body), times.response_idle);
                        Body::new(body.map_frame(move |frame| {
                            let _busy = &permit;
                            frame
                        }))
                    });
                }
                Err(error) if error.is_connect() => {
                    let reached = permit.not_reached(&error);
                    is_short |= reached == Reached::Untried;
                    pool.tried(&permit, path, reached);
                    tried.push(permit);
                }
                // The backend has closed a connection that was kept, just as the request came.
                Err(error) if may_repeat && is_cut(&error) && Kept::has_failed(&error) => {
                    tracing::debug!(target: "revoir", %error, "a request is tried once more");
                    may_repeat = false;
                    lender.give(Body::empty());
                }
                // That is the client's doing, and is told so.
                Err(_) if progress.is_broken() || progress.is_late() => return malformed(),
                Err(error) => {
                    let (upstream, error) = (permit.name(), innermost(&error));
                    tracing::warn!(target: "revoir", %upstream, %error, "the upstream did not answer");
                    return refusal(StatusCode::BAD_GATEWAY, "the backend did not answer");
                }
            }
        }
        let (mut response, reached) = match is_short {
            true => (crowded(), Reached::Untried),
            false => (unavailable(), Reached::Not),
        };
        // For one who waits: this is no upstream's answer.
        response.extensions_mut().insert(reached);
        response
    }
}

/// What comes of `asking`, if it comes in time. An upstream that answers nobody meanwhile is doubted: soon, or, where
/// a key leads to it, which would lead elsewhere then, only once the time is over.
async fn in_time<F: Future>(
    asking: F,
    (pool, permit): (&Arc<Pool>, &UpstreamPermit),
    (parts, affinity): (&Parts, Option<Affinity>),
    (progress, limit): (&Progress, Duration),
) -> Option<F::Output> {
    let since = pool.now();
    let doubted_after = match affinity {
        None => DOUBTED_AFTER.min(limit),
        Some(_) => limit,
    };
    let mut asking = pin!(asking);
    tokio::select! {
        answered = &mut asking => return Some(answered),
        () = progress.quiet_for(doubted_after) => {}
    }
    let question = Question::new(parts.uri.path(), parts.headers.get(HOST));
    pool.doubts(permit, &question, since);
    tokio::select! {
        answered = asking => Some(answered),
        () = progress.quiet_for(limit) => None,
    }
}

/// The body of an answer, which fails once nothing comes for `limit`; 0: any time.
fn unless_idle(body: Body, limit: Duration) -> Body {
    match limit.is_zero() {
        true => body,
        false => Progress::watch(body, limit).0,
    }
}

/// Whether a connection ended before a byte of an answer.
pub(super) fn is_cut(error: &hyper_util::client::legacy::Error) -> bool {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<hyper::Error>());
    cause.is_some_and(|cause| cause.is_incomplete_message() || cause.is_canceled())
}

impl fmt::Debug for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProxy").finish_non_exhaustive()
    }
}

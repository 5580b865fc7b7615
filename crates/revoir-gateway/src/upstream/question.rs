//! [`Question`]: what a silent upstream is asked, to see whether it goes on.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::time::{sleep, timeout};

use crate::proxy_protocol::Header;
use crate::relay::is_there;
use crate::shortage::Shortage;
use crate::upstream::health::Reached;
use crate::upstream::maybe_tls::MaybeTls;
use crate::upstream::names::is_of_lookup;
use crate::upstream::path_id::PathId;
use crate::upstream::pool::Pool;
use crate::upstream::server::{Upstream, UpstreamPermit};

/// Before another question, where the answer to one said nothing.
const PAUSE: Duration = Duration::from_secs(5);

/// No question waits longer for its answer. Whoever still wants to know asks another one.
const LONGEST: Duration = Duration::from_secs(300);

/// A plain GET of the path that a client had asked for, without anything that tells whose it is: a process
/// that was frozen will find it, and may answer it with whatever it likes (RFC 9110 section 9.2.1).
#[derive(Clone, Debug)]
pub(crate) struct Question {
    path: PathId,
    resource: Uri,
    host: Option<HeaderValue>,
}

impl Question {
    /// About `path`, at `host`.
    pub(crate) fn new(path: &str, host: Option<&HeaderValue>) -> Self {
        Self {
            path: PathId::of(path),
            // It was one.
            resource: path.parse().unwrap_or_default(),
            host: host.cloned(),
        }
    }
}

impl Pool {
    /// A connection to `upstream` has fallen silent. Returns since when that is known.
    pub(crate) fn falls_silent(&self, upstream: &Upstream, question: &Question) -> Duration {
        let now = self.now();
        let counts = self.live().settings.away;
        let mut health = upstream.health();
        health.falls_silent(now, question.path, counts);
        now
    }

    /// Waits until `upstream` was heard of since then: it has answered somebody, or cannot be reached.
    pub(crate) async fn hear_of(
        self: &Arc<Self>,
        upstream: &Arc<Upstream>,
        question: &Question,
        since: Duration,
    ) {
        loop {
            self.ask(upstream, question);
            if timeout(PAUSE, upstream.heard_since(since)).await.is_ok() {
                return;
            }
        }
    }

    /// Somebody has waited for long since then for the upstream of `permit`. If nobody has had an answer meanwhile, it
    /// is asked how it is, and newcomers go elsewhere; where there is nothing else, that would change nothing.
    pub(crate) fn doubts(
        self: &Arc<Self>,
        permit: &UpstreamPermit,
        question: &Question,
        since: Duration,
    ) {
        let upstream = permit.upstream();
        if self.has_several() && !upstream.was_heard_of(since) {
            upstream.health().is_doubted_since(self.now());
            self.ask(upstream, question);
        }
    }

    /// Has `upstream` asked, unless it is: one question is enough for all who want to know, and does not end
    /// with who has begun it.
    pub(crate) fn ask(self: &Arc<Self>, upstream: &Arc<Upstream>, question: &Question) {
        if upstream.is_asked.swap(true, Ordering::SeqCst) {
            return;
        }
        let (pool, upstream, question) = (Arc::clone(self), Arc::clone(upstream), question.clone());
        tokio::spawn(async move {
            let since = pool.now();
            tokio::select! {
                () = pool.keep_asking(&upstream, &question) => {}
                () = upstream.heard_since(since) => {}
                () = sleep(LONGEST) => {}
            }
            upstream.is_asked.store(false, Ordering::SeqCst);
        });
    }

    async fn keep_asking(&self, upstream: &Arc<Upstream>, question: &Question) {
        loop {
            let permit = UpstreamPermit::new(upstream);
            match self.answer_to(&permit, question).await {
                reached @ (Reached::Well | Reached::Not) => {
                    self.tried(&permit, question.path, reached);
                    return;
                }
                Reached::Badly | Reached::Silent | Reached::Untried => {
                    drop(permit);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Waits for the answer, whatever that is: how long it takes is the question.
    async fn answer_to(&self, permit: &UpstreamPermit, question: &Question) -> Reached {
        let target = permit.target();
        let live = self.live();
        let connecting = live.settings.connecting;
        let reaching = async || {
            let reached = connecting.reach((target, &self.names), Header::Own).await;
            reached.map_err(|error| match is_of_lookup(&error) {
                true => Reached::Untried,
                false => permit.not_reached(&error),
            })
        };
        let socket = match reaching().await {
            Ok(socket) => socket,
            Err(reached) => return reached,
        };
        let stream = MaybeTls::over(socket, target, live.tls(target)).await;
        let answer = match stream {
            Ok(stream) => answer(stream, question.resource.clone(), question.host.clone()).await,
            Err(error) if Shortage::of(&error).is_some() => return Reached::Untried,
            Err(error) => Err(error.to_string()),
        };
        match answer {
            Ok(answer) => {
                permit.reached();
                match is_there(answer.status().as_u16()) {
                    true => Reached::Well,
                    // Somebody before it says so, who knows no better.
                    false => Reached::Badly,
                }
            }
            // It need not speak HTTP as this does: it does something, unless it was ended.
            Err(_) if !permit.upstream().health().says_nothing() => Reached::Well,
            Err(_) => match reaching().await {
                Ok(_) => Reached::Well,
                Err(reached) => reached,
            },
        }
    }
}

/// The head of the answer to a plain GET of `resource`.
pub(super) async fn answer(
    stream: MaybeTls,
    resource: Uri,
    host: Option<HeaderValue>,
) -> Result<Response<Incoming>, String> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = resource;
    let headers = request.headers_mut();
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
    headers.insert(USER_AGENT, HeaderValue::from_static("revoir"));
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
    let mut asking = pin!(sender.send_request(request));
    tokio::select! {
        answer = &mut asking => answer.map_err(|error| error.to_string()),
        // The answer may have come with the end: many servers close behind it.
        ended = connection => match (asking.await, ended) {
            (Ok(answer), _) => Ok(answer),
            (Err(_), Err(error)) => Err(error.to_string()),
            (Err(_), Ok(())) => Err("no answer".to_owned()),
        },
    }
}

//! [`AuthHook`]: who is asked whether a request may pass, before anything of it goes to a backend.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::BoxError;
use axum::body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{
    CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response, Uri};
use hyper_util::client::legacy::Client;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::front::granted::Granted;
use crate::front::headers::{is_twin_of, rewrite_request, strip_hop_by_hop};
use crate::front::plain::is_cut;
use crate::front::refusal::undecided;
use crate::front::source::Source;
use crate::shortage::Shortage;
use crate::upstream::{Connector, Kept, NameTimes, UpstreamTls, chain};
use crate::watch::{AuthFailure, Observer};

/// The most of an answer's body that a client is given.
const BODY_BYTES: usize = 64 * 1024;

/// What is asked about, as nginx's `auth_request` is usually told it, and as Traefik tells it.
static ASKED_URI: [HeaderName; 2] = [
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-forwarded-uri"),
];
static ASKED_METHOD: [HeaderName; 2] = [
    HeaderName::from_static("x-original-method"),
    HeaderName::from_static("x-forwarded-method"),
];

/// Fields of a request that say nothing to the hook: it gets no body and becomes no WebSocket.
static LEFT_OUT: [HeaderName; 6] = [
    HOST,
    CONTENT_LENGTH,
    EXPECT,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION,
    SEC_WEBSOCKET_EXTENSIONS,
];

/// Who is asked whether the requests of a route may pass, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthSettings {
    /// What is asked for, over `http` or `https`.
    pub uri: Uri,
    /// Fields of a 2xx answer that go on to the backend. Nobody else can set them.
    pub fields: Vec<HeaderName>,
    /// For the answer, with the time in which others are asked about.
    pub limit: Duration,
    /// How many requests are asked about at a time.
    pub at_once: usize,
    /// For `https`.
    pub trust: Option<UpstreamTls>,
    /// How long the addresses of its name hold.
    pub names: NameTimes,
}

/// Asks over connections that are kept.
pub(super) struct AuthHook {
    settings: AuthSettings,
    /// Without its query, which may hold a secret.
    name: Box<str>,
    route: Arc<str>,
    client: Client<Connector, Body>,
    room: Semaphore,
}

/// What is asked of one request.
pub(super) struct HookRequest(Parts);

/// Asks `hook` whether `request` may pass. Without a hook, everything may.
///
/// # Errors
///
/// The answer for the client: that of the hook, or 503.
pub(super) fn allowed<'hook>(
    hook: Option<&'hook AuthHook>,
    request: &Request<Body>,
    source: &Source,
    observer: &Arc<dyn Observer>,
) -> impl Future<Output = Result<Granted, Response<Body>>> + use<'hook> {
    // A body cannot be looked at by two threads: what is asked is written before anybody waits.
    let asking = hook.map(|hook| (hook, hook.question(request, source), Arc::clone(observer)));
    async move {
        match asking {
            Some((hook, question, observer)) => hook.ask(question, &*observer).await,
            None => Ok(Granted::default()),
        }
    }
}

impl AuthHook {
    /// `route`: whose hook it is.
    pub(super) fn new(settings: &AuthSettings, route: &Arc<str>) -> Self {
        let trust = settings.trust.as_ref();
        let kept = settings.at_once;
        let client = Connector::client_of_service(settings.limit, settings.names, trust, kept);
        let uri = &settings.uri;
        let (scheme, place) = (uri.scheme_str(), uri.authority());
        let place = place.map_or("", |place| place.as_str());
        Self {
            name: format!("{}://{place}{}", scheme.unwrap_or_default(), uri.path()).into(),
            route: Arc::clone(route),
            room: Semaphore::new(settings.at_once.min(Semaphore::MAX_PERMITS)),
            client,
            settings: settings.clone(),
        }
    }

    /// What the hook is asked of `request`: all of its fields with where it comes from, its method
    /// and its target.
    pub(super) fn question<B>(&self, request: &Request<B>, source: &Source) -> HookRequest {
        let mut question = Request::new(());
        *question.method_mut() = Method::GET;
        *question.uri_mut() = self.settings.uri.clone();
        let headers = question.headers_mut();
        headers.clone_from(request.headers());
        rewrite_request(headers, source);
        let is_left_out = |name: &HeaderName| {
            let mut ours = LEFT_OUT.iter().chain(&ASKED_URI).chain(&ASKED_METHOD);
            ours.any(|own| is_twin_of(name, own)) || name.as_str().starts_with("content-")
        };
        let left_out: Vec<_> = headers
            .keys()
            .filter(|name| is_left_out(name))
            .cloned()
            .collect();
        for name in left_out {
            headers.remove(name);
        }
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let method = request.method().as_str();
        for (names, value) in [(&ASKED_URI, target), (&ASKED_METHOD, method)] {
            // A target and a method have no character that a field may not have.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                for name in names {
                    headers.insert(name.clone(), value.clone());
                }
            }
        }
        HookRequest(question.into_parts().0)
    }

    /// The fields of a question.
    #[cfg(fuzzing)]
    pub(super) fn asked<B>(&self, request: &Request<B>, source: &Source) -> HeaderMap {
        self.question(request, source).0.headers
    }

    /// Asks. Whoever does not answer in time lets nobody through.
    ///
    /// # Errors
    ///
    /// The answer for the client: that of the hook, or 503.
    pub(super) async fn ask(
        &self,
        question: HookRequest,
        observer: &dyn Observer,
    ) -> Result<Granted, Response<Body>> {
        let begin = Instant::now();
        let deadline = begin + self.settings.limit;
        // It is never closed.
        let room = timeout_at(deadline, self.room.acquire()).await;
        let had_to_wait = begin.elapsed();
        let why = match room {
            Ok(Ok(room)) => {
                let asking = Box::pin(async { self.verdict(self.send(question).await?).await });
                let answered = timeout_at(deadline, asking).await;
                drop(room);
                match answered {
                    Ok(Ok(verdict)) => return verdict,
                    Ok(Err(error)) => self.cannot_be_asked(&*error),
                    // What was left for the answer was little.
                    Err(_) if had_to_wait > self.settings.limit / 2 => self.was_busy(),
                    Err(_) => self.was_late(),
                }
            }
            Ok(Err(_)) | Err(_) => self.was_busy(),
        };
        observer.auth_failed(&self.route, why);
        Err(undecided())
    }

    fn was_busy(&self) -> AuthFailure {
        tracing::warn!(
            target: "revoir",
            hook = &*self.name,
            route = &*self.route,
            concurrent = self.settings.at_once,
            "a request waited in vain for its turn to be asked about: the auth hook is slow, or \
             route.auth.concurrent too small"
        );
        AuthFailure::Busy
    }

    fn was_late(&self) -> AuthFailure {
        let (hook, route) = (&*self.name, &*self.route);
        let text = "the auth hook does not answer within route.auth.time";
        tracing::warn!(target: "revoir", hook, route, "{text}");
        AuthFailure::Late
    }

    fn cannot_be_asked(&self, error: &(dyn Error + 'static)) -> AuthFailure {
        if let Some(shortage) = Shortage::of(error) {
            shortage.tell_of_dial("an auth hook", error);
        } else {
            let (hook, route, error) = (&*self.name, &*self.route, chain(error));
            tracing::warn!(target: "revoir", hook, route, error, "the auth hook cannot be asked");
        }
        AuthFailure::Broken
    }

    async fn send(&self, question: HookRequest) -> Result<Response<Incoming>, BoxError> {
        let request = || Request::from_parts(question.0.clone(), Body::empty());
        let mut answered = match self.client.request(request()).await {
            // The hook has closed a connection that was kept, just as the question came.
            Err(error) if is_cut(&error) && Kept::has_failed(&error) => {
                self.client.request(request()).await?
            }
            answered => answered?,
        };
        Kept::answered(answered.extensions_mut());
        Ok(answered)
    }

    async fn verdict(
        &self,
        response: Response<Incoming>,
    ) -> Result<Result<Granted, Response<Body>>, BoxError> {
        let (mut parts, body) = response.into_parts();
        if parts.status.is_informational() {
            return Err("it switched protocols unasked".into());
        }
        let body = Limited::new(body, BODY_BYTES).collect().await;
        if parts.status.is_success() {
            let names = self.settings.fields.clone();
            let mut fields = HeaderMap::new();
            for name in &names {
                for value in parts.headers.get_all(name) {
                    fields.append(name, value.clone());
                }
            }
            return Ok(Ok(Granted { names, fields }));
        }
        strip_hop_by_hop(&mut parts.headers);
        parts.headers.remove(CONTENT_LENGTH);
        let body = match body {
            Ok(body) => Body::from(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Body::empty(),
            Err(error) => return Err(error),
        };
        Ok(Err(Response::from_parts(parts, body)))
    }
}

impl fmt::Debug for AuthHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthHook")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::net::{Peer, Peers};

    fn hook() -> AuthHook {
        let settings = AuthSettings {
            uri: Uri::from_static("http://hook.example/ask"),
            fields: vec![HeaderName::from_static("x-user")],
            limit: Duration::from_secs(1),
            at_once: 1,
            trust: None,
            names: NameTimes::default(),
        };
        AuthHook::new(&settings, &"/".into())
    }

    #[test]
    fn a_question_has_the_fields_of_the_request_and_where_it_comes_from() {
        let request = Request::post("/x/%2e./y?token=1")
            .header("Host", "chat.example")
            .header("Cookie", "session=1")
            .header("Authorization", "Bearer x")
            .header("Sec-WebSocket-Protocol", "token.1")
            .header("Sec-WebSocket-Key", "1")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Content-Length", "5")
            .header("Content-Type", "text/plain")
            .header("Expect", "100-continue")
            .header("X-Original-URI", "/public")
            .header("X_Original_URI", "/public")
            .header("X-Forwarded-Uri", "/public")
            .header("X-Original_Method", "GET")
            .body(())
            .unwrap();
        let peer = Peer::Tcp((Ipv4Addr::LOCALHOST, 1).into());
        let source = Source::new(peer, true, &Peers::default());
        let HookRequest(asked) = hook().question(&request, &source);
        assert_eq!(
            (asked.method, asked.uri),
            (Method::GET, hook().settings.uri)
        );
        let mut fields: Vec<_> = asked.headers.iter().collect();
        fields.sort_by_key(|(name, _)| name.as_str());
        let fields: Vec<_> = fields
            .into_iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        let expected = [
            "authorization: Bearer x",
            "cookie: session=1",
            "forwarded: for=127.0.0.1;proto=https;host=\"chat.example\"",
            "sec-websocket-protocol: token.1",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: chat.example",
            "x-forwarded-method: POST",
            "x-forwarded-proto: https",
            "x-forwarded-uri: /x/%2e./y?token=1",
            "x-original-method: POST",
            "x-original-uri: /x/%2e./y?token=1",
        ];
        assert_eq!(fields, expected);
    }
}

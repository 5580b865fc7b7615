//! From a request to an open connection to the backend.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use revoir_proto::handshake::{HandshakeError, Headers, check_switching_protocols};
use tokio::time::{Instant, timeout};

use crate::relay::is_there;
use crate::rules::Mode;
use crate::upstream::agreement;
use crate::upstream::agreement::Agreement;
use crate::upstream::pool::{DialPermit, Pool};
use crate::upstream::rendezvous::Affinity;
use crate::upstream::server::UpstreamPermit;
use crate::upstream::target::Target;
use crate::upstream::tcp_or_tls::TcpOrTls;

/// For TCP and TLS with one upstream, so that there is time for another.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// What the backend is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) resource: Uri,
    /// All fields but those of the handshake.
    pub(crate) headers: HeaderMap,
    pub(crate) key: String,
    pub(crate) subprotocols: Vec<String>,
    pub(crate) extensions: Option<String>,
    /// Where the client belongs.
    pub(crate) affinity: Option<Affinity>,
}

/// How the backend answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Opened(Box<Opened>),
    /// Another status than 101.
    Refused(Response<Incoming>),
}

/// An open connection to the backend.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) stream: TcpOrTls,
    /// What came behind the answer.
    pub(crate) input: Bytes,
    pub(crate) agreement: Agreement,
    /// The fields of the answer.
    pub(crate) headers: HeaderMap,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum DialError {
    /// No TCP connection, or it broke.
    Unreachable(io::Error),
    /// It took too long.
    Silent,
    /// The answer breaks a rule of HTTP or of the opening handshake.
    Invalid(String),
}

impl std::fmt::Display for DialError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "the backend cannot be reached: {error}"),
            Self::Silent => f.write_str("the backend does not answer"),
            Self::Invalid(error) => write!(f, "the backend's handshake is invalid: {error}"),
        }
    }
}

/// Uses `permit` to open a connection to an upstream of `pool`, within `limit`. One that cannot be
/// reached leaves it to the next. What came of it is reported.
pub(crate) async fn dial(
    pool: &Pool,
    permit: DialPermit,
    opening: &Opening,
    limit: Duration,
) -> Result<(Answer, UpstreamPermit), DialError> {
    let deadline = Instant::now() + limit;
    let mut tried = Vec::new();
    let mut error = DialError::Silent;
    while let Some(upstream) = pool.pick(&tried, opening.affinity) {
        let left = deadline.saturating_duration_since(Instant::now());
        let attempt = Box::pin(attempt(pool, upstream.target(), opening));
        let answer = timeout(left, attempt).await;
        let answer = answer.unwrap_or(Err(DialError::Silent));
        let has_accepted = match &answer {
            Ok(Answer::Opened(_)) => true,
            Ok(Answer::Refused(response)) => is_there(response.status().as_u16()),
            Err(_) => false,
        };
        tell(&upstream, answer.as_ref().err());
        let is_up = pool.tried(&upstream, has_accepted);
        match answer {
            Err(DialError::Unreachable(unreachable)) => {
                error = DialError::Unreachable(unreachable);
                tried.push(upstream);
            }
            answer => {
                permit.report(is_up);
                return answer.map(|answer| (answer, upstream));
            }
        }
    }
    permit.report(false);
    Err(error)
}

/// Tells the log how an upstream was found.
fn tell(upstream: &UpstreamPermit, error: Option<&DialError>) {
    match error {
        Some(DialError::Unreachable(error)) => return upstream.lost(error),
        Some(error @ (DialError::Silent | DialError::Invalid(_))) => {
            let upstream = upstream.name();
            tracing::warn!(target: "revoir", %upstream, "{error}");
        }
        None => {}
    }
    upstream.reached();
}

async fn attempt(pool: &Pool, target: &Target, opening: &Opening) -> Result<Answer, DialError> {
    let since = Instant::now();
    let mode = pool.settings.rules.mode;
    let stream = match timeout(CONNECT_LIMIT, pool.connect(target)).await {
        Ok(Ok(stream)) => stream,
        // It is there, and cannot be trusted.
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(DialError::Invalid(format!("TLS: {error}")));
        }
        Ok(Err(error)) => return Err(DialError::Unreachable(error)),
        Err(_) => return Err(DialError::Unreachable(io::ErrorKind::TimedOut.into())),
    };
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| broken(&error))?;
    // It ends with the answer: the stream is taken over, or the body of a refusal is read.
    tokio::spawn(connection.with_upgrades());
    let mut response = sender
        .send_request(opening.request())
        .await
        .map_err(|error| broken(&error))?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Answer::Refused(response));
    }
    let agreement = check(response.headers(), mode, opening)
        .map_err(|error| DialError::Invalid(error.to_string()))?;
    let upgraded = hyper::upgrade::on(&mut response).await;
    let upgraded = upgraded.map_err(|error| broken(&error))?;
    let parts = upgraded
        .downcast::<TokioIo<TcpOrTls>>()
        .map_err(|_| DialError::Invalid("the stream is another one".to_owned()))?;
    Ok(Answer::Opened(Box::new(Opened {
        stream: parts.io.into_inner(),
        input: parts.read_buf,
        agreement,
        headers: std::mem::take(response.headers_mut()),
        took: since.elapsed(),
    })))
}

/// What a failed exchange means: the connection broke, or its bytes are no HTTP.
fn broken(error: &hyper::Error) -> DialError {
    match error.is_parse() || error.is_parse_too_large() {
        true => DialError::Invalid(error.to_string()),
        false => DialError::Unreachable(io::Error::other(error.to_string())),
    }
}

impl Opening {
    fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = self.resource.clone();
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let subprotocols = self.subprotocols.join(", ");
        let subprotocols = (!subprotocols.is_empty()).then_some(subprotocols);
        for (name, value) in [
            (SEC_WEBSOCKET_KEY, Some(&self.key)),
            (SEC_WEBSOCKET_PROTOCOL, subprotocols.as_ref()),
            (SEC_WEBSOCKET_EXTENSIONS, self.extensions.as_ref()),
        ] {
            // All three come from a request that was checked.
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.insert(name, value);
            }
        }
        request
    }
}

/// What a 101 agrees on, if it breaks no rule.
fn check(headers: &HeaderMap, mode: Mode, opening: &Opening) -> Result<Agreement, HandshakeError> {
    let offered = opening.extensions.as_deref();
    let (subprotocol, extensions) = check_switching_protocols(
        &handshake_headers(headers)?,
        &opening.key,
        &opening.subprotocols,
        |answer| agreement::accept(mode, offered, answer),
    )?;
    Ok(Agreement {
        subprotocol: subprotocol.map(Into::into),
        extensions: extensions.map(Into::into),
    })
}

/// The same fields, for the rules of the opening handshake.
pub(crate) fn handshake_headers(headers: &HeaderMap) -> Result<Headers, HandshakeError> {
    let part = "header";
    let mut fields = Headers::new();
    for (name, value) in headers {
        let pushed = fields.push(name.as_str(), value.as_bytes());
        pushed.map_err(|_| HandshakeError::MalformedHead { part })?;
    }
    Ok(fields)
}

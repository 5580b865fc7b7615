//! [`Opening`]: what a backend is asked for, one attempt at that, and what comes of it.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{
    CONNECTION, HOST, HeaderName, HeaderValue, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use revoir_proto::handshake::{HandshakeError, Headers, check_switching_protocols};
use tokio::time::Instant;

use crate::proxy_protocol::Header;
use crate::relay::is_there;
use crate::rules::Mode;
use crate::shortage::Shortage;
use crate::upstream::agreement;
use crate::upstream::agreement::Agreement;
use crate::upstream::health::Reached;
use crate::upstream::maybe_tls::MaybeTls;
use crate::upstream::pool::Pool;
use crate::upstream::question::Question;
use crate::upstream::rendezvous::Affinity;
use crate::upstream::target::Target;

/// The header field in which a backend says whether its client may be held: `yes` or `no`.
const HOLD: HeaderName = HeaderName::from_static("revoir-hold");

/// What the backend is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) resource: Uri,
    /// All fields but those of the handshake.
    pub(crate) headers: HeaderMap,
    pub(crate) key: String,
    pub(crate) subprotocols: Vec<String>,
    pub(crate) extensions: Option<String>,
    /// How the connection is treated that comes of it.
    pub(crate) mode: Mode,
    /// Where the client belongs.
    pub(crate) affinity: Option<Affinity>,
    /// Whom a PROXY header names.
    pub(crate) client: Header,
}

/// An open connection to the backend.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) stream: MaybeTls,
    /// What came behind the answer.
    pub(crate) input: Bytes,
    pub(crate) agreement: Agreement,
    /// Whether its client may be held, if it said that.
    pub(crate) says_hold: Option<bool>,
    /// The other fields of the answer.
    pub(crate) headers: HeaderMap,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum DialError {
    /// Another status than 101.
    Refused(Response<Incoming>),
    /// There is no connection to any upstream.
    Unreachable(io::Error),
    /// None could be tried, for want of something here.
    Untried(io::Error),
    /// It broke before an answer.
    Broken(io::Error),
    /// It took too long.
    Silent,
    /// The answer breaks a rule of HTTP or of the opening handshake.
    Invalid(String),
}

impl std::fmt::Display for DialError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(response) => write!(f, "the backend answered {}", response.status()),
            Self::Unreachable(error) => write!(f, "the backend cannot be reached: {error}"),
            Self::Untried(error) => write!(f, "no connection can be made: {error}"),
            Self::Broken(error) => write!(f, "the backend broke off: {error}"),
            Self::Silent => f.write_str("the backend does not answer"),
            Self::Invalid(error) => write!(f, "the backend's handshake is invalid: {error}"),
        }
    }
}

impl DialError {
    /// What it says of the upstream.
    pub(super) fn reached(&self) -> Reached {
        match self {
            Self::Refused(response) if is_there(response.status().as_u16()) => Reached::Well,
            Self::Refused(_) | Self::Broken(_) | Self::Invalid(_) => Reached::Badly,
            Self::Silent => Reached::Silent,
            Self::Unreachable(_) => Reached::Not,
            Self::Untried(_) => Reached::Untried,
        }
    }

    /// Of several upstreams, one that answered says more than one that is not there.
    pub(super) const fn weight(&self) -> u8 {
        match self {
            Self::Unreachable(_) | Self::Untried(_) => 0,
            Self::Broken(_) => 1,
            Self::Refused(_) | Self::Silent | Self::Invalid(_) => 2,
        }
    }
}

pub(super) async fn attempt(
    pool: &Pool,
    target: &Target,
    opening: &Opening,
) -> Result<Opened, DialError> {
    let since = Instant::now();
    // In a box, which is gone while the answer is waited for.
    let connected = Box::pin(pool.connect(target, opening.client)).await;
    let stream = match connected {
        Ok(stream) => stream,
        // It is there, and cannot be trusted.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(DialError::Invalid(format!("TLS: {error}")));
        }
        Err(error) if Shortage::of(&error).is_some() => return Err(DialError::Untried(error)),
        Err(error) => return Err(DialError::Unreachable(error)),
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
        return Err(DialError::Refused(response));
    }
    let agreement = check(response.headers(), opening)
        .map_err(|error| DialError::Invalid(error.to_string()))?;
    let upgraded = hyper::upgrade::on(&mut response).await;
    let upgraded = upgraded.map_err(|error| broken(&error))?;
    let parts = upgraded
        .downcast::<TokioIo<MaybeTls>>()
        .map_err(|_| DialError::Invalid("the stream is another one".to_owned()))?;
    let mut headers = std::mem::take(response.headers_mut());
    Ok(Opened {
        says_hold: take_hold(&mut headers),
        stream: parts.io.into_inner(),
        input: parts.read_buf,
        agreement,
        headers,
        took: since.elapsed(),
    })
}

/// Takes out what a backend says of a hold: whether its client may be exchanged for another connection
/// without knowing. The client is not told.
fn take_hold(headers: &mut HeaderMap) -> Option<bool> {
    let said = headers.remove(HOLD)?;
    match said.to_str().ok()?.trim() {
        yes if yes.eq_ignore_ascii_case("yes") => Some(true),
        no if no.eq_ignore_ascii_case("no") => Some(false),
        _ => None,
    }
}

/// What a failed exchange means: the connection broke, or its bytes are no HTTP.
fn broken(error: &hyper::Error) -> DialError {
    match error.is_parse() || error.is_parse_too_large() {
        true => DialError::Invalid(error.to_string()),
        false => DialError::Broken(io::Error::other(error.to_string())),
    }
}

impl Opening {
    /// What an upstream is asked to see whether it goes on.
    pub(crate) fn question(&self) -> Question {
        Question::new(self.resource.path(), self.headers.get(HOST))
    }

    /// About what it takes up.
    pub(crate) fn bytes(&self) -> usize {
        let fields = self.headers.iter();
        let fields = fields.map(|(name, value)| name.as_str().len() + value.len());
        self.resource.path().len() + fields.sum::<usize>()
    }

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
fn check(headers: &HeaderMap, opening: &Opening) -> Result<Agreement, HandshakeError> {
    let offered = opening.extensions.as_deref();
    let (subprotocol, extensions) = check_switching_protocols(
        &handshake_headers(headers)?,
        &opening.key,
        &opening.subprotocols,
        |answer| agreement::accept(opening.mode, offered, answer),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::settings::PoolSettings;

    /// Up to a thousand are under way at once, where a backend accepts faster than it answers.
    #[tokio::test]
    async fn an_attempt_takes_little_memory_beside_its_connection() {
        let target = Target::parse("ws://127.0.0.1:9").unwrap();
        let pool = Pool::new(PoolSettings::new(target.clone()), Instant::now());
        let opening = Opening {
            resource: "/chat".parse().unwrap(),
            headers: HeaderMap::new(),
            key: String::new(),
            subprotocols: Vec::new(),
            extensions: None,
            mode: Mode::Hold,
            affinity: None,
            client: Header::Own,
        };
        let attempt = attempt(&pool, &target, &opening);
        let connecting = pool.connect(&target, Header::Own);
        let sizes = [size_of_val(&attempt), size_of_val(&connecting)];
        assert!(sizes[0] <= 512 && sizes[1] <= 1280, "{sizes:?}");
    }
}

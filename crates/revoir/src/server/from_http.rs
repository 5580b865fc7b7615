//! [`Incoming`] from requests that an HTTP server has read.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use http::{HeaderMap, Method, Request as HttpRequest, Response, Uri, Version};
use revoir_proto::handshake::{HandshakeError, Headers, Request};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::server::acceptor::Acceptor;
use crate::server::answer;
use crate::server::handshake::ending_of;
use crate::server::incoming::{Host, Incoming, Undecided, Upgraded, known, rejected};
use crate::server::opening::Stream;
use crate::server::origin;
use crate::server::settings::Settings;
use crate::server::visit::{Visit, nameless};
use crate::span::next_id;

/// What an HTTP server has read.
pub(super) struct RequestHead<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) version: Version,
    pub(super) headers: &'a HeaderMap,
}

impl<'a, B> From<&'a HttpRequest<B>> for RequestHead<'a> {
    fn from(request: &'a HttpRequest<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
        }
    }
}

impl Incoming {
    /// Checks a request that an HTTP server has read, against the rules and against `acceptor`.
    /// `peer` is where the client connects from, if that is known. `upgraded` waits until that
    /// server has written the answer of [`run`](Self::run), and gives the stream, with what was read
    /// beyond the request.
    ///
    /// The acceptor's [tracker](crate::Acceptor::tracker) drains the connections, which HTTP servers
    /// forget. Only HTTP/1.1 can be upgraded; extended CONNECT of HTTP/2 (RFC 8441) is not supported.
    /// Small writes leave at once only if the HTTP server sets `TCP_NODELAY`. The time limit of the
    /// request is that of the HTTP server.
    ///
    /// # Errors
    ///
    /// The answer: the broken rule, an origin that is not allowed, or no place. The ending is told
    /// to the observer.
    #[expect(
        clippy::result_large_err,
        reason = "both are given to the HTTP server at once"
    )]
    pub fn from_http<B, U, S>(
        acceptor: &Acceptor,
        request: &HttpRequest<B>,
        peer: Option<SocketAddr>,
        upgraded: U,
    ) -> Result<Self, Response<String>>
    where
        U: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self::check(acceptor, &request.into(), Some(erase(upgraded)), peer)
    }

    /// `upgraded` is missing where the HTTP server cannot hand the stream over.
    #[expect(clippy::result_large_err, reason = "as above")]
    pub(super) fn check(
        acceptor: &Acceptor,
        asked: &RequestHead<'_>,
        upgraded: Option<Upgraded>,
        peer: Option<SocketAddr>,
    ) -> Result<Self, Response<String>> {
        let settings = acceptor.settings();
        let Visit {
            id,
            peer,
            seat,
            span,
            ..
        } = match acceptor.admit(peer) {
            Ok(visit) => visit,
            Err(refusal) => {
                let detail = format!("answered with HTTP {}", refusal.status);
                settings.announce(&nameless(next_id(), peer), rejected(detail));
                return Err(answer::refusal(refusal));
            }
        };
        let checked = asked.check(settings).and_then(|request| {
            let missing = HandshakeError::UpgradeMissing { got: None };
            Ok((request, upgraded.ok_or(missing)?))
        });
        match checked {
            Ok((request, upgraded)) => Ok(Self::new(Undecided {
                known: known(&request, id, peer, None),
                request,
                uri: asked.uri.clone(),
                headers: OnceLock::from(asked.headers.clone()),
                answer: HeaderMap::new(),
                settings: Arc::clone(settings),
                span,
                host: Host::HttpServer { upgraded, seat },
            })),
            Err(error) => {
                let response = answer::rule(&error);
                span.in_scope(|| settings.announce(&nameless(id, peer), ending_of(error)));
                Err(response)
            }
        }
    }
}

pub(super) fn erase<U, S>(upgraded: U) -> Upgraded
where
    U: Future<Output = io::Result<S>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Mutex::new(Box::pin(async {
        let stream: Box<dyn Stream> = Box::new(upgraded.await?);
        Ok(stream)
    }))
}

impl RequestHead<'_> {
    fn check(&self, settings: &Settings) -> Result<Request, HandshakeError> {
        if self.version != Version::HTTP_11 {
            let got = format!("{:?}", self.version);
            return Err(HandshakeError::HttpVersion { got });
        }
        let (method, target) = (self.method.as_str(), self.uri.to_string());
        let headers = Headers::from(self.headers);
        let request = Request::from_parts(method, &target, headers, &settings.handshake)?;
        origin::check(&request, &settings.origins)?;
        Ok(request)
    }
}

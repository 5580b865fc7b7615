//! HttpProxy HTTP: a request passes on to the backend, and the answer back.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tower_service::Service;

use crate::front::headers::{rewrite_request, strip_hop_by_hop};
use crate::front::refusal::{refusal, unavailable};
use crate::front::source::Source;
use crate::upstream::{Pool, Target, TcpOrTls};

/// Passes plain requests on, over connections that are kept for more of them.
pub(crate) struct HttpProxy(Client<Connector, Body>);

impl HttpProxy {
    pub(crate) fn new(pool: &Arc<Pool>) -> Self {
        let connector = Connector(Arc::clone(pool));
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    /// Passes a request on, with its body as it comes. One without a body goes to the next upstream
    /// if the first cannot be reached.
    pub(super) async fn pass(
        &self,
        pool: &Pool,
        mut request: Request<Body>,
        source: Source,
    ) -> Response<Body> {
        rewrite_request(request.headers_mut(), source);
        *request.version_mut() = Version::HTTP_11;
        let (parts, body) = request.into_parts();
        let is_repeatable = body.is_end_stream();
        let mut body = Some(body);
        let mut tried = Vec::new();
        while let Some(permit) = pool.pick(&tried) {
            let Ok(uri) = permit.target().resource(&parts.uri) else {
                return refusal(StatusCode::BAD_REQUEST, "the request target is invalid");
            };
            let body = body.take().unwrap_or_default();
            let mut request = Request::from_parts(parts.clone(), body);
            *request.uri_mut() = uri;
            match self.0.request(request).await {
                // What follows such an answer is no HTTP, and nobody asked for it.
                Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                    pool.tried(&permit, true);
                    let text = "the backend switched protocols unasked";
                    return refusal(StatusCode::BAD_GATEWAY, text);
                }
                Ok(mut response) => {
                    pool.tried(&permit, true);
                    strip_hop_by_hop(response.headers_mut());
                    // The upstream is busy with it until the body has ended.
                    return response.map(|body| {
                        Body::new(body.map_frame(move |frame| {
                            let _busy = &permit;
                            frame
                        }))
                    });
                }
                Err(error) if error.is_connect() => {
                    tracing::debug!(target: "revoir", %error, "the backend was not reached");
                    pool.tried(&permit, false);
                    if !is_repeatable {
                        break;
                    }
                    tried.push(permit);
                }
                Err(error) => {
                    tracing::debug!(target: "revoir", %error, "the backend did not answer");
                    return refusal(StatusCode::BAD_GATEWAY, "the backend did not answer");
                }
            }
        }
        unavailable()
    }
}

impl fmt::Debug for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProxy").finish_non_exhaustive()
    }
}

/// Connects to upstreams, as the pool does.
#[derive(Clone)]
struct Connector(Arc<Pool>);

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpOrTls>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpOrTls>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let pool = Arc::clone(&self.0);
        Box::pin(async move {
            let target = Target::of(&uri).map_err(io::Error::other)?;
            pool.connect(&target).await.map(TokioIo::new)
        })
    }
}

//! Plain HTTP: a request passes on to the backend, and the answer back.

use std::net::SocketAddr;

use axum::body::Body;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::super::headers::{rewrite_request, strip_hop_by_hop};
use super::super::pool::Pool;
use super::refusal::{refusal, unavailable};

/// Passes plain requests on, over connections that are kept for more of them.
pub(super) struct Plain(Client<HttpConnector, Body>);

impl Plain {
    pub(super) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build(HttpConnector::new()))
    }

    /// Passes a request on, with its body as it comes.
    pub(super) async fn pass(
        &self,
        pool: &Pool,
        mut request: Request<Body>,
        peer: SocketAddr,
    ) -> Response<Body> {
        rewrite_request(request.headers_mut(), peer.ip());
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let seat = pool.seat();
        let Ok(uri) = format!("http://{}{path}", seat.target()).parse() else {
            return refusal(StatusCode::BAD_REQUEST, "the request target is invalid");
        };
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        match self.0.request(request).await {
            Ok(mut response) => {
                strip_hop_by_hop(response.headers_mut());
                response.map(Body::new)
            }
            Err(error) if error.is_connect() => unavailable(),
            Err(error) => {
                tracing::debug!(target: "revoir", %error, "the backend did not answer");
                refusal(StatusCode::BAD_GATEWAY, "the backend did not answer")
            }
        }
    }
}

//! [`Incoming`] as an extractor of axum.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use http::Response;
use http::request::Parts;

use crate::server::acceptor::Acceptor;
use crate::server::from_http::RequestHead;
use crate::server::hyper::handed_over;
use crate::server::incoming::Incoming;

/// The acceptor comes from the state of the router. A request that breaks a rule, or for which there
/// is no place, is answered before the handler of the route is called.
impl<S> FromRequestParts<S> for Incoming
where
    Acceptor: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response<String>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response<String>> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(peer)| *peer);
        let upgraded = parts.extensions.remove().map(handed_over);
        let asked = RequestHead {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
        };
        Self::check(&Acceptor::from_ref(state), &asked, upgraded, peer)
    }
}

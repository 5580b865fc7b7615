//! [`Upgrade`] as an extractor of axum.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use http::request::Parts;

use super::{Asked, Upgrade};
use crate::server::Acceptor;

/// The acceptor comes from the state of the router. A request that breaks a rule, or for which there
/// is no place, is answered before the handler of the route is called.
impl<S> FromRequestParts<S> for Upgrade
where
    Acceptor: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = http::Response<String>;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Self, http::Response<String>> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(peer)| *peer);
        let upgraded = parts.extensions.remove();
        let asked = Asked::of(parts);
        Self::check(&Acceptor::from_ref(state), &asked, upgraded, peer)
    }
}

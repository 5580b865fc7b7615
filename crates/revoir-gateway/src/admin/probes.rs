//! What changes nothing: `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::admin::state::Admin;
use crate::watch::metrics;

pub(super) fn router() -> Router<Arc<Admin>> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(nothing)
}

/// The process answers: that is all.
async fn healthz() -> &'static str {
    "alive\n"
}

/// Whether new clients may be sent here.
///
/// A backend that is away does not change that: clients wait for it here, and every other gateway
/// in front of it would be as unready. `?upstreams` asks for it to count, and `?store` for a store of sessions
/// that does not answer.
async fn readyz(State(admin): State<Arc<Admin>>, RawQuery(query): RawQuery) -> Response {
    let overview = admin.gateway.overview();
    if overview.draining {
        let text = "draining: new clients are sent away\n";
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    }
    let query = query.unwrap_or_default();
    let asks_for = |name| query.split('&').any(|asked| asked == name);
    if asks_for("store") && overview.store_answers == Some(false) {
        let text = "the store of sessions is away: sessions are in this process only\n";
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    }
    let upstreams = &overview.upstreams;
    if upstreams.is_empty() || upstreams.iter().any(|upstream| upstream.accepts) {
        return "ready\n".into_response();
    }
    let text = "no upstream accepts: new clients wait for one, up to the handshake limit\n";
    match asks_for("upstreams") {
        true => (StatusCode::SERVICE_UNAVAILABLE, text).into_response(),
        false => format!("ready, though {text}").into_response(),
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let text = admin.operations.metrics(admin.gateway.overview());
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

async fn nothing() -> Response {
    let text = "there are /healthz, /readyz and /metrics here\n";
    (StatusCode::NOT_FOUND, text).into_response()
}

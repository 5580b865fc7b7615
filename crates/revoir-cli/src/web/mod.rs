//! The reference on a server: pages, assets, and the same as JSON.
//!
//! Everything is made from the catalogue when it is asked for; nothing is read from a disk.

mod answer;
mod api;
mod language;
mod pages;

use axum::Router;
use axum::routing::get;
use tower_http::compression::CompressionLayer;

/// All of it, for any server.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(pages::front))
        .route("/assets/{name}", get(pages::asset))
        .nest("/api/v1", api::router())
        .route("/{lang}", get(pages::start))
        .route("/{lang}/", get(pages::start))
        .route("/{lang}/{*path}", get(pages::page))
        .fallback(pages::missing)
        .layer(CompressionLayer::new())
        .layer(axum::middleware::map_response(answer::secured))
}

//! The reference on a server: pages, assets, the same as JSON, and the lab.
//!
//! Everything is made from the catalogue when it is asked for; nothing is read from a disk.

mod api;
mod html;
mod lang_query;
mod language;
mod tables;

use axum::Router;
use axum::routing::get;
use tower_http::compression::CompressionLayer;

use crate::answer;
use crate::lab::{self, Lab};

/// All of it, for any server.
pub fn router(lab: &Lab) -> Router {
    Router::new()
        .route("/", get(html::front))
        .route("/assets/{name}", get(html::asset))
        .nest("/api/v1", api::router())
        .nest("/lab", lab::router(lab.clone()))
        .route("/{lang}", get(html::start))
        .route("/{lang}/", get(html::start))
        .route("/{lang}/{*path}", get(html::page))
        .fallback(html::missing)
        .layer(CompressionLayer::new())
        .layer(axum::middleware::map_response(answer::secured))
}

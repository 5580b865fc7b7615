//! The reference on a server: pages, assets, the same as JSON, and the lab.
//!
//! Everything is made from the catalogue when it is asked for; nothing is read from a disk.

mod api;
mod language;
mod pages;
mod tables;

use axum::Router;
use axum::routing::get;
use tower_http::compression::CompressionLayer;

use crate::answer;
use crate::lab::{self, Lab};

/// All of it, for any server.
pub fn router(lab: &Lab) -> Router {
    Router::new()
        .route("/", get(pages::front))
        .route("/assets/{name}", get(pages::asset))
        .nest("/api/v1", api::router())
        .nest("/lab", lab::router(lab.clone()))
        .route("/{lang}", get(pages::start))
        .route("/{lang}/", get(pages::start))
        .route("/{lang}/{*path}", get(pages::page))
        .fallback(pages::missing)
        .layer(CompressionLayer::new())
        .layer(axum::middleware::map_response(answer::secured))
}

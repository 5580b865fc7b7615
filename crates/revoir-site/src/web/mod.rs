//! The reference on a server: pages, assets, the same as JSON, and the lab.
//!
//! Everything is made from the catalogue when it is asked for; nothing is read from a disk.

mod api;
mod html;
mod lang_query;
mod language;
mod tables;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tower_http::compression::CompressionLayer;

use crate::answer;
use crate::lab::{self, Lab};
use crate::pages::Home;

/// All of it, for any server. With `base`, the address by which the server is known, such as
/// `https://example.org/`, pages say it to search engines and previews.
pub fn router(lab: &Lab, base: Option<&str>) -> Router {
    let home = Arc::new(Home::Server {
        base: base.map(str::to_owned),
    });
    Router::new()
        .route("/", get(html::front))
        .route("/assets/{name}", get(html::asset))
        .route("/robots.txt", get(html::robots))
        .route("/sitemap.xml", get(html::sitemap))
        .route("/feed.xml", get(html::feed))
        .route("/favicon.ico", get(html::favicon))
        .route("/openapi.json", get(api::moved_description))
        .route("/{*path}", get(html::page))
        .with_state(home)
        .nest("/api", api::router())
        .nest("/lab", lab::router(lab.clone()))
        .layer(CompressionLayer::new())
        .layer(axum::middleware::map_response(answer::secured))
}

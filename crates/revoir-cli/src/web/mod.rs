//! The reference on a server: pages, assets, and the same as JSON.
//!
//! Everything is made from the catalogue when it is asked for; nothing is read from a disk.

mod answer;
mod api;
mod language;
mod pages;

use std::future::Future;
use std::io;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;

/// Answers until `stop` is over, then finishes what was begun.
pub(crate) async fn serve(
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router())
        .with_graceful_shutdown(stop)
        .await
}

fn router() -> Router {
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

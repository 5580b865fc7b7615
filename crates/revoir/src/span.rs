//! The `tracing` span of a connection: what the log calls it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use tracing::Span;
use tracing::field::display;

/// Numbers the connections of this process.
static LAST_ID: AtomicU32 = AtomicU32::new(0);

/// The span of a client's connection, from its first address to its end. Without the path and the
/// query: tokens may stand there.
pub(crate) fn of_client(id: u32, host: &str, port: u16) -> Span {
    tracing::info_span!(
        target: "revoir",
        "connection",
        id,
        role = "client",
        peer = %authority(host, port),
    )
}

/// The span of a server's connection, from its request to its end.
pub(crate) fn of_server(id: u32, peer: Option<SocketAddr>) -> Span {
    let peer = peer.map(display);
    tracing::info_span!(target: "revoir", "connection", id, role = "server", peer)
}

fn authority(host: &str, port: u16) -> String {
    match host.contains(':') {
        // IPv6.
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// The number of a connection that begins.
pub(crate) fn next_id() -> u32 {
    LAST_ID.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}

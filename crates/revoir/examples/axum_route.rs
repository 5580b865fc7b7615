//! A route of an axum application: `cargo run --example axum_route --features axum`.
//!
//! Ctrl-C drains: every client is told to return in a slot of its own.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use revoir::drain::Drain;
use revoir::{Acceptor, Ending, Incoming, WebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let acceptor = Acceptor::new().with_subprotocols(["echo"]);
    let tracker = acceptor.tracker().clone();
    let app = Router::new()
        .route("/", get(|| async { "connect to /rooms/NAME" }))
        .route("/rooms/{name}", any(room))
        .with_state(acceptor)
        .into_make_service_with_connect_info::<SocketAddr>();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
    println!("listening on ws://{}/rooms/lobby", listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                println!("{}", tracker.drain(Drain::going_away()).await);
            }
        })
        .await?;
    Ok(())
}

async fn room(Path(name): Path<String>, incoming: Incoming) -> Response {
    if name == "none" {
        return (StatusCode::NOT_FOUND, "no such room\n").into_response();
    }
    let greeting = format!("welcome to {name}, {:?}", incoming.peer_addr());
    let open = incoming.run(|socket| echo(socket, greeting));
    open.into_response()
}

async fn echo(mut socket: WebSocket, greeting: String) -> Result<(), Arc<Ending>> {
    socket.send_text(greeting).await?;
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

//! Sends every message back: `cargo run --example echo_server -- 127.0.0.1:9000`.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::sync::Arc;

use revoir::{Ending, Server, WebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let server = Server::bind(address.as_deref().unwrap_or("127.0.0.1:9000")).await?;
    println!("listening on ws://{}/", server.local_addr()?);
    server.serve(echo).await;
    Ok(())
}

/// The error is the connection's ending: a handler may pass it on.
async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

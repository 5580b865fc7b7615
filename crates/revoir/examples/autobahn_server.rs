//! The echo server that the Autobahn testsuite talks to, with compression and without keepalive:
//! `cargo run --example autobahn_server -- 127.0.0.1:0`. It prints the address it listens on.
#![expect(clippy::print_stdout, reason = "the runner reads the address")]

use std::error::Error;
use std::sync::Arc;

use revoir::handshake::DeflateConfig;
use revoir::handshake::Extensions;
use revoir::{Acceptor, Config, Ending, Server, WebSocket};

/// The longest messages of the suite are 16 MiB, in sections 9.1 and 9.2.
const MESSAGE: usize = 16 * 1024 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let server = Server::bind(address.as_deref().unwrap_or("127.0.0.1:9001"))
        .await?
        .with_acceptor(
            Acceptor::new()
                .with_config(config())
                .with_extensions(Extensions::with_deflate(DeflateConfig::default())),
        );
    println!("listening on ws://{}/", server.local_addr()?);
    server.serve(echo).await;
    Ok(())
}

/// A ping of ours would be an unexpected frame to the suite, should a case take over 20 s.
fn config() -> Config {
    let mut config = Config::server();
    config.limits.message = MESSAGE;
    config.keepalive = None;
    config
}

async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

//! Sends every message of a session back, whatever becomes of its connections:
//! `cargo run --example session_server --features session -- 127.0.0.1:9000`.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::sync::Arc;

use revoir::Server;
use revoir::session::{self, Principal, Session, SessionEnding};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let server = Server::bind(address.as_deref().unwrap_or("127.0.0.1:9000")).await?;
    println!("listening on ws://{}/", server.local_addr()?);
    // The query says who a client is; a real server asks a cookie or a header field.
    let sessions = session::Server::new(|incoming| match incoming.query() {
        Some(name) => Principal::of(name),
        None => Principal::NONE,
    });
    let decide = move |incoming| {
        let response = sessions.run(incoming, echo);
        async move { response }
    };
    server.serve_incoming(decide).await;
    Ok(())
}

/// It does not notice that connections come and go.
async fn echo(mut session: Session) -> Result<(), Arc<SessionEnding>> {
    loop {
        let message = session.recv().await?;
        session.send(message).await?;
    }
}

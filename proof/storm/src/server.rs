//! The server: echoes, and drains when it is asked to stop.

use std::time::Duration;

use anyhow::Context;
use revoir::drain::Drain;
use revoir::{Ending, Message, Server, WebSocket};
use tokio::signal::unix::{SignalKind, signal};

/// Over which time the clients return, and when the first one may.
pub(crate) const RETURN_OVER: Duration = Duration::from_secs(30);
pub(crate) const READY_IN: Duration = Duration::from_secs(5);

/// What a client sends that wants to be sent more than it reads.
pub(crate) const STREAM: &str = "stream";

pub(crate) async fn run(address: &str) -> anyhow::Result<()> {
    let mut stop = signal(SignalKind::terminate())?;
    let server = Server::bind(address).await.context("listen")?;
    println!("listening {}", server.local_addr()?);
    let tracker = server.tracker().clone();
    let serving = tokio::spawn(server.serve(echo));
    stop.recv().await;
    let plan = Drain::restart()
        .within(Duration::from_secs(10))
        .ready_in(READY_IN)
        .return_over(RETURN_OVER)
        .releasing_port();
    let report = tracker.drain(plan).await;
    println!("{report}");
    serving.await?;
    Ok(())
}

async fn echo(mut socket: WebSocket) -> Result<(), std::sync::Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        if matches!(&message, Message::Text(text) if *text == STREAM) {
            loop {
                socket.send_binary(vec![0; 64 * 1024]).await?;
            }
        }
        socket.send(message).await?;
    }
}

//! A server that restarts gracefully: `cargo run --example draining`, then Ctrl-C.
//!
//! The first Ctrl-C starts a drain with 1012, the second shortens it.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use revoir::drain::{Drain, Tracker};
use revoir::server::Admission;
use revoir::{Acceptor, Ending, Server, WebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let rate = 200.try_into()?;
    let acceptor = Acceptor::new().with_admission(Admission::per_second(rate));
    let server = Server::bind("127.0.0.1:9000").await?;
    let server = server.with_acceptor(acceptor);
    println!("listening on ws://{}/", server.local_addr()?);

    tokio::spawn(drain_on_signals(server.tracker().clone()));
    let report = server.serve(count).await;
    println!("{report}");
    Ok(())
}

async fn drain_on_signals(tracker: Tracker) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    println!("draining {} connections", tracker.open());
    let plan = Drain::restart()
        .within(Duration::from_secs(10))
        .return_over(Duration::from_secs(30));
    // It goes on although nobody awaits it here: `serve` returns its report.
    drop(tracker.drain(plan));
    if tokio::signal::ctrl_c().await.is_ok() {
        drop(tracker.drain(Drain::restart().within(Duration::from_secs(1))));
    }
}

/// Counts up, and says how far it came before it is closed.
async fn count(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    let closer = socket.closer();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let mut counted = 0_u64;
    loop {
        tokio::select! {
            _ = seconds.tick() => {
                socket.send_text(counted.to_string()).await?;
                counted += 1;
            }
            () = closer.draining() => {
                // Let go of: the drain's Close frame follows this message.
                return socket.send_text(format!("stopped at {counted}")).await;
            }
            message = socket.recv() => drop(message?),
        }
    }
}

//! The backend: answers numbered messages, and knows when clients returned.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use revoir::{Ending, Incoming, Reason, SendCode, Server, WebSocket};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::watch;

/// Says `up` once it listens. `returns`: answers with the times of all returns. `restart`: closes
/// every connection with 1012 and ends.
pub(crate) async fn run(port: u16, run: &str) -> anyhow::Result<()> {
    let server = Server::bind((Ipv4Addr::LOCALHOST, port)).await;
    let server = server.context("listen")?;
    let returns: Arc<Mutex<Vec<f64>>> = Arc::default();
    let (restarting, restarts) = watch::channel(false);
    let (run, seen) = (run.to_owned(), Arc::clone(&returns));
    let serving = server.serve_incoming(move |incoming: Incoming| {
        let (run, seen, restarts) = (run.clone(), Arc::clone(&seen), restarts.clone());
        async move {
            if incoming.headers().contains_key("revoir-resume") {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.push(now());
            }
            let answer = move |socket| async move { answer(socket, &run, restarts).await };
            incoming.run(answer)
        }
    });
    let serving = tokio::spawn(serving);
    println!("up");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        if line == "restart" {
            // Nobody new from here on.
            serving.abort();
            restarting.send_replace(true);
            restarting.closed().await;
            return Ok(());
        }
        let returns = returns.lock().unwrap_or_else(PoisonError::into_inner);
        println!("{}", serde_json::to_string(&*returns)?);
    }
    Ok(())
}

/// Answers with the number of the run and that of the message.
async fn answer(
    mut socket: WebSocket,
    run: &str,
    mut restarts: watch::Receiver<bool>,
) -> Result<(), Arc<Ending>> {
    loop {
        let message = tokio::select! {
            message = socket.recv() => message?,
            _ = restarts.changed() => {
                return Err(socket.close(SendCode::SERVICE_RESTART, Reason::EMPTY).await);
            }
        };
        let text = String::from_utf8_lossy(message.as_bytes());
        let number = text.split(' ').next().unwrap_or_default();
        socket.send_text(format!("{run} {number}")).await?;
    }
}

/// Now, in seconds that all processes of this machine share.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

//! A backend as an axum application: `axum_backend PORT RUN`. As an example, so that axum's own WebSockets
//! are no part of what `cargo run` builds.

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

#[derive(Debug)]
struct Application {
    run: String,
    connections: AtomicU64,
    /// The code to close with, once there is one.
    code: watch::Receiver<Option<u16>>,
    /// Is dropped by every connection that has ended.
    open: mpsc::Sender<()>,
}

/// Runs until it was told to close, and has.
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, run] = &arguments[..] else {
        bail!("run it by `cargo xtask gateway`");
    };
    let port: u16 = port.parse().context("read the port")?;
    let (closing, code) = watch::channel(None);
    let (open, mut all_ended) = mpsc::channel(1);
    let application = Application {
        run: run.clone(),
        connections: AtomicU64::new(0),
        code,
        open,
    };
    let routes = Router::new()
        .fallback(upgrade)
        .with_state(Arc::new(application));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    tell(&json!({ "event": "listening" }));
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let line = lines.next_line().await?.context("nothing was said")?;
    // Its listener is gone before the first client is told, or who returns at once may still be let in.
    serving.abort();
    let _ = serving.await;
    closing.send_replace(Some(line.parse()?));
    // The routes, and with them the last sender, go with the last connection.
    let _ = all_ended.recv().await;
    Ok(())
}

async fn upgrade(
    State(application): State<Arc<Application>>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let number = application.connections.fetch_add(1, Ordering::Relaxed);
    let label = format!("{}-{}", application.run, number + 1);
    tell(&json!({
        "event": "open",
        "label": label,
        "client": uri.path(),
        "conn": header("revoir-conn"),
        "resume": header("revoir-resume"),
    }));
    let (code, open) = (application.code.clone(), application.open.clone());
    upgrade.on_upgrade(move |socket| async move {
        answer(socket, &label, code).await;
        drop(open);
    })
}

/// Answers every message, until the connection has ended.
async fn answer(mut socket: WebSocket, label: &str, mut code: watch::Receiver<Option<u16>>) {
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            _ = code.changed() => {
                let Some(code) = *code.borrow_and_update() else { continue };
                let reason = "as told".into();
                let close = Message::Close(Some(CloseFrame { code, reason }));
                // The gateway may be gone.
                let _ = socket.send(close).await;
                while let Some(Ok(_)) = socket.recv().await {}
                return;
            }
        };
        let Some(Ok(message)) = message else { return };
        if let Message::Text(text) = message {
            tell(&json!({ "event": "got", "label": label, "number": text.parse::<u64>().ok() }));
            let reply = format!("{label} {text}");
            if socket.send(Message::Text(reply.into())).await.is_err() {
                return;
            }
        }
    }
}

/// A line is written whole and at once, so that a kill loses nothing of it.
fn tell(event: &Value) {
    let line = format!("{event}\n");
    // Whoever closed the pipe wants no more of it.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

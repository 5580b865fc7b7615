//! The echo client that the Autobahn testsuite's fuzzing server tests, with compression and
//! without keepalive: `cargo run --example autobahn_client -- ws://127.0.0.1:9001 AGENT`.

use std::error::Error;

use revoir::handshake::DeflateConfig;
use revoir::handshake::Extensions;
use revoir::{Client, Config, Message, Reason, SendCode, WebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next();
    let url = url.as_deref().unwrap_or("ws://127.0.0.1:9001");
    let agent = arguments.next().unwrap_or_else(|| "revoir".to_owned());
    let client = Client::new()
        .with_config(config())
        .with_extensions(Extensions::with_deflate(DeflateConfig::default()));
    let cases = count(client.connect(&format!("{url}/getCaseCount")).await?).await?;
    for case in 1..=cases {
        // A case that ends its connection before it is open has its verdict in the report.
        if let Ok(socket) = client
            .connect(&format!("{url}/runCase?case={case}&agent={agent}"))
            .await
        {
            echo(socket).await;
        }
    }
    let reports = client
        .connect(&format!("{url}/updateReports?agent={agent}"))
        .await?;
    echo(reports).await;
    Ok(())
}

/// A ping of ours would be an unexpected frame to the suite, should a case take over 20 s.
fn config() -> Config {
    let mut config = Config::client();
    config.keepalive = None;
    config
}

async fn count(mut socket: WebSocket) -> Result<u32, Box<dyn Error>> {
    let Message::Text(count) = socket.recv().await? else {
        return Err("the number of cases is not a text message".into());
    };
    let count = count.as_str().parse()?;
    socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
    Ok(count)
}

/// Sends every message back until the connection has ended and its socket is gone.
async fn echo(mut socket: WebSocket) {
    while let Ok(message) = socket.recv().await {
        if socket.send(message).await.is_err() {
            break;
        }
    }
    socket.closed().await;
}

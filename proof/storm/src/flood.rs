//! Clients that send flat out while their server closes them.

use std::sync::Arc;

use anyhow::Context;
use revoir::{Client, Ending};
use tokio::sync::mpsc;

use crate::record::{Record, report};

/// Says `up` once all are connected and sending, and says how each connection ended.
pub(crate) async fn run(url: &str, clients: usize) -> anyhow::Result<()> {
    let (up, mut all_up) = mpsc::channel(clients.max(1));
    let mut sockets = Vec::new();
    // All are connected before the first one sends: a flood leaves no time for handshakes.
    for _ in 0..clients {
        sockets.push(Client::new().connect(url).await.context("connect")?);
    }
    let mut tasks = Vec::new();
    for socket in sockets {
        let (mut reader, mut writer) = socket.split();
        let up = up.clone();
        tokio::spawn(async move {
            let payload = [7; 512];
            let mut is_first = true;
            while writer.send_binary(&payload[..]).await.is_ok() {
                if std::mem::take(&mut is_first) {
                    let _ = up.send(()).await;
                }
            }
        });
        tasks.push(tokio::spawn(async move {
            let ending: Arc<Ending> = loop {
                if let Err(ending) = reader.recv().await {
                    break ending;
                }
            };
            let mut record = Record::default();
            record.ended(&ending);
            record
        }));
    }
    drop(up);
    for _ in 0..clients {
        all_up.recv().await.context("a client could not send")?;
    }
    report(tasks).await
}

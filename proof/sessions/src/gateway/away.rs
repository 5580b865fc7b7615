//! What a session costs the gateway whose client is away, beyond the connection to its backend.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use revoir::{Client, WebSocket};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::sleep;

use super::backend::{config, started_backend};
use crate::detached::come_and_go;
use crate::process::{Gateway, Process};

/// Each is a connection to the backend, and a client's as long as it is there: 20,000 files are enough.
const SESSIONS: u64 = 9000;
const AT_ONCE: u64 = 100;

/// The most that one may cost beyond the connection to its backend, in bytes.
const LIMIT: u64 = 2048;

/// Until memory is looked at: what was freed is, and what comes has come.
const SETTLE: Duration = Duration::from_secs(3);

pub(crate) async fn run(revoir: &Path) -> anyhow::Result<()> {
    let connection = connections().await?;
    let pair = pairs(revoir).await?;
    let away = sessions(revoir).await?;
    println!("## Clients of the gateway that are away\n");
    println!(
        "{SESSIONS} of each, resident memory. Each session keeps its connection to the backend, and nothing else.\n"
    );
    println!("| | for each |\n|---|---:|");
    println!(
        "| a connection of the library's client, in a program that only waits on it | {connection} bytes |"
    );
    println!(
        "| a client of the gateway without a session, and its connection to the backend | {pair} bytes |"
    );
    println!(
        "| a session whose client is away, and its connection to the backend | {away} bytes |"
    );
    let beyond = away.saturating_sub(connection);
    println!("| the session beyond that connection | {beyond} bytes |\n");
    if beyond > LIMIT {
        bail!("a session of the gateway costs {beyond} bytes");
    }
    Ok(())
}

/// What the connection to a backend costs by itself.
async fn connections() -> anyhow::Result<u64> {
    let (_backend, address) = started_backend().await?;
    let mut process = Process::own(&["connections", &format!("ws://{address}/")])?;
    process.line().await?;
    sleep(SETTLE).await;
    let before = process.resident()?;
    let mut stdin = process.stdin.take();
    if let Some(stdin) = &mut stdin {
        stdin.write_all(b"more\n").await?;
    }
    process.line().await?;
    sleep(SETTLE).await;
    Ok(process.resident()?.saturating_sub(before) / SESSIONS)
}

/// A process with a few connections, and on the next line with many.
pub(crate) async fn wait_on(url: &str) -> anyhow::Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    for _ in 0..2 {
        wait_on_some(url, AT_ONCE).await?;
    }
    println!("some");
    lines.next_line().await?;
    for _ in 0..SESSIONS / AT_ONCE {
        wait_on_some(url, AT_ONCE).await?;
    }
    println!("all");
    std::future::pending().await
}

async fn wait_on_some(url: &str, count: u64) -> anyhow::Result<()> {
    for mut socket in open(url, count).await? {
        tokio::spawn(async move { while socket.recv().await.is_ok() {} });
    }
    Ok(())
}

async fn open(url: &str, count: u64) -> anyhow::Result<Vec<WebSocket>> {
    let opening: Vec<_> = (0..count)
        .map(|_| {
            let url = url.to_owned();
            tokio::spawn(async move { Client::new().connect(&*url).await })
        })
        .collect();
    let mut sockets = Vec::new();
    for socket in opening {
        sockets.push(socket.await??);
    }
    Ok(sockets)
}

async fn pairs(revoir: &Path) -> anyhow::Result<u64> {
    let (_backend, backend) = started_backend().await?;
    let gateway = Gateway::start(revoir, &config(backend, false)).await?;
    let url = format!("ws://{}/", gateway.address);
    let _first = open(&url, AT_ONCE).await?;
    sleep(SETTLE).await;
    let before = gateway.resident()?;
    let mut sockets = Vec::new();
    for _ in 0..SESSIONS / AT_ONCE {
        sockets.extend(open(&url, AT_ONCE).await?);
    }
    sleep(SETTLE).await;
    Ok(gateway.resident()?.saturating_sub(before) / SESSIONS)
}

async fn sessions(revoir: &Path) -> anyhow::Result<u64> {
    let (_backend, backend) = started_backend().await?;
    let gateway = Gateway::start(revoir, &config(backend, true)).await?;
    let url = format!("ws://{}/", gateway.address);
    come_and_go(&url, AT_ONCE).await?;
    sleep(SETTLE).await;
    let before = gateway.resident()?;
    for _ in 0..SESSIONS / AT_ONCE {
        come_and_go(&url, AT_ONCE).await?;
    }
    sleep(SETTLE).await;
    Ok(gateway.resident()?.saturating_sub(before) / SESSIONS)
}

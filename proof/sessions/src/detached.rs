//! What a session costs whose client is away.

use std::time::Duration;

use anyhow::{Context, bail};
use revoir::session::SUBPROTOCOL;
use revoir::{Client, Message};
use revoir_session::{Config, Outgoing};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::process::Process;
use crate::server;

const SESSIONS: u64 = 19_000;

/// As many connections at a time.
const AT_ONCE: u64 = 200;

/// The most that one may cost, in bytes.
const LIMIT: u64 = 2048;

/// The server: says where it is, and then for each line how many clients are away.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let sessions = server::sessions().with_ttl(Duration::from_secs(600));
    let counted = sessions.clone();
    let address = server::start(sessions, |mut session| async move {
        loop {
            let message = session.recv().await?;
            session.send(message).await?;
        }
    });
    println!("{}", address.await?);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await?.is_some() {
        println!("{}", counted.counts().detached);
    }
    Ok(())
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let mut process = Process::own(&["detached-server"])?;
    let url = format!("ws://{}/", process.line().await?);
    // The first ones warm up what is there once.
    come_and_go(&url, AT_ONCE).await?;
    let before = once_away(&mut process, AT_ONCE).await?;
    for _ in 0..SESSIONS / AT_ONCE {
        come_and_go(&url, AT_ONCE).await?;
    }
    let after = once_away(&mut process, AT_ONCE + SESSIONS).await?;
    let each = after.saturating_sub(before) / SESSIONS;
    println!("## Clients that are away\n");
    println!("| | |\n|---|---|");
    println!(
        "| {SESSIONS} sessions that keep nothing, each with a handler that waits: resident memory of the server for each | {each} bytes |\n"
    );
    if each > LIMIT {
        bail!("a session costs {each} bytes");
    }
    Ok(())
}

/// The resident memory of the server, once so many clients are away.
async fn once_away(process: &mut Process, expected: u64) -> anyhow::Result<u64> {
    loop {
        let stdin = process.stdin.as_mut().context("its input")?;
        stdin.write_all(b"?\n").await?;
        if process.line().await?.parse::<u64>()? == expected {
            return process.resident();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// So many clients begin a session each, and go.
pub(crate) async fn come_and_go(url: &str, count: u64) -> anyhow::Result<()> {
    let clients: Vec<_> = (0..count)
        .map(|_| {
            let url = url.to_owned();
            tokio::spawn(async move {
                let client = Client::new().with_subprotocol(SUBPROTOCOL);
                let mut socket = client.connect(&*url).await?;
                let mut config = Config::default();
                config.ttl = Duration::from_secs(600);
                let mut session = revoir_session::Session::client(Duration::ZERO, config);
                session.connect(Duration::ZERO, None, None)?;
                let hello = session.poll_transmit(Duration::ZERO).context("HELLO")?;
                let Outgoing::Message(revoir_session::Message::Binary(hello)) = hello.outgoing
                else {
                    bail!("HELLO is binary");
                };
                socket.send(Message::Binary(hello)).await?;
                socket.recv().await?;
                Ok(())
            })
        })
        .collect();
    for client in clients {
        client.await??;
    }
    Ok(())
}

//! What sessions keep together, where handlers say more than may be kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, bail};
use revoir::Message;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::sleep;

use crate::detached::come_and_go;
use crate::process::Process;
use crate::server;

const SESSIONS: u64 = 2000;
const AT_ONCE: u64 = 100;

/// Each handler says so much: three times the bound in all.
const MESSAGES: usize = 96;
const BYTES: usize = 512;
const BOUND: u64 = 32 * 1024 * 1024;

/// So much over the bound at most.
const OVER: f64 = 1.05;

/// The server: says where it is, and then for each line what is kept now, and what was kept at most.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let kept = Arc::new([AtomicI64::new(0), AtomicI64::new(0)]);
    let metered = Arc::clone(&kept);
    let sessions = server::sessions()
        .with_ttl(Duration::from_secs(600))
        .with_max_kept_bytes(BOUND)
        .with_meter(move |change| {
            let now = metered[0].fetch_add(change, Relaxed) + change;
            metered[1].fetch_max(now, Relaxed);
        });
    let counted = sessions.clone();
    let address = server::start(sessions, |mut session| async move {
        for _ in 0..MESSAGES {
            session.send(Message::Binary(vec![0; BYTES].into())).await?;
            sleep(Duration::from_millis(fastrand::u64(0..100))).await;
        }
        loop {
            session.recv().await?;
        }
    });
    println!("{}", address.await?);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await?.is_some() {
        let [now, most] = kept.each_ref().map(|kept| kept.load(Relaxed));
        println!("{now} {most} {}", counted.counts().detached);
    }
    Ok(())
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let mut process = Process::own(&["pool-server"])?;
    let url = format!("ws://{}/", process.line().await?);
    for _ in 0..SESSIONS / AT_ONCE {
        come_and_go(&url, AT_ONCE).await?;
    }
    // Longer than a handler speaks.
    let mut resident = 0;
    for _ in 0..20 {
        sleep(Duration::from_millis(500)).await;
        resident = resident.max(process.resident()?);
    }
    let stdin = process.stdin.as_mut().context("its input")?;
    stdin.write_all(b"?\n").await?;
    let line = process.line().await?;
    let numbers: Result<Vec<u64>, _> = line.split(' ').map(str::parse).collect();
    let [now, most, left] = numbers?[..] else {
        bail!("three numbers: {line}");
    };
    println!("## More than may be kept\n");
    println!("| | |\n|---|---|");
    println!(
        "| {SESSIONS} clients that are away, whose handlers say {} KiB each; kept at most may be | {} KiB |",
        MESSAGES * BYTES / 1024,
        BOUND / 1024
    );
    println!("| kept at most, after any change | {} KiB |", most / 1024);
    println!(
        "| kept in the end, of so many sessions | {} KiB, {left} |",
        now / 1024
    );
    println!(
        "| resident memory of the server at most, all of it | {} KiB |\n",
        resident / 1024
    );
    let is_full = now as f64 > 0.9 * BOUND as f64;
    if most as f64 > OVER * BOUND as f64 || !is_full || left == SESSIONS {
        bail!(
            "the pool kept {most} bytes at most and {now} in the end, of {left} sessions: it may keep {BOUND}, and has to lose some"
        );
    }
    Ok(())
}

//! The backend goes away under thousands of clients.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{bail, ensure};
use revoir_conformance::Serve;
use tokio::time::{Instant, sleep};

use super::clients::{MESSAGE, PONG_WITHIN, Seen};
use super::memory::{MIB, Watch, resident};
use crate::process::{Process, free_port};
use crate::way::Way;

/// How long the backend is away.
const AWAY: Duration = Duration::from_secs(5);

/// How long all talk before.
const BEFORE: Duration = Duration::from_secs(3);

/// Returns per second, as `revoir serve` has it without a configuration.
const RATE: f64 = 1000.0;

/// What held clients may send together, as `revoir serve` has it without a configuration.
const HELD_MIB: u64 = 64;

/// How long the return may take.
const LIMIT: Duration = Duration::from_secs(40);

/// What an outage has shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    way: Way,
    seen: Seen,
    /// Between the first and the last return, in seconds.
    returning: f64,
    rate: f64,
    /// Resident before the outage, and the most from then on, in bytes.
    before: u64,
    most: u64,
}

/// Has the backend of so many clients go away and come back, and checks what is promised.
pub(crate) async fn play(revoir: &str, clients: usize, way: Way) -> anyhow::Result<Row> {
    let port = free_port()?.to_string();
    let backend = Process::own(&["crowd-backend", &port, "1"]).await?;
    let upstream = format!("--upstream=ws://127.0.0.1:{port}");
    let gateway = Serve::start(
        Path::new(revoir),
        &[upstream.as_ref(), "--route-mode=hold".as_ref()],
    )
    .await?;
    let front = gateway.address().to_string();
    let mut crowd = Process::own(&["crowd-clients", &front, &clients.to_string()]).await?;
    sleep(BEFORE).await;
    let before = resident(gateway.id()?)?;
    let watch = Watch::start(gateway.id()?);

    let start = Instant::now();
    match way {
        Way::Killed => backend.kill().await?,
        Way::Closes(1012) => backend.end("restart").await?,
        other => bail!("the backend of the crowd never {other}"),
    }
    sleep(AWAY.saturating_sub(start.elapsed())).await;
    let mut backend = Process::own(&["crowd-backend", &port, "2"]).await?;
    let start = Instant::now();
    let mut returns: Vec<f64> = Vec::new();
    while returns.len() < clients && start.elapsed() < LIMIT {
        sleep(Duration::from_secs(1)).await;
        returns = backend.ask("returns").await?;
    }
    let most = watch.most().await?;
    sleep(BEFORE).await;
    let seen: Seen = crowd.ask("quiet").await?;

    returns.sort_by(f64::total_cmp);
    let first = returns.first().copied().unwrap_or_default();
    let returning = returns.last().copied().unwrap_or_default() - first;
    let rate = (returns.len().saturating_sub(1)) as f64 / returning;
    let row = Row {
        way,
        seen,
        returning,
        rate,
        before,
        most,
    };
    ensure!(seen.disconnected == 0, "clients were disconnected: {row:?}");
    ensure!(seen.disordered == 0, "messages were out of order: {row:?}");
    ensure!(seen.unanswered == 0, "messages were not answered: {row:?}");
    let all = clients as u64;
    ensure!(
        returns.len() == clients && seen.returned == all,
        "not all came back: {row:?}"
    );
    ensure!(
        (rate / RATE - 1.0).abs() <= 0.1,
        "the rate is not {RATE}: {row:?}"
    );
    ensure!(
        most.saturating_sub(before) <= HELD_MIB * MIB,
        "more memory than {HELD_MIB} MiB: {row:?}"
    );
    Ok(row)
}

/// The rows as a table.
pub(crate) fn markdown(clients: usize, rows: &[Row]) -> String {
    let mut text = format!(
        "## The backend is away for {} s\n\n\
         {clients} clients send a message of {MESSAGE} bytes each second, and get a short answer to \
         each; in {} s that is less than the {HELD_MIB} MiB that all holds together may keep: a \
         client that is not read from gets no pongs either. A client pings after one second of silence, and would end \
         if nothing came for {} s. The configured rate of returns is {RATE} a second.\n\n\
         | the backend | clients that were disconnected | that got something twice or in a wrong \
         order | that came back | between the first and the last return | returns per second | \
         messages sent | with the lost backend | slowest pong | memory before | at most |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        AWAY.as_secs(),
        AWAY.as_secs(),
        PONG_WITHIN.as_secs(),
    );
    for row in rows {
        let Row {
            way,
            seen,
            returning,
            rate,
            before,
            most,
        } = row;
        let _ = writeln!(
            text,
            "| {way} | {} | {} | {} | {returning:.2} s | {rate:.0} | {} | {} | {:.0} ms | {} MiB | {} MiB |",
            seen.disconnected,
            seen.disordered,
            seen.returned,
            seen.sent,
            seen.lost,
            seen.slowest_pong_ms,
            before / MIB,
            most / MIB,
        );
    }
    text
}

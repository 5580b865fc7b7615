//! The scenarios, what is promised of each, and whether it held.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};

use crate::children::Process;
use crate::clock;
use crate::figures::Times;
use crate::record::Record;
use crate::server::{READY_IN, RETURN_OVER};
use crate::simulated::simulate;
use crate::stuck;

/// What was promised, and what came out.
#[derive(Debug, Default)]
struct Verdict {
    failed: usize,
}

impl Verdict {
    fn figure(&self, what: &str, got: impl std::fmt::Display) {
        println!("| {what} | {got} | | |");
    }

    fn promise(&mut self, what: &str, got: f64, limit: f64, holds: bool) {
        let word = if holds { "yes" } else { "**no**" };
        println!("| {what} | {got:.3} | {limit} | {word} |");
        self.failed += usize::from(!holds);
    }

    fn at_most(&mut self, what: &str, got: f64, limit: f64) {
        self.promise(what, got, limit, got <= limit);
    }

    fn at_least(&mut self, what: &str, got: f64, limit: f64) {
        self.promise(what, got, limit, got >= limit);
    }
}

fn heading(text: &str) {
    println!("\n## {text}\n\n| what | measured | limit | holds |\n|---|--:|--:|---|");
}

pub(crate) async fn run_all(revoir: &str, clients: usize) -> anyhow::Result<()> {
    let mut verdict = Verdict::default();
    println!("# Storms of {clients} clients on one machine, all on 127.0.0.1");
    let plain = restart(revoir, clients, &mut verdict).await?;
    kill(revoir, clients, &mut verdict).await?;
    with_stuck_peers(clients, &plain, &mut verdict).await?;
    flood(&mut verdict).await?;
    if verdict.failed > 0 {
        bail!("{} promises did not hold", verdict.failed);
    }
    Ok(())
}

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// The part of the records that `holds`.
fn share(records: &[Record], holds: impl Fn(&Record) -> bool) -> f64 {
    let count = records.iter().filter(|record| holds(record)).count();
    count as f64 / records.len().max(1) as f64
}

/// SIGTERM; the successor starts on the same port when the old process is gone. Returns when the
/// connections ended, after the signal.
async fn restart(revoir: &str, clients: usize, verdict: &mut Verdict) -> anyhow::Result<Times> {
    let (server, address) = Process::server(any_port()).await?;
    let crowd = Process::clients("crowd", address, clients).await?;
    let beginning = clock::now();
    server.signal("TERM").await?;
    let report = server.gone().await?;
    let gone = clock::now() - beginning;
    let (successor, _) = Process::server(address).await?;
    let down = clock::now() - beginning;
    let records = crowd.records().await?;
    drop(successor);
    let (endings, returns) = (
        Times::of_endings(&records, beginning),
        Times::of_returns(&records, beginning),
    );
    heading("SIGTERM, and a new process on the same port");
    verdict.figure("the old process said", format!("`{report}`"));
    let told = share(&records, |record| record.code == 1012 && record.slot);
    verdict.at_least("share of clients that saw 1012 with a slot", told, 1.0);
    verdict.at_most("the old process was gone after, in s", gone, 3.0);
    let once = share(&records, |record| {
        record.attempts.len() == 1 && record.up_at.is_some()
    });
    verdict.at_least("share of clients back with one attempt", once, 0.95);
    let back = returns.len() as f64 / clients as f64;
    verdict.at_least("share of clients back", back, 1.0);
    let mean = clients as f64 / RETURN_OVER.as_secs_f64();
    let peak = returns.fullest(1.0) as f64 / mean;
    verdict.at_most("peak second of returns over the mean second", peak, 1.25);
    let args = [
        format!("--down={:.0}ms", down * 1e3),
        format!("--ready-in={}s", READY_IN.as_secs()),
        format!("--return-over={}s", RETURN_OVER.as_secs()),
    ];
    beside_simulation(revoir, &args, &records, beginning, verdict)?;
    Ok(endings)
}

/// SIGKILL; the successor starts at once.
async fn kill(revoir: &str, clients: usize, verdict: &mut Verdict) -> anyhow::Result<()> {
    let (server, address) = Process::server(any_port()).await?;
    let crowd = Process::clients("crowd", address, clients).await?;
    let beginning = clock::now();
    server.signal("KILL").await?;
    server.gone().await?;
    let (successor, _) = Process::server(address).await?;
    let down = clock::now() - beginning;
    let records = crowd.records().await?;
    drop(successor);
    heading("SIGKILL, and a new process on the same port");
    let cut = share(&records, |record| record.code == 1006);
    verdict.at_least("share of clients that saw 1006", cut, 1.0);
    let attempts = Times::of_attempts(&records, beginning);
    let slot = attempts.fullest(0.1) as f64 / clients as f64;
    verdict.at_most(
        "attempts in the fullest 100 ms, as a share of the clients",
        slot,
        0.06,
    );
    let back = Times::of_returns(&records, beginning).len() as f64 / clients as f64;
    verdict.at_least("share of clients back", back, 1.0);
    let args = [
        format!("--down={:.0}ms", down * 1e3),
        "--ending=1006".to_owned(),
    ];
    beside_simulation(revoir, &args, &records, beginning, verdict)
}

/// The same storm, simulated with a server that takes all.
fn beside_simulation(
    revoir: &str,
    args: &[String],
    records: &[Record],
    beginning: f64,
    verdict: &Verdict,
) -> anyhow::Result<()> {
    let clients = records.len();
    let common = [
        format!("--clients={clients}"),
        "--capacity=1000000".to_owned(),
    ];
    let simulated = simulate(revoir, &[&common[..], args].concat())?;
    let attempts = Times::of_attempts(records, beginning);
    let returns = Times::of_returns(records, beginning);
    let once = records
        .iter()
        .filter(|record| record.attempts.len() == 1)
        .count();
    let both = |what: &str, real: f64, simulated: f64| {
        let what = format!("{what}, real / simulated");
        verdict.figure(&what, format!("{real:.2} / {simulated:.2}"));
    };
    let seconds = |ms: Option<u64>| ms.map_or(f64::NAN, |ms| ms as f64 / 1e3);
    both("attempts", attempts.len() as f64, simulated.attempts as f64);
    both(
        "clients with one attempt",
        once as f64,
        simulated.first_try.into(),
    );
    both(
        "attempts in the fullest 100 ms",
        attempts.fullest(0.1) as f64,
        simulated.fullest_100ms.into(),
    );
    both(
        "attempts in the fullest second",
        attempts.fullest(1.0) as f64,
        simulated.fullest_second as f64,
    );
    both(
        "half back after, in s",
        returns.quantile(0.5),
        seconds(simulated.half_back_ms),
    );
    both(
        "99 of 100 back after, in s",
        returns.quantile(0.99),
        seconds(simulated.nearly_back_ms),
    );
    Ok(())
}

/// As [`restart`], while one of ten peers never answers or never reads. `plain`: without them.
async fn with_stuck_peers(
    clients: usize,
    plain: &Times,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let (server, address) = Process::server(any_port()).await?;
    let crowd = Process::clients("crowd", address, clients).await?;
    let peers = stuck::open(address, clients / 10).await?;
    let beginning = clock::now();
    server.signal("TERM").await?;
    let report = server.gone().await?;
    let gone = clock::now() - beginning;
    let (successor, _) = Process::server(address).await?;
    let records = crowd.records().await?;
    drop((successor, peers));
    heading("SIGTERM while one of ten peers never answers, and half of those never read");
    verdict.figure("the old process said", format!("`{report}`"));
    verdict.figure("the old process was gone after, in s", format!("{gone:.3}"));
    let told = share(&records, |record| record.code == 1012 && record.slot);
    verdict.at_least(
        "share of the other clients that saw 1012 with a slot",
        told,
        1.0,
    );
    let endings = Times::of_endings(&records, beginning);
    let slower = |what: &str, with: f64, without: f64, verdict: &mut Verdict| {
        let what = format!("{what}, over that without them ({without:.3} s)");
        verdict.at_most(&what, with / without, 1.05);
    };
    slower(
        "mean time until a client is closed",
        endings.mean(),
        plain.mean(),
        verdict,
    );
    slower(
        "time until 99 of 100 are closed",
        endings.quantile(0.99),
        plain.quantile(0.99),
        verdict,
    );
    Ok(())
}

/// SIGTERM while every client sends as fast as it can.
async fn flood(verdict: &mut Verdict) -> anyhow::Result<()> {
    const FLOODING: usize = 500;
    let (server, address) = Process::server(any_port()).await?;
    let clients = Process::clients("flood", address, FLOODING).await?;
    server.signal("TERM").await?;
    let records = clients.records().await?;
    let report = server.gone().await.context("the server")?;
    heading("SIGTERM while 500 clients send as fast as they can");
    verdict.figure("the server said", format!("`{report}`"));
    let told = share(&records, |record| record.code == 1012);
    verdict.at_least("share of clients that saw 1012", told, 1.0);
    let reset = share(&records, |record| record.finish == "reset");
    verdict.at_most("share of clients that saw a reset", reset, 0.0);
    Ok(())
}

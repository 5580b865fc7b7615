//! The gateway in front of backends that are not ours: `cargo xtask gateway`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::time::sleep;

use crate::backend::Kind;
use crate::scenario::{Way, play};

mod backend;
mod check;
mod client;
mod scenario;

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [gateway, node, python, seconds] => run(gateway, node, python, seconds).await,
        _ => Err(anyhow::anyhow!("run it by `cargo xtask gateway`")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// All backends beside each other, each in every way.
async fn run(gateway: &str, node: &str, python: &str, seconds: &str) -> anyhow::Result<()> {
    let away = Duration::from_secs(seconds.parse().context("seconds are a number")?);
    let peers = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers");
    let own = std::env::current_exe()?;
    let axum = own.with_file_name(format!(
        "examples/axum_backend{}",
        std::env::consts::EXE_SUFFIX
    ));
    let kinds = [
        Kind {
            name: "ws",
            command: vec!["node".into(), peers.join("backend.mjs"), node.into()],
        },
        Kind {
            name: "websockets",
            command: vec![python.into(), peers.join("backend.py")],
        },
        Kind {
            name: "axum",
            command: vec![axum],
        },
    ];
    let gateway = PathBuf::from(gateway);
    let running = kinds.map(|kind| {
        let gateway = gateway.clone();
        tokio::spawn(async move {
            let mut failures = Vec::new();
            for way in Way::ALL {
                let name = format!("{} {way}", kind.name);
                match play(&gateway, &kind, way, away).await {
                    Ok(shown) => report(&format!(
                        "{name}: {} sent, {} answered, {} with the lost backend",
                        shown.sent, shown.answered, shown.unread
                    )),
                    Err(error) => failures.push(format!("{name}: {error:#}")),
                }
            }
            failures
        })
    });
    let mut failures = Vec::new();
    for running in running {
        failures.extend(running.await?);
    }
    if !failures.is_empty() {
        bail!("clients have noticed:\n  {}", failures.join("\n  "));
    }
    Ok(())
}

/// Waits until `holds`.
async fn until(limit: Duration, mut holds: impl FnMut() -> bool) -> anyhow::Result<()> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > limit {
            bail!("not within {} s", limit.as_secs());
        }
        sleep(LOOK).await;
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the one place where the program talks")]
fn report(text: &str) {
    eprintln!("{text}");
}

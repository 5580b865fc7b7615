//! Backends that are not ours: on `ws`, on `websockets`, and an axum application.

mod backend;
mod check;
mod client;
mod scenario;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use revoir_conformance::report;

use crate::way::Way;
use backend::Kind;
use scenario::play;

/// All backends beside each other, each in every way.
pub(crate) async fn run(
    gateway: &str,
    node: &str,
    python: &str,
    seconds: &str,
) -> anyhow::Result<()> {
    let away = Duration::from_secs(seconds.parse().context("seconds are a number")?);
    let peers = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("outage/peers");
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

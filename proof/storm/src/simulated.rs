//! The same storm by `revoir simulate`.

use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

/// What the simulation says.
#[derive(Debug, Deserialize)]
pub(crate) struct Simulated {
    pub(crate) attempts: u64,
    pub(crate) first_try: u32,
    pub(crate) fullest_100ms: u32,
    pub(crate) fullest_second: u64,
    pub(crate) half_back_ms: Option<u64>,
    pub(crate) nearly_back_ms: Option<u64>,
}

/// Runs the program `revoir` for the policy `default`.
pub(crate) fn simulate(revoir: &str, args: &[String]) -> anyhow::Result<Simulated> {
    let output = Command::new(revoir)
        .args(["simulate", "--json", "--policy", "default"])
        .args(args)
        .output()
        .with_context(|| format!("start {revoir}"))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

//! `cargo xtask gateway`: our gateway before backends that are not ours, which go away.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::interop::install_peers;
use crate::process::Running;
use crate::report;

/// The whole run, installing and building included.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Installs the peers as `cargo xtask interop` does, and plays every scenario of
/// `conformance/gateway` with backends that are away for so many seconds.
pub(crate) fn run(seconds: u32) -> anyhow::Result<()> {
    let begin = Instant::now();
    let deadline = begin + LIMIT;
    let (_, node, python) = install_peers(deadline)?;
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--package", "revoir-cli"])
        .args(["--package", "revoir-backends"])
        .current_dir(crate::root());
    Running::start(&mut build)?.succeed(deadline)?;
    let programs = crate::root().join("target/debug");
    let mut scenarios = Command::new(programs.join("revoir-backends"));
    scenarios
        .args([&programs.join("revoir"), &node, &python])
        .arg(seconds.to_string())
        .current_dir(crate::root());
    Running::start(&mut scenarios)?.succeed(deadline)?;
    report(&format!("took {} s", begin.elapsed().as_secs()));
    Ok(())
}

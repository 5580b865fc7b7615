//! `cargo xtask gateway`: our gateway before backends that are not ours, which go away.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::peers;
use crate::process::Running;
use crate::programs::Programs;

/// The whole run, installing included.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Installs the peers, and plays every scenario of
/// `conformance/outage` with backends that are away for so many seconds.
pub(crate) fn run(programs: &Programs, seconds: u32) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let (node, python) = peers::install(deadline)?;
    let mut scenarios = Command::new(programs.program("revoir-outage"));
    scenarios
        .arg("others")
        .args([&programs.program("revoir"), &node, &python])
        .arg(seconds.to_string())
        .current_dir(crate::root());
    Running::start(&mut scenarios)?.succeed(deadline)
}

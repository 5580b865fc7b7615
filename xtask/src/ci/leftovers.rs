//! Processes that a run has left behind.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// `.ci/run` sets it to a value of its own. Processes hand it to those they start.
pub(crate) const MARK: &str = "REVOIR_CI_RUN";

/// How long a process that was told to end has for it.
const GRACE: Duration = Duration::from_secs(5);

/// Fails if processes of this run go on that none of the running ones waits for.
pub(super) fn check(run: &str) -> anyhow::Result<()> {
    let mark = format!("{MARK}={run}");
    let deadline = Instant::now() + GRACE;
    loop {
        let left = left(&mark)?;
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            bail!("left behind, and still running:\n  {}", left.join("\n  "));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Ends what a run has left behind, and says what it was.
pub(crate) fn end(run: &str) -> anyhow::Result<Vec<String>> {
    let left = left(&format!("{MARK}={run}"))?;
    for process in &left {
        let id = process.split(' ').next().unwrap_or_default();
        // One that ends by itself meanwhile is as good.
        let _ = Command::new("kill").args(["-KILL", id]).status();
    }
    Ok(left)
}

/// The numbers and command lines of processes with the mark, but for this one and its ancestors.
fn left(mark: &str) -> anyhow::Result<Vec<String>> {
    let ours = ancestors()?;
    let mut left = Vec::new();
    for process in fs::read_dir("/proc").context("this needs a /proc, as Linux has it")? {
        let process = process?;
        let Some(id) = process.file_name().to_str().and_then(|id| id.parse().ok()) else {
            continue;
        };
        // Unreadable: of another user, or gone since.
        let Ok(environment) = fs::read(process.path().join("environ")) else {
            continue;
        };
        let mut variables = environment.split(|byte| *byte == 0);
        if !ours.contains(&id) && variables.any(|variable| variable == mark.as_bytes()) {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            left.push(format!("{id} {}", line.trim_end()));
        }
    }
    Ok(left)
}

/// This process, its parent, and so on.
fn ancestors() -> anyhow::Result<Vec<u32>> {
    let mut ancestors = vec![std::process::id()];
    while let Some(&id) = ancestors.last()
        && id > 1
    {
        let path = format!("/proc/{id}/stat");
        let stat = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        let parent = stat
            .rsplit_once(") ")
            .and_then(|(_, fields)| fields.split(' ').nth(1)?.parse().ok());
        ancestors.push(parent.with_context(|| format!("no parent in {path}"))?);
    }
    Ok(ancestors)
}

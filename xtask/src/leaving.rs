//! `cargo xtask leaving`: what our server is told when a page goes away.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::Running;
use crate::programs::Programs;
use crate::tools;

/// Installing included.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Lets a page go away in every way, and compares with `docs/browser.md`; `write` writes that.
pub(crate) fn run(programs: &Programs, write: bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let mut leaving = Command::new(programs.program("revoir-leaving"));
    leaving
        .arg(tools::find_chromium(deadline)?)
        .arg(crate::root().join("target/leaving"))
        .args(write.then_some("--write"))
        .current_dir(crate::root());
    Running::start(&mut leaving)?.succeed(deadline)
}

//! `cargo xtask session`: the vectors of sessions, against a client that was made from the page.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::process::Running;
use crate::tools;

/// Installing included.
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// Plays `testdata/session` against `conformance/session/client.mjs`, in Node.
pub(crate) fn run() -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    if !tools::runs(Command::new("node").arg("--version")) {
        tools::apt_install(&["nodejs"], deadline)
            .context("this needs Node.js, and `node` does not run")?;
    }
    let mut check = Command::new("node");
    check
        .arg("conformance/session/check.mjs")
        .current_dir(crate::root());
    Running::start(&mut check)?.succeed(deadline)
}

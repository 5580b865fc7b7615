//! `cargo xtask session`: a client of sessions that was made from the page, against the vectors and the library.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::peers;
use crate::process::Running;
use crate::programs::Programs;

/// Installing included.
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// Plays `testdata/session` against `conformance/session/client.mjs`, in Node; then that client, over npm `ws` and a proxy
/// that cuts connections, against the server of the examples, and through the gateway to backends of npm and Python.
pub(crate) fn run(programs: &Programs) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    // Node.js among it.
    let (node, python) = peers::install(deadline)?;
    let mut check = Command::new("node");
    check
        .arg("conformance/session/check.mjs")
        .current_dir(crate::root());
    Running::start(&mut check)?.succeed(deadline)?;
    let mut live = Command::new("node");
    live.arg("conformance/session/live.mjs")
        .arg(programs.example("session_server"))
        .arg(&node)
        .current_dir(crate::root());
    Running::start(&mut live)?.succeed(deadline)?;
    let mut gateway = Command::new("node");
    gateway
        .arg("conformance/session/gateway.mjs")
        .args([&programs.program("revoir"), &python, &node])
        .current_dir(crate::root());
    Running::start(&mut gateway)?.succeed(deadline)
}

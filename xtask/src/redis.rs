//! `cargo xtask redis`: the store of sessions against Redis, Sentinel and a cluster, and what happens to them.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::process::Running;
use crate::tools;

/// Building and installing included.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// What is compiled for the tests. The features of dependencies follow from it, and so what is compiled again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// The store and what it stands on: quick from nothing.
    Store,
    /// Every test `it`, as `.ci/run` has built them: nothing is left to do.
    Workspace,
}

/// The tests that start servers, `redis-server` or another that speaks as it does.
pub(crate) fn run(server: &str, scope: Scope) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    install(server, deadline)?;
    let mut test = Command::new("cargo");
    let scope: &[&str] = match scope {
        Scope::Store => &["--package", "revoir-store"],
        Scope::Workspace => &["--workspace"],
    };
    test.arg("test")
        .args(scope)
        .args(["--features", "revoir-store/redis"])
        .args(["--test", "it", "redis::", "--", "--ignored"])
        .env("REVOIR_REDIS_SERVER", server)
        .current_dir(crate::root());
    Running::start(&mut test)?.succeed(deadline)
}

/// # Errors
///
/// It cannot be had: what it is for is not checked.
pub(crate) fn install(server: &str, deadline: Instant) -> anyhow::Result<()> {
    if !tools::runs(Command::new(server).arg("--version")) {
        tools::apt_install(&[server], deadline)
            .with_context(|| format!("NOT CHECKED: `{server}` does not run"))?;
        ensure!(
            tools::runs(Command::new(server).arg("--version")),
            "NOT CHECKED: `{server}` was installed and does not run"
        );
    }
    Ok(())
}

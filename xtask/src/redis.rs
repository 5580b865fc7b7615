//! `cargo xtask redis`: the store of sessions against Redis, Sentinel and a cluster, and what happens to them.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::process::Running;
use crate::tools;

/// Building and installing included.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// The tests that start servers, `redis-server` or another that speaks as it does.
pub(crate) fn run(server: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    install(server, deadline)?;
    let mut test = cargo_test();
    test.args(["redis::", "--", "--ignored"])
        .env("REVOIR_REDIS_SERVER", server);
    Running::start(&mut test)?.succeed(deadline)
}

/// Compiles them: with fewer features of what they stand on than the workspace has, and so most of that again.
pub(crate) fn build() -> anyhow::Result<()> {
    Running::start(cargo_test().arg("--no-run"))?.succeed(Instant::now() + LIMIT)
}

fn cargo_test() -> Command {
    let mut test = Command::new("cargo");
    test.args(["test", "--package", "revoir-store", "--features", "redis"])
        .args(["--test", "it"])
        .current_dir(crate::root());
    test
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

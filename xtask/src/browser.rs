//! `cargo xtask browser`: the pages of `revoir serve` in a real browser.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::Running;
use crate::programs::Programs;
use crate::tools;

/// The whole run, installing included.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Installs axe-core under `target/browser`, and has `conformance/pages` look at
/// every kind of page. With `pictures`, a folder, it also writes what it sees.
pub(crate) fn run(programs: &Programs, pictures: Option<&str>) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let (folder, axe) = install_axe(deadline)?;
    let chromium = tools::find_chromium(deadline)?;

    let mut pages = Command::new(programs.program("revoir-pages"));
    pages
        .arg(chromium)
        .arg(programs.program("revoir"))
        .arg(axe)
        .arg(folder.join("profile"))
        .args(pictures.map(|_| "--screenshots"))
        .args(pictures)
        .current_dir(crate::root());
    Running::start(&mut pages)?.succeed(deadline)
}

/// The folder that it is installed in, and the file of axe-core.
pub(crate) fn install_axe(deadline: Instant) -> anyhow::Result<(PathBuf, PathBuf)> {
    let folder = crate::root().join("target/browser");
    let node = folder.join("node");
    tools::install_npm(
        &crate::root().join("conformance/pages/tools"),
        &node,
        deadline,
    )?;
    let axe = node.join("node_modules/axe-core/axe.min.js");
    Ok((folder, axe))
}

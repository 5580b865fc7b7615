//! `cargo xtask browser`: the pages of `revoir serve` in a real browser.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::Running;
use crate::{report, tools};

/// The whole run, installing and building included.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Builds the program, installs axe-core under `target/browser`, and has `conformance/pages` look at
/// every kind of page. With `pictures`, a folder, it also writes what it sees.
pub(crate) fn run(pictures: Option<&str>) -> anyhow::Result<()> {
    let begin = Instant::now();
    let deadline = begin + LIMIT;
    let root = crate::root();
    let folder = root.join("target/browser");
    let node = folder.join("node");
    tools::install_npm(&root.join("conformance/pages/tools"), &node, deadline)?;
    let chromium = tools::find_chromium(deadline)?;

    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--package", "revoir-cli"])
        .current_dir(&root);
    Running::start(&mut build)?.succeed(deadline)?;
    let mut pages = Command::new(env!("CARGO"));
    pages
        .args(["run", "--quiet", "--package", "revoir-pages", "--"])
        .arg(chromium)
        .arg(root.join("target/debug/revoir"))
        .arg(node.join("node_modules/axe-core/axe.min.js"))
        .arg(folder.join("profile"))
        .args(pictures.map(|_| "--screenshots"))
        .args(pictures)
        .current_dir(&root);
    Running::start(&mut pages)?.succeed(deadline)?;
    report(&format!("took {} s", begin.elapsed().as_secs()));
    Ok(())
}

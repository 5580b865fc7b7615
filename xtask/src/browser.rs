//! `cargo xtask browser`: the pages of `revoir serve` in real browsers.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::Running;
use crate::programs::Programs;
use crate::tools;

/// The whole run, installing included.
const LIMIT: Duration = Duration::from_secs(30 * 60);
const LIMIT_ALL: Duration = Duration::from_secs(3 * 60 * 60);

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task<'a> {
    /// Every kind of page in every language is looked at, and every button pressed.
    Kinds,
    /// Every page is looked at, or every page in a language: before a release.
    All(Option<&'a str>),
    /// Pictures are written into a folder.
    Pictures(&'a str),
}

/// Installs axe-core under `target/browser`, and has `conformance/pages` look at the pages.
pub(crate) fn run(programs: &Programs, task: Task<'_>) -> anyhow::Result<()> {
    let limit = match task {
        Task::All(_) => LIMIT_ALL,
        Task::Kinds | Task::Pictures(_) => LIMIT,
    };
    let deadline = Instant::now() + limit;
    let (folder, axe) = install_axe(deadline)?;
    let chromium = tools::find_chromium(deadline)?;
    let firefox = tools::find_firefox(deadline)?;
    tools::find_fonts(deadline)?;

    let mut pages = Command::new(programs.program("revoir-pages"));
    pages
        .args([chromium, firefox])
        .arg(programs.program("revoir"))
        .arg(axe)
        .arg(folder.join("profile"))
        .current_dir(crate::root());
    match task {
        Task::Kinds => {}
        Task::All(language) => {
            pages.arg("--all").args(language);
        }
        Task::Pictures(folder) => {
            pages.args(["--screenshots", folder]);
        }
    }
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

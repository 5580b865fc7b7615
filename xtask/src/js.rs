//! `cargo xtask js`: the browser client, in Node and in browsers; the scripts that the site has of it; and the
//! search of the site, in the page as on the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::Running;
use crate::programs::Programs;
use crate::tools;

/// The whole run, installing included.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// What a developer may have in the folder, and what is generated.
const NOT_COPIED: [&str; 2] = ["node_modules", "dist"];

/// The package as scripts for the pages of the site, which `npm run classic` writes.
const SCRIPTS: [&str; 2] = [
    "crates/revoir-site/assets/revoir.js",
    "crates/revoir-site/assets/revoir-policy.js",
];

/// Which engines the package is checked in, and whether what they do is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engines {
    /// In Chromium and Firefox.
    Usual,
    /// In WebKitGTK as well.
    All,
    /// In all of them, and what they do is written into the README of the package.
    Write,
}

/// Copies the package into `target/js`, where its tools are, and checks it there.
pub(crate) fn run(programs: &Programs, engines: Engines) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let package = install(deadline)?;
    let chromium = tools::find_chromium(deadline)?;
    let firefox = tools::find_firefox(deadline)?;
    let mut check = Command::new("node");
    check
        .arg("scripts/check.mjs")
        .env("REVOIR", programs.program("revoir"))
        .env("SESSION_SERVER", programs.example("session_server"))
        .env("CHROMIUM", &chromium)
        .env("FIREFOX", &firefox)
        .current_dir(&package);
    if engines != Engines::Usual {
        check.env("WEBKIT", tools::find_webkit(deadline)?);
    }
    if engines == Engines::Write {
        check.env("WRITE", "1");
    }
    Running::start(&mut check)?.succeed(deadline)?;
    // The page searches and ranks causes as the programs do, and its lab tells what happens.
    let mut of_pages = Vec::new();
    for script in ["matcher.mjs", "diagnosis.mjs", "lab.mjs"] {
        let mut of_page = Command::new("node");
        of_page
            .arg(crate::root().join("crates/revoir-site/tests").join(script))
            .env("REVOIR", programs.program("revoir"))
            .env("WS", package.join("node_modules/ws"))
            .env("BROWSERS", package.join("engines/browsers.mjs"))
            .env("CHROMIUM", &chromium)
            .env("FIREFOX", &firefox);
        if engines != Engines::Usual {
            of_page.env("WEBKIT", tools::find_webkit(deadline)?);
        }
        if engines == Engines::Write && script == "lab.mjs" {
            of_page.arg("--write");
        }
        of_pages.push(Running::start(&mut of_page)?);
    }
    for of_page in of_pages {
        of_page.succeed(deadline)?;
    }
    if engines == Engines::Write {
        for name in ["README.md", "conformance.md"] {
            let file = Path::new("clients/js").join(name);
            fs::copy(package.join(name), crate::root().join(&file))
                .with_context(|| format!("write {}", file.display()))?;
        }
    }
    Ok(())
}

/// Installs the tools of the package and its peers, and copies its files to them. The suite takes the
/// network away from browsers, in network namespaces: that takes `ip`, and the rights to make them.
pub(crate) fn install(deadline: Instant) -> anyhow::Result<PathBuf> {
    let source = crate::root().join("clients/js");
    let package = crate::root().join("target/js");
    if !tools::runs(Command::new("ip").arg("-V")) {
        tools::apt_install(&["iproute2"], deadline).context("`ip` does not run")?;
    }
    tools::install_npm(&source, &package, deadline)?;
    tools::install_npm(&source.join("bench"), &package.join("bench"), deadline)?;
    copy(&source, &package)?;
    Ok(package)
}

/// Makes `to` the same as `from`, but for what is installed and generated.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    const INSTALLED: [&str; 2] = ["installed.txt", "bench"];
    for entry in fs::read_dir(to).with_context(|| format!("read {}", to.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| NOT_COPIED.contains(&name) || INSTALLED.contains(&name)) {
            continue;
        }
        if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        }
        .with_context(|| format!("remove {}", path.display()))?;
    }
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if NOT_COPIED.contains(&name) {
            continue;
        }
        let target = to.join(name);
        if path.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target).with_context(|| format!("copy {}", path.display()))?;
        }
    }
    Ok(())
}

/// Whether the scripts of the site are what was made from the sources of the package as they are.
/// Each names the hashes of both in its first line, so that nobody needs npm to know.
pub(crate) fn check_scripts() -> anyhow::Result<()> {
    let sources = sha1(&sources(&crate::root().join("clients/js/src"))?);
    for path in SCRIPTS {
        let script = fs::read_to_string(crate::root().join(path)).context(path)?;
        let (head, body) = script.split_once('\n').unwrap_or_default();
        if !head.ends_with(&format!("sources {sources}, script {}", sha1(body))) {
            bail!(
                "{path} is out of date: run `npm ci && npm run build && npm run classic` in clients/js"
            );
        }
    }
    Ok(())
}

/// Each source file by its path, in order: path, a line end, text. As in clients/js/scripts/classic.mjs.
fn sources(folder: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(within) = folders.pop() {
        let entries =
            fs::read_dir(&within).with_context(|| format!("read {}", within.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ts") {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("read {}", path.display()))?;
                let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
                files.push(format!("{name}\n{text}"));
            }
        }
    }
    files.sort();
    Ok(files.concat())
}

fn sha1(text: &str) -> String {
    sha1_smol::Sha1::from(text).digest().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_of_the_site_are_fresh() {
        check_scripts().unwrap();
    }
}

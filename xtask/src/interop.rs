//! `cargo xtask interop`: our library against `ws`, `websockets` and Chromium.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::Running;
use crate::report;

/// The whole run, installing and building included.
const LIMIT: Duration = Duration::from_secs(20 * 60);

const NO_PYTHON: &str = "\
no Python 3.10 or newer with the modules venv and ensurepip is on the PATH or under ~/.pyenv/versions. \
Debian has it as `apt-get install python3-venv`";

/// Installs the peers under `target/interop`, plays every case, and compares with
/// `conformance/interop/expectations.toml` and `docs/browser.md`; `write` writes the latter.
pub(crate) fn run(write: bool) -> anyhow::Result<()> {
    let begin = Instant::now();
    let deadline = begin + LIMIT;
    let (folder, node, python) = install_peers(deadline)?;
    let chromium = find_chromium(deadline)?;

    let mut cases = Command::new(env!("CARGO"));
    cases
        .args(["run", "--quiet", "--package", "revoir-interop", "--"])
        .args([&node, &python, &chromium, &folder.join("profiles")])
        .args(write.then_some("--write"))
        .current_dir(crate::root());
    Running::start(&mut cases)?.succeed(deadline)?;
    report(&format!("took {} s", begin.elapsed().as_secs()));
    Ok(())
}

/// The folder that peers are installed in, that of `ws` in it, and a Python that has `websockets`.
pub(crate) fn install_peers(deadline: Instant) -> anyhow::Result<(PathBuf, PathBuf, PathBuf)> {
    let pins = crate::root().join("conformance/interop/peers");
    let folder = crate::root().join("target/interop");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let node = install_ws(&pins, &folder, deadline)?;
    let python = install_websockets(&pins, &folder, deadline)?;
    Ok((folder, node, python))
}

/// The folder with `ws` in its `node_modules`, at the version and hash of the lock file.
fn install_ws(pins: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<PathBuf> {
    for program in ["node", "npm"] {
        if !runs(Command::new(program).arg("--version")) {
            apt_install(&["nodejs", "npm"], deadline)
                .with_context(|| format!("the cases need Node.js, and `{program}` does not run"))?;
        }
    }
    let node = folder.join("node");
    let lock = "package-lock.json";
    install(&node, &pins.join(lock), |node| {
        fs::create_dir_all(node)?;
        for file in ["package.json", lock, ".npmrc"] {
            fs::copy(pins.join(file), node.join(file)).with_context(|| format!("copy {file}"))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(node);
        Running::start(&mut npm)?.succeed(deadline)
    })?;
    Ok(node)
}

/// A Python that has `websockets`, at the version and hash of `requirements.txt`.
fn install_websockets(pins: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<PathBuf> {
    let requirements = pins.join("requirements.txt");
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    install(&venv, &requirements, |venv| {
        let system = find_python()?;
        Running::start(Command::new(system).args(["-m", "venv"]).arg(venv))?.succeed(deadline)?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "--require-hashes", "-r"])
            .arg(&requirements);
        Running::start(&mut pip)?.succeed(deadline)
    })?;
    Ok(python)
}

/// Fills `folder`, unless it was filled from the same `pins` before.
fn install(
    folder: &Path,
    pins: &Path,
    fill: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let wanted = fs::read_to_string(pins).with_context(|| format!("read {}", pins.display()))?;
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    report(&format!("installing into {}", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    fill(folder).with_context(|| format!("install into {}", folder.display()))?;
    fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))
}

/// The first Python that is new enough: what pyenv puts on the PATH may be a name only.
fn find_python() -> anyhow::Result<PathBuf> {
    const CHECK: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
    let mut candidates = vec![PathBuf::from("python3")];
    if let Some(home) = std::env::var_os("HOME") {
        let versions = Path::new(&home).join(".pyenv/versions");
        for version in fs::read_dir(versions).into_iter().flatten().flatten() {
            candidates.push(version.path().join("bin/python3"));
        }
    }
    candidates
        .into_iter()
        .find(|python| runs(Command::new(python).args(["-c", CHECK])))
        .context(NO_PYTHON)
}

/// Chromium by one of its names, installed if there is none and that is possible.
fn find_chromium(deadline: Instant) -> anyhow::Result<PathBuf> {
    const NAMES: [&str; 4] = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let find = || {
        NAMES
            .into_iter()
            .find(|name| runs(Command::new(name).arg("--version")))
            .map(PathBuf::from)
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    apt_install(&["chromium"], deadline).context("the cases need Chromium, and there is none")?;
    find().context("Chromium was installed and does not run")
}

/// Installs packages of Debian, where that is possible.
fn apt_install(packages: &[&str], deadline: Instant) -> anyhow::Result<()> {
    let packages_text = packages.join(" ");
    let user = Command::new("id")
        .arg("-u")
        .output()
        .context("start `id`")?;
    let is_root = user.stdout.trim_ascii() == b"0";
    if !is_root || !runs(Command::new("apt-get").arg("--version")) {
        bail!("install it, on Debian by `apt-get install {packages_text}`");
    }
    report(&format!("installing {packages_text}"));
    let mut update = Command::new("apt-get");
    update.args(["update", "-qq"]);
    Running::start(&mut update)?.succeed(deadline)?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    Running::start(&mut install)?.succeed(deadline)
}

/// Whether the command is there and succeeds. What it prints is not shown.
fn runs(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

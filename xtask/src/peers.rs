//! `ws` and `websockets`, which several commands play against, as `conformance/peers` pins them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::Context;

use crate::process::Running;
use crate::tools;

const NO_PYTHON: &str = "\
no Python 3.10 or newer with the modules venv and ensurepip is on the PATH or under ~/.pyenv/versions";

/// The folder of `ws`, and a Python that has `websockets`.
pub(crate) fn install(deadline: Instant) -> anyhow::Result<(PathBuf, PathBuf)> {
    Ok((install_ws(deadline)?, install_websockets(deadline)?))
}

/// A folder in which Node finds `ws`, at the version of `package-lock.json`.
fn install_ws(deadline: Instant) -> anyhow::Result<PathBuf> {
    let node = folder()?.join("node");
    tools::install_npm(&pins(), &node, deadline)?;
    Ok(node)
}

/// A Python that has `websockets`, at the version and hash of `requirements.txt`.
pub(crate) fn install_websockets(deadline: Instant) -> anyhow::Result<PathBuf> {
    let venv = folder()?.join("venv");
    install_python(&pins(), &venv, &["--require-hashes"], deadline)
}

/// Where versions are pinned.
fn pins() -> PathBuf {
    crate::root().join("conformance/peers")
}

/// The folder that peers are installed in.
fn folder() -> anyhow::Result<PathBuf> {
    let folder = crate::root().join("target/peers");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    Ok(folder)
}

/// A Python in `venv` that has what `requirements.txt` of `pins` names.
pub(crate) fn install_python(
    pins: &Path,
    venv: &Path,
    options: &[&str],
    deadline: Instant,
) -> anyhow::Result<PathBuf> {
    let requirements = pins.join("requirements.txt");
    let python = venv.join("bin/python");
    tools::install(venv, &requirements, |venv| {
        if find_python().is_none() {
            tools::apt_install(&["python3-venv"], deadline).context(NO_PYTHON)?;
        }
        let system = find_python().context(NO_PYTHON)?;
        Running::start(Command::new(system).args(["-m", "venv"]).arg(venv))?.succeed(deadline)?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check"])
            .args(options)
            .arg("-r")
            .arg(&requirements);
        Running::start(&mut pip)?.succeed(deadline)
    })?;
    Ok(python)
}

/// The first Python that is new enough: what pyenv puts on the PATH may be a name only.
fn find_python() -> Option<PathBuf> {
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
        .find(|python| tools::runs(Command::new(python).args(["-c", CHECK])))
}

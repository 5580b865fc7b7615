//! What `cargo metadata` says of packages.

#[cfg(test)]
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A package, whoever wrote it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) description: Option<String>,
    pub(super) keywords: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) license: Option<String>,
    /// The oldest Rust that compiles it; None if it does not say.
    pub(super) rust_version: Option<String>,
    pub(super) repository: Option<String>,
    /// None for a path.
    pub(super) source: Option<String>,
    /// None: to any registry.
    pub(super) publish: Option<Vec<String>>,
    pub(super) manifest_path: String,
    pub(super) dependencies: Vec<Dependency>,
    #[cfg(test)]
    pub(super) targets: Vec<Target>,
}

/// What is compiled of a package.
#[cfg(test)]
#[derive(Debug, Default, Deserialize)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) kind: Vec<String>,
    pub(super) src_path: PathBuf,
    /// Whether its unit tests are run.
    pub(super) test: bool,
    /// Whether the examples in its docs are.
    pub(super) doctest: bool,
}

/// What a package says of another that it needs.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) req: String,
    pub(super) features: Vec<String>,
    pub(super) uses_default_features: bool,
    /// None: crates.io.
    pub(super) path: Option<String>,
}

/// The packages. `which`: an option that says which, or with which features.
pub(super) fn packages(which: &str) -> anyhow::Result<Vec<Package>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", which])
        .current_dir(crate::root())
        .output()
        .context("start cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("read the answer of `cargo metadata`")?;
    Ok(metadata.packages)
}

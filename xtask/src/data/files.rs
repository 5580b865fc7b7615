//! Files of the data, and where they lie.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::de::DeserializeOwned;

/// The folder of `revoir-codes`.
pub(crate) fn codes_crate() -> PathBuf {
    crate::root().join("crates/revoir-codes")
}

/// Reads one file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("in {}", path.display()))
}

/// Reads every TOML file of a folder, in the order of their names.
pub(super) fn read_folder<T: DeserializeOwned>(folder: &Path) -> anyhow::Result<Vec<T>> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .with_context(|| format!("read {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

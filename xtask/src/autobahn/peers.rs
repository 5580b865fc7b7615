//! The programs that the suite plays with.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Our two ends.
pub(super) struct Peers {
    pub(super) server: PathBuf,
    pub(super) client: PathBuf,
}

/// A new file for what a process prints.
pub(super) fn log(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("create {}", path.display()))
}

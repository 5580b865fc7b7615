//! What `cargo metadata` says of packages.

use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Metadata<P> {
    packages: Vec<P>,
}

/// The packages, each with the fields that `P` has. `which`: an option that says which packages, or
/// with which features.
pub(super) fn packages<P: DeserializeOwned>(which: &str) -> anyhow::Result<Vec<P>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", which])
        .current_dir(crate::root())
        .output()
        .context("start cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    let metadata: Metadata<P> =
        serde_json::from_slice(&output.stdout).context("read the answer of `cargo metadata`")?;
    Ok(metadata.packages)
}

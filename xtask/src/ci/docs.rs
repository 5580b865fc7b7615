//! The docs as docs.rs shows them, and what they tell of the interface.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::interface;

/// With the examples, which bring the features of the dependencies that the lints have checked.
const DOCS: &[&str] = &[
    "doc",
    "--workspace",
    "--no-deps",
    "--all-features",
    "--lib",
    "--examples",
];

/// As docs.rs has it, beside what we want of ourselves.
const FLAGS: &str = "-D warnings --cfg docsrs";

/// A page, and a feature that something on it needs.
const FEATURES: &[(&str, &str)] = &[
    ("revoir/tls/index.html", "rustls"),
    ("revoir/handshake/struct.DeflateConfig.html", "deflate"),
    ("revoir/struct.Incoming.html", "axum"),
    ("revoir/struct.Incoming.html", "hyper"),
    ("revoir/struct.Policy.html", "serde"),
    ("revoir_proto/extension/deflate/index.html", "deflate"),
    ("revoir_codes/catalog/index.html", "catalog"),
];

/// Writes them, looks whether they show which feature an item needs, and checks the interface.
pub(super) fn check() -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(DOCS)
        .env("RUSTDOCFLAGS", FLAGS)
        .env("RUSTDOC", rustdoc()?)
        .current_dir(crate::root())
        .status()
        .context("start cargo")?;
    if !status.success() {
        bail!("`cargo {}` failed", DOCS.join(" "));
    }
    let folder = crate::root().join("target/doc");
    for (page, feature) in FEATURES {
        let path = folder.join(page);
        let html = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let note = format!("crate feature <code>{feature}</code>");
        if !html.contains(&note) {
            bail!("{page} does not say what needs the feature `{feature}`");
        }
    }
    interface::check(&folder)
}

/// A rustdoc that does what only that of docs.rs does, and writes JSON beside the pages. It is not cargo that is
/// told so: dependencies would be compiled again.
fn rustdoc() -> anyhow::Result<PathBuf> {
    let patterns: Vec<String> = interface::CRATES
        .iter()
        .map(|name| format!("*\" --crate-name {name} \"*"))
        .collect();
    let script = format!(
        "#!/bin/sh\nexport RUSTC_BOOTSTRAP=1\ncase \" $* \" in\n{})\n    rustdoc \"$@\" -Z unstable-options \
         --output-format json || exit\n    ;;\nesac\nexec rustdoc \"$@\"\n",
        patterns.join(" | ")
    );
    let path = crate::root().join("target/ci/rustdoc");
    write_program(&path, &script).with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}

fn write_program(path: &Path, script: &str) -> anyhow::Result<()> {
    fs::create_dir_all(path.parent().context("it is in a folder")?)?;
    fs::write(path, script)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

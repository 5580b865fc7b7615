//! What is in a package: the files of the crate, all of them and as they are, and no test that looks for others.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use super::metadata::Package;

/// What cargo writes anew.
const REWRITTEN: &str = "Cargo.toml";

/// How a test finds a file while it runs.
const FOLDER_OF_CRATE: &str = "CARGO_MANIFEST_DIR";

/// What the package, unpacked in `place`, lacks or has otherwise; a line each.
pub(super) fn wrong(package: &Package, place: &Path) -> anyhow::Result<Vec<String>> {
    let name = &package.name;
    let folder = Path::new(&package.manifest_path);
    let folder = folder.parent().context("a manifest is in a folder")?;
    let mut wrong = Vec::new();
    for file in files(folder)? {
        let here = fs::read(folder.join(&file)).with_context(|| format!("read {name}: {file}"))?;
        if file != REWRITTEN && fs::read(place.join(&file)).ok().as_ref() != Some(&here) {
            wrong.push(format!("{name}: {file} is not in the package, or another"));
        }
        let is_source = file.ends_with(".rs");
        if is_source && std::str::from_utf8(&here).is_ok_and(leaves_its_crate) {
            wrong.push(format!("{name}: {file} looks for a file outside its crate"));
        }
    }
    Ok(wrong)
}

/// What git knows below the folder.
fn files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(folder)
        .output()
        .context("start git")?;
    if !output.status.success() {
        bail!("`git ls-files` failed in {}", folder.display());
    }
    let names = String::from_utf8(output.stdout).context("a name of a file is no UTF-8")?;
    let names = names.split_terminator('\0');
    Ok(names.map(str::to_owned).collect())
}

/// Whether a path that begins at the folder of the crate goes above it. What is included needs no look: it would not
/// compile.
fn leaves_its_crate(source: &str) -> bool {
    source.split(FOLDER_OF_CRATE).skip(1).any(|after| {
        let statement = after.split(';').next().unwrap_or(after);
        statement.contains("..") || statement.contains("parent()")
    })
}

#[cfg(test)]
mod tests {
    use super::leaves_its_crate;

    #[test]
    fn a_path_above_the_crate_is_seen() {
        let inside = r#"Path::new(env!("CARGO_MANIFEST_DIR")).join("data"); "../x""#;
        assert!(!leaves_its_crate(inside));
        for outside in [
            r#"concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md");"#,
            r#"Path::new(env!("CARGO_MANIFEST_DIR")).parent();"#,
        ] {
            assert!(leaves_its_crate(outside), "{outside}");
        }
    }
}

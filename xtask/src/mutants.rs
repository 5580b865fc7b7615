//! `cargo xtask mutants`: crates that forget one rule, each of which has to fail a test.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::process::Running;
use crate::{report, tools};

/// Crates with lists of rules, in their folder `mutants`.
const PACKAGES: &[&str] = &["revoir-adapters", "revoir-session", "revoir-store"];

/// What of the workspace they need beside themselves, and the data of their tests.
const NEEDED: &[&str] = &["revoir-codes", "revoir-session"];

/// Where the mutants live, below the target folder: a workspace of its own.
const FOLDER: &str = "target/mutants";

/// Building or testing one of them.
const LIMIT: Duration = Duration::from_secs(900);

/// A rule, and how it is forgotten: a text of the source, and what stands there instead.
#[derive(Debug, Deserialize)]
struct Mutant {
    rule: String,
    file: String,
    from: String,
    to: String,
}

#[derive(Debug, Deserialize)]
struct Mutants {
    mutant: Vec<Mutant>,
}

/// Makes every mutant of the lists whose name begins with `list`, and runs the tests of the crate. Fails
/// if one of them passes.
pub(crate) fn run(list: &str) -> anyhow::Result<()> {
    let mut alive = Vec::new();
    let mut count = 0;
    for package in PACKAGES {
        let lists = lists(package, list)?;
        if !lists.is_empty() {
            count += lists.values().map(Vec::len).sum::<usize>();
            alive.extend(survivors(package, &lists)?);
        }
    }
    if count == 0 {
        bail!("no list of mutants begins with `{list}`");
    }
    report(&format!("   {} of {count} found", count - alive.len()));
    if !alive.is_empty() {
        bail!(
            "no test fails without these rules:\n  {}",
            alive.join("\n  ")
        );
    }
    Ok(())
}

/// The rules of one crate without which its tests pass.
fn survivors(package: &str, lists: &BTreeMap<String, Vec<Mutant>>) -> anyhow::Result<Vec<String>> {
    let folder = crate::root().join(FOLDER);
    copy_workspace(package, &folder)?;
    // Whatever is wrong is shown: it is not what is looked for.
    for options in [&["--no-run"][..], &["--tests"]] {
        let deadline = Instant::now() + LIMIT;
        Running::start(command(package, &folder).args(options))?
            .succeed(deadline)
            .context("without a mutant")?;
    }
    let mut alive = Vec::new();
    for (name, mutants) in lists {
        for mutant in mutants {
            let place = folder
                .join("crates")
                .join(package)
                .join("src")
                .join(&mutant.file);
            let source = read(&place)?;
            if source.matches(&mutant.from).count() != 1 {
                bail!("{name}, {}: the text is not there once", mutant.rule);
            }
            write(&place, &source.replace(&mutant.from, &mutant.to))?;
            let killer = killer(package, &folder).with_context(|| mutant.rule.clone());
            write(&place, &source)?;
            match killer? {
                Some(killer) => report(&format!("   {name}: {}: {killer}", mutant.rule)),
                None => alive.push(format!("{name}: {}", mutant.rule)),
            }
        }
    }
    Ok(alive)
}

/// What finds the mutant: the tests of rules, or those of properties, which take longer.
fn killer(package: &str, folder: &Path) -> anyhow::Result<Option<&'static str>> {
    if !compiles(package, folder)? {
        bail!("the mutant does not compile");
    }
    if test(package, folder, &["--skip", "model"])?.is_none() {
        return Ok(Some("a rule's test fails"));
    }
    Ok(test(package, folder, &["model"])?
        .is_none()
        .then_some("the property fails"))
}

fn compiles(package: &str, folder: &Path) -> anyhow::Result<bool> {
    Ok(cargo(package, folder, &["--no-run"])?.is_some())
}

fn test(package: &str, folder: &Path, options: &[&str]) -> anyhow::Result<Option<()>> {
    cargo(package, folder, &[&["--tests", "--"], options].concat())
}

/// `None` if it fails, or does not end.
fn cargo(package: &str, folder: &Path, options: &[&str]) -> anyhow::Result<Option<()>> {
    let mut command = command(package, folder);
    command
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let deadline = Instant::now() + LIMIT;
    let running = Running::start(&mut command)?;
    Ok(running.succeed(deadline).ok())
}

fn command(package: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["test", "--quiet", "--offline", "--package", package])
        // What the mutants need is built there already.
        .env("CARGO_TARGET_DIR", crate::root().join("target"))
        .env("RUST_BACKTRACE", "0")
        .current_dir(folder);
    command
}

fn lists(package: &str, prefix: &str) -> anyhow::Result<BTreeMap<String, Vec<Mutant>>> {
    let folder = crate::root().join("crates").join(package).join("mutants");
    let mut lists = BTreeMap::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with(prefix) {
            let list: Mutants = toml::from_str(&read(&path)?)
                .with_context(|| format!("read {}", path.display()))?;
            lists.insert(name, list.mutant);
        }
    }
    Ok(lists)
}

/// A crate and what it needs, as a workspace with the same lock file.
fn copy_workspace(package: &str, folder: &Path) -> anyhow::Result<()> {
    let root = crate::root();
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    let needed = NEEDED.iter().filter(|it| **it != package);
    for name in needed.chain([&package]) {
        let place = Path::new("crates").join(name);
        tools::copy_tree(&root.join(&place), &folder.join(&place))?;
    }
    let mut manifest: toml::Table = toml::from_str(&read(&root.join("Cargo.toml"))?)?;
    let workspace = manifest
        .get_mut("workspace")
        .and_then(|it| it.as_table_mut());
    let workspace = workspace.context("Cargo.toml has no workspace")?;
    workspace.insert("members".to_owned(), vec!["crates/*"].into());
    // It names crates that are not copied.
    manifest.remove("profile");
    write(&folder.join("Cargo.toml"), &toml::to_string(&manifest)?)?;
    write(&folder.join("Cargo.lock"), &read(&root.join("Cargo.lock"))?)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_finds_its_text() {
        for package in PACKAGES {
            for (name, mutants) in lists(package, "").unwrap() {
                for Mutant {
                    rule, file, from, ..
                } in mutants
                {
                    let source = crate::root().join("crates").join(package).join("src");
                    let source = read(&source.join(file)).unwrap();
                    assert_eq!(source.matches(&from).count(), 1, "{name}: {rule}");
                }
            }
        }
    }
}

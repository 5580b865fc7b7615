//! What crates.io would get: the packages hold what they should, and compile or pass their tests away from the
//! repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use toml::{Table, Value};

use super::metadata::{Dependency, Package};
use super::{cargo, contents, metadata};
use crate::{report, tools};

/// Where the packages are unpacked, below the target folder: a workspace of its own.
const FOLDER: &str = "target/packages";

/// What a page of crates.io, or a lawyer, looks for.
const FILES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// What is done with the packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PackageProof {
    /// Every file of the crate is in its package as it is, no test looks for another, and all of them compile there:
    /// so they pass there if they pass here.
    Compiled,
    /// The same, and the tests are built and run. That compiles every crate of ours once more.
    Tested,
}

/// Packages every crate, and looks at what is in the packages.
pub(crate) fn check(proof: PackageProof) -> anyhow::Result<()> {
    let members = metadata::packages("--no-deps")?;
    let (published, others): (Vec<_>, Vec<_>) = members
        .into_iter()
        .partition(|member| member.publish.as_ref().is_none_or(|to| !to.is_empty()));
    let wrong: Vec<String> = published.iter().flat_map(complaints).collect();
    if !wrong.is_empty() {
        bail!("not ready for crates.io:\n  {}", wrong.join("\n  "));
    }
    // What is in the folder would be tested even though it is in no package any more.
    let folder = crate::root().join(FOLDER);
    tools::empty(&folder)?;
    pack(&published)?;
    let mut wrong = Vec::new();
    for package in &published {
        unpack(package, &folder)?;
        wrong.extend(contents::wrong(package, &folder.join(stem(package)))?);
    }
    if !wrong.is_empty() {
        bail!("not as in the repository:\n  {}", wrong.join("\n  "));
    }
    write_workspace(&published, &others, &folder)?;
    compile(&folder, proof)
}

/// What crates.io refuses, or shows as an empty place.
fn complaints(package: &Package) -> Vec<String> {
    let wrong = [
        (package.description.is_none(), "no description"),
        (
            !(1..=5).contains(&package.keywords.len()),
            "not 1 to 5 keywords",
        ),
        (
            !(1..=5).contains(&package.categories.len()),
            "not 1 to 5 categories",
        ),
        (package.rust_version.is_none(), "no rust-version"),
        (
            package.repository.is_some(),
            "a repository, and there is no public address",
        ),
    ];
    let found = wrong.iter().filter(|(is_wrong, _)| *is_wrong);
    found
        .map(|(_, what)| format!("{}: {what}", package.name))
        .collect()
}

/// Needs cargo 1.90: the first that packages crates that stand upon each other and are nowhere published.
fn pack(packages: &[Package]) -> anyhow::Result<()> {
    let mut args = vec!["package", "--quiet", "--no-verify", "--allow-dirty"];
    for package in packages {
        args.extend(["--package", &package.name]);
    }
    cargo(&args)
}

fn unpack(package: &Package, folder: &Path) -> anyhow::Result<()> {
    let name = stem(package);
    let archive = crate::root().join(format!("target/package/{name}.crate"));
    let status = Command::new("tar")
        // As of now: cargo packs files with one old date, and would take what it compiled before for fresh.
        .arg("-xmzf")
        .arg(&archive)
        .current_dir(folder)
        .status()
        .context("start tar")?;
    if !status.success() {
        bail!("unpacking {} failed", archive.display());
    }
    for file in FILES {
        let path = folder.join(&name).join(file);
        // A link that was packed as a link would be empty, or its target's name.
        let text =
            fs::read_to_string(&path).with_context(|| format!("the package {name}: {file}"))?;
        if text.len() < 400 {
            bail!("the package {name}: {file} has {} bytes", text.len());
        }
    }
    let size = fs::metadata(&archive)
        .with_context(|| format!("read {}", archive.display()))?
        .len();
    report(&format!("   {name}: {} KiB", size.div_ceil(1024)));
    Ok(())
}

/// The name of the archive, and of the folder in it.
fn stem(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

/// A workspace of the packages, in which each finds the others as if they had been published.
fn write_workspace(packages: &[Package], others: &[Package], folder: &Path) -> anyhow::Result<()> {
    let root = crate::root();
    let read = |path: PathBuf| {
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    };
    let own: Table = toml::from_str(&read(root.join("Cargo.toml"))?).context("read Cargo.toml")?;
    let profile = own.get("profile").and_then(Value::as_table);
    let text = workspace(packages, profile.cloned().unwrap_or_default())?;
    let place = folder.join("companion");
    let write = |path: PathBuf, text: &str| {
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    };
    write(folder.join("Cargo.toml"), &text)?;
    write(folder.join("Cargo.lock"), &read(root.join("Cargo.lock"))?)?;
    fs::create_dir_all(place.join("src")).context("create the companion")?;
    write(place.join("src/lib.rs"), "")?;
    write(place.join("Cargo.toml"), &companion(others)?)
}

fn workspace(packages: &[Package], profile: Table) -> anyhow::Result<String> {
    let mut members = vec![Value::from("companion")];
    let mut patch = Table::new();
    for package in packages {
        members.push(stem(package).into());
        let mut place = Table::new();
        place.insert("path".to_owned(), stem(package).into());
        patch.insert(package.name.clone(), place.into());
    }
    let mut workspace = Table::new();
    workspace.insert("resolver".to_owned(), "3".into());
    workspace.insert("members".to_owned(), members.into());
    let mut registries = Table::new();
    registries.insert("crates-io".to_owned(), patch.into());
    let mut manifest = Table::new();
    manifest.insert("workspace".to_owned(), workspace.into());
    manifest.insert("patch".to_owned(), registries.into());
    manifest.insert("profile".to_owned(), profile.into());
    toml::to_string(&manifest).context("write the workspace of the packages")
}

/// A package without code that has the dependencies of the members that are not published. With it, crates of
/// others have the features that they have in our workspace: none of them is compiled again.
fn companion(others: &[Package]) -> anyhow::Result<String> {
    let mut dependencies = Table::new();
    let all = others.iter().flat_map(|other| &other.dependencies);
    for dependency in all.filter(|dependency| dependency.path.is_none()) {
        let wanted = dependencies
            .entry(&dependency.name)
            .or_insert_with(|| Table::new().into());
        dependency.add_to(wanted.as_table_mut().context("a dependency is a table")?);
    }
    let mut package = Table::new();
    package.insert("name".to_owned(), "companion".into());
    package.insert("edition".to_owned(), "2024".into());
    let mut manifest = Table::new();
    manifest.insert("package".to_owned(), package.into());
    manifest.insert("dependencies".to_owned(), dependencies.into());
    toml::to_string(&manifest).context("write the manifest of the companion")
}

impl Dependency {
    /// Adds what this member wants of the crate to what others want of it: all of them name the version of the
    /// workspace.
    fn add_to(&self, wanted: &mut Table) {
        wanted.insert("version".to_owned(), self.req.clone().into());
        let default = wanted.entry("default-features").or_insert(false.into());
        if self.uses_default_features {
            *default = true.into();
        }
        let features = wanted
            .entry("features")
            .or_insert(Vec::<Value>::new().into());
        if let Some(features) = features.as_array_mut() {
            features.extend(self.features.iter().map(|feature| feature.as_str().into()));
        }
    }
}

/// All of their tests, compiled below the target folder that everything else shares.
fn compile(folder: &Path, proof: PackageProof) -> anyhow::Result<()> {
    let command = match proof {
        PackageProof::Compiled => "check",
        PackageProof::Tested => "test",
    };
    let status = Command::new(env!("CARGO"))
        .args([command, "--workspace", "--all-features", "--tests"])
        .arg("--quiet")
        .arg("--target-dir")
        .arg(crate::root().join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .current_dir(folder)
        .status()
        .context("start cargo")?;
    if !status.success() {
        bail!("`cargo {command}` fails in a package, away from the repository");
    }
    Ok(())
}

//! What may enter the dependency tree: `deny.toml`, as far as `cargo metadata` can tell.
//!
//! The file is that of cargo-deny, which takes minutes to build. Checked here are the licences that packages
//! declare, where they come from, and wildcards. Not checked are advisories, whose database CI cannot reach, and
//! licence texts: a package that declares no licence is refused instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::licence::Expression;
use super::metadata::{self, Package};
use crate::report;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// How many packages `revoir` may take, with which features: as `docs/dependencies.md` counts.
const DIETS: [(&str, &[&str], usize); 2] = [
    ("without features", &["--no-default-features"], 30),
    ("with its default features", &[], 50),
];

/// `deny.toml`. What this check does not know, it does not read over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Graph {
    all_features: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
    /// Of texts, for cargo-deny.
    #[serde(rename = "confidence-threshold")]
    _confidence_threshold: f64,
    #[serde(rename = "unused-allowed-license")]
    _unused_allowed_license: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    allow: Vec<String>,
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bans {
    multiple_versions: LintLevel,
    wildcards: LintLevel,
    allow_wildcard_paths: bool,
    deny: Vec<Banned>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sources {
    unknown_registry: LintLevel,
    unknown_git: LintLevel,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum LintLevel {
    Deny,
    Warn,
}

/// Checks every package of `Cargo.lock`.
pub(super) fn check() -> anyhow::Result<()> {
    let path = crate::root().join("deny.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let policy: Policy = toml::from_str(&text).context("read deny.toml")?;
    policy.is_as_strict_as_this_check()?;
    let packages = metadata::packages("--all-features")?;
    let root = crate::root().display().to_string();
    let wrong: Vec<String> = packages
        .iter()
        .flat_map(|package| policy.complaints(package, &root))
        .collect();
    let several = several_versions(&packages);
    if !several.is_empty() {
        report(&format!("   in several versions: {}", several.join(", ")));
    }
    if !wrong.is_empty() {
        bail!("not as in deny.toml:\n  {}", wrong.join("\n  "));
    }
    report(&format!(
        "   {} packages; advisories are not checked here",
        packages.len()
    ));
    for (what, features, limit) in DIETS {
        let count = packages_of_revoir(features)?;
        report(&format!("   revoir {what}: {count} packages of {limit}"));
        if count > limit {
            bail!("revoir {what} takes {count} packages, at most {limit} (docs/dependencies.md)");
        }
    }
    Ok(())
}

/// Whether it needs a newer Rust than we say that we need. No such toolchain has to be there for that.
fn too_new(package: &Package) -> Option<String> {
    let numbers = |version: &str| {
        let parts = version.split('.').map(str::parse);
        parts.collect::<Result<Vec<u32>, _>>().ok()
    };
    let needed = package.rust_version.as_deref()?;
    let ours = env!("CARGO_PKG_RUST_VERSION");
    // `1.88.0` is no more than `1.88`.
    let needed_parts = numbers(needed.trim_end_matches(".0"))?;
    (needed_parts > numbers(ours)?).then(|| format!("it needs Rust {needed}, and we say {ours}"))
}

/// How many packages are compiled for `revoir`, itself among them.
fn packages_of_revoir(features: &[&str]) -> anyhow::Result<usize> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--package",
            "revoir",
            "--edges",
            "normal",
        ])
        .args(["--prefix", "none"])
        .args(features)
        .current_dir(crate::root())
        .output()
        .context("start cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(distinct(&String::from_utf8_lossy(&output.stdout)))
}

/// `cargo tree` names a package each time that one stands upon it, with `(*)` from the second time on.
fn distinct(tree: &str) -> usize {
    let packages = tree.lines().map(|line| line.trim_end_matches(" (*)"));
    packages.collect::<BTreeSet<_>>().len()
}

impl Policy {
    /// The levels that the check below stands for.
    fn is_as_strict_as_this_check(&self) -> anyhow::Result<()> {
        let sources = &self.sources;
        let bans = &self.bans;
        let known = self.graph.all_features
            && sources.unknown_registry == LintLevel::Deny
            && sources.unknown_git == LintLevel::Deny
            && bans.wildcards == LintLevel::Deny
            && bans.allow_wildcard_paths
            && bans.multiple_versions == LintLevel::Warn;
        if !known {
            bail!("deny.toml has other levels than xtask/src/ci/dependencies.rs checks");
        }
        Ok(())
    }

    fn complaints(&self, package: &Package, root: &str) -> Vec<String> {
        let found = [
            self.licence(package),
            self.ban(package),
            source(package, root),
            too_new(package),
        ];
        let mut found: Vec<String> = found.into_iter().flatten().collect();
        if package.source.is_none() {
            found.extend(wildcards(package));
        }
        let Package { name, version, .. } = package;
        let of = |complaint| format!("{name} {version}: {complaint}");
        found.into_iter().map(of).collect()
    }

    fn ban(&self, package: &Package) -> Option<String> {
        let mut banned = self.bans.deny.iter();
        banned
            .any(|banned| banned.name == package.name)
            .then(|| "deny.toml bans it".to_owned())
    }

    fn licence(&self, package: &Package) -> Option<String> {
        let Some(declared) = &package.license else {
            return Some("declares no licence".to_owned());
        };
        let Some(expression) = Expression::parse(declared) else {
            return Some(format!("`{declared}` is no licence expression"));
        };
        let own = self.licenses.exceptions.iter();
        let own = own.filter(|exception| exception.name == package.name);
        let allowed: Vec<&str> = own
            .flat_map(|exception| &exception.allow)
            .chain(&self.licenses.allow)
            .map(String::as_str)
            .collect();
        let complaint = format!("its licence is {declared}");
        (!expression.is_met(&allowed)).then_some(complaint)
    }
}

/// A package is ours or from crates.io.
fn source(package: &Package, root: &str) -> Option<String> {
    match package.source.as_deref() {
        Some(CRATES_IO) => None,
        None if package.manifest_path.starts_with(root) => None,
        None => Some(format!("it is outside: {}", package.manifest_path)),
        Some(other) => Some(format!("it comes from {other}")),
    }
}

fn wildcards(package: &Package) -> Vec<String> {
    let any =
        |dependency: &&metadata::Dependency| dependency.req == "*" && dependency.path.is_none();
    let wildcards = package.dependencies.iter().filter(any);
    wildcards
        .map(|dependency| format!("any version of {} will do", dependency.name))
        .collect()
}

fn several_versions(packages: &[Package]) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        let known = versions.entry(&package.name).or_default();
        known.insert(&package.version);
    }
    let several = versions.into_iter().filter(|(_, known)| known.len() > 1);
    several
        .map(|(name, known)| {
            let known: Vec<&str> = known.into_iter().collect();
            format!("{name} {}", known.join(" and "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let text = fs::read_to_string(crate::root().join("deny.toml")).unwrap();
        toml::from_str(&text).unwrap()
    }

    fn package(license: Option<&str>, source: Option<&str>) -> Package {
        Package {
            name: "some".to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            rust_version: Some("1.88.0".to_owned()),
            source: source.map(str::to_owned),
            manifest_path: "/revoir/Cargo.toml".to_owned(),
            ..Package::default()
        }
    }

    #[test]
    fn a_package_counts_once() {
        let tree = "revoir v0.1.0 (/revoir)\nsyn v3.0.9\nquote v1.0.47\nsyn v3.0.9 (*)\n";
        assert_eq!(distinct(tree), 3);
    }

    #[test]
    fn packages_of_crates_io_under_an_allowed_licence_may_enter() {
        let fine = package(Some("MIT OR Apache-2.0"), Some(CRATES_IO));
        assert!(policy().complaints(&fine, "/revoir").is_empty());
    }

    #[test]
    fn other_licences_and_sources_and_wildcards_may_not() {
        let git = Some("git+https://example.org/some");
        let mut own = package(Some("MIT"), None);
        own.manifest_path = "/elsewhere/Cargo.toml".to_owned();
        own.dependencies.push(metadata::Dependency {
            name: "other".to_owned(),
            req: "*".to_owned(),
            ..metadata::Dependency::default()
        });
        let mut banned = package(Some("MIT"), Some(CRATES_IO));
        "icu_provider".clone_into(&mut banned.name);
        let mut new = package(Some("MIT"), Some(CRATES_IO));
        new.rust_version = Some("1.100".to_owned());
        let complaints = |package| policy().complaints(&package, "/revoir");
        assert_eq!(
            [
                complaints(banned),
                complaints(package(None, Some(CRATES_IO))),
                complaints(package(Some("GPL-3.0-only"), git)),
                complaints(package(Some("MIT AND"), Some(CRATES_IO))),
                complaints(own),
                complaints(new),
            ]
            .concat(),
            [
                "icu_provider 1.0.0: deny.toml bans it",
                "some 1.0.0: declares no licence",
                "some 1.0.0: its licence is GPL-3.0-only",
                "some 1.0.0: it comes from git+https://example.org/some",
                "some 1.0.0: `MIT AND` is no licence expression",
                "some 1.0.0: it is outside: /elsewhere/Cargo.toml",
                "some 1.0.0: any version of other will do",
                "some 1.0.0: it needs Rust 1.100, and we say 1.88",
            ]
        );
    }
}

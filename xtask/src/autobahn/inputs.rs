//! What sections 12 and 13 go through, and whether it is as in the last whole run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;
use sha1_smol::Sha1;

/// Both of our ends, and the suite's.
const INPUTS: [&str; 7] = [
    "conformance/autobahn/requirements.txt",
    "conformance/autobahn/wstest.py",
    "crates/revoir-proto/Cargo.toml",
    "crates/revoir-proto/src",
    "crates/revoir/Cargo.toml",
    "crates/revoir/examples/autobahn_client.rs",
    "crates/revoir/examples/autobahn_server.rs",
];

/// What our ends are made of, but for sessions, which no case has.
const LIBRARY: &str = "crates/revoir/src";
const SESSIONS: &str = "crates/revoir/src/session/";

/// What our ends stand on: a library that only the command line uses changes nothing here.
const LOCKED: &str = "Cargo.lock";

const HEAD: &str = "\
# The last run of all cases in both roles, written by `cargo xtask autobahn`: what came out, and git's names
# for what it went through. CI fails where one of these has changed, and runs a sample of sections 12 and 13.

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
        for (path, name) in now {
            if self.inputs.get(&path) != Some(&name) && !changed.contains(&path) {
                changed.push(path);
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

/// Names what is tested; `None` while it is not committed.
pub(super) fn source() -> anyhow::Result<Option<String>> {
    let is_committed = uncommitted()?.is_empty();
    let names = || Ok(format!("{:#?}\n", names()?));
    is_committed.then(names).transpose()
}

/// Git's names for the inputs as they are committed.
fn names() -> anyhow::Result<Inputs> {
    let mut names = Inputs::new();
    for path in INPUTS {
        let name = git(&["rev-parse", &format!("HEAD:{path}")])?;
        names.insert(path.to_owned(), name.trim().to_owned());
    }
    let files = git(&["ls-tree", "-r", "HEAD", "--", LIBRARY])?;
    names.insert(LIBRARY.to_owned(), files_but(SESSIONS, &files));
    let lock = git(&["show", &format!("HEAD:{LOCKED}")])?;
    names.insert(LOCKED.to_owned(), locked_below("revoir", &lock)?);
    Ok(names)
}

/// A name for what `git ls-tree -r` tells of files, but for those below a folder.
fn files_but(folder: &str, files: &str) -> String {
    let mut digest = Sha1::new();
    for line in files.lines() {
        // Mode, kind and name; a tab; the path.
        let is_below = line
            .split_once('\t')
            .is_some_and(|(_, path)| path.starts_with(folder));
        if !is_below {
            digest.update(line.as_bytes());
            digest.update(b"\n");
        }
    }
    digest.digest().to_string()
}

/// A name for the versions in a lock file that a package stands on.
fn locked_below(package: &str, lock: &str) -> anyhow::Result<String> {
    let lock: Lock = toml::from_str(lock).context("read Cargo.lock")?;
    let mut below = BTreeSet::new();
    let mut open = vec![package];
    while let Some(wanted) = open.pop() {
        // `name`, or `name version` where there are several.
        let mut words = wanted.split(' ');
        let (name, version) = (words.next(), words.next());
        let is_wanted = |one: &&Locked| {
            name == Some(one.name.as_str()) && version.is_none_or(|version| version == one.version)
        };
        for one in lock.package.iter().filter(is_wanted) {
            if below.insert(one) {
                open.extend(one.dependencies.iter().map(String::as_str));
            }
        }
    }
    let mut digest = Sha1::new();
    for one in below {
        let checksum = one.checksum.as_deref().unwrap_or("ours");
        digest.update(format!("{} {} {checksum}\n", one.name, one.version).as_bytes());
    }
    Ok(digest.digest().to_string())
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// Inputs that are not as they are committed.
fn uncommitted() -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for path in INPUTS.into_iter().chain([LIBRARY, LOCKED]) {
        let but = format!(":(exclude){SESSIONS}");
        if !git(&["status", "--porcelain", "--", path, &but])?.is_empty() {
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

#[cfg(test)]
mod tests {
    use super::{files_but, locked_below};

    #[test]
    fn what_is_apart_does_not_count() {
        let files = |link: &str, end: &str| {
            format!("100644 blob {link}\tsrc/link.rs\n100644 blob {end}\tsrc/session/end.rs\n")
        };
        let name = |files: &str| files_but("src/session/", files);
        let before = name(&files("1a", "2a"));
        assert_eq!(name(&files("1a", "changed")), before);
        assert_ne!(name(&files("changed", "2a")), before);
    }

    const LOCK: &str = r#"
        [[package]]
        name = "a"
        version = "1.0.0"
        dependencies = ["b", "c 1.0.0"]
        [[package]]
        name = "b"
        version = "1.0.0"
        dependencies = ["a"]
        [[package]]
        name = "c"
        version = "1.0.0"
        checksum = "1c"
        [[package]]
        name = "c"
        version = "2.0.0"
        checksum = "2c"
        [[package]]
        name = "d"
        version = "1.0.0"
        dependencies = ["a", "c 2.0.0"]
    "#;

    #[test]
    fn only_what_a_package_stands_on_counts() {
        let before = locked_below("a", LOCK).unwrap();
        let other = LOCK.replace("2c", "changed");
        assert_eq!(locked_below("a", &other).unwrap(), before);
        let used = LOCK.replace("1c", "changed");
        assert_ne!(locked_below("a", &used).unwrap(), before);
        let version = LOCK.replacen("c 1.0.0", "c 2.0.0", 1);
        assert_ne!(locked_below("a", &version).unwrap(), before);
    }
}

//! The module graph of a crate: what imports what, told as floors. A circle is an error, and so is a type's name that
//! stands for two things.

mod graph;
mod tree;
mod words;

use anyhow::{Context, bail};

use crate::modules::graph::Level;
use crate::modules::tree::Tree;
use crate::{report, root};

/// Crates whose modules stand on floors: in each folder, a module imports only what lies below it.
/// Tables that are generated count as data of the modules that read them.
const CRATES: &[&str] = &[
    "revoir",
    "revoir-adapters",
    "revoir-cli",
    "revoir-codes",
    "revoir-conform",
    "revoir-gateway",
    "revoir-proto",
    "revoir-session",
    "revoir-site",
    "revoir-store",
    "xtask",
];

/// Prints the floors of `name`, `xtask` or a folder in `crates`; without one, those of every crate that has
/// to have them. Fails if modules import each other in a circle.
pub(crate) fn run(name: Option<&str>) -> anyhow::Result<()> {
    let names = match &name {
        Some(name) => std::slice::from_ref(name),
        None => CRATES,
    };
    let mut wrong = Vec::new();
    for name in names {
        let tree = tree(name)?;
        for level in Level::all(name, &tree) {
            report(&level.to_string());
            wrong.extend(level.circle());
        }
        wrong.extend(words::wrong(name, &tree));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => bail!(
            "modules import each other in a circle, or a name stands for two things:\n{}",
            wrong.join("\n")
        ),
    }
}

/// The modules of a crate: `xtask`, or a folder in `crates`.
fn tree(name: &str) -> anyhow::Result<Tree> {
    let folder = match name {
        "xtask" => root().join(name),
        _ => root().join("crates").join(name),
    };
    Tree::load(&folder.join("src")).with_context(|| format!("no modules in {name}"))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    /// The crates and their modules, read once for both tests: it is most of what they do.
    static TREES: LazyLock<Vec<(&str, Tree)>> = LazyLock::new(|| {
        let read = |name: &&'static str| (*name, tree(name).unwrap());
        CRATES.iter().map(read).collect()
    });

    #[test]
    fn modules_of_every_listed_crate_stand_on_floors() {
        for (name, tree) in &*TREES {
            let levels = Level::all(name, tree);
            assert!(!levels.is_empty(), "{name}");
            let circles: Vec<String> = levels.iter().filter_map(Level::circle).collect();
            assert!(circles.is_empty(), "{}", circles.join("\n"));
        }
    }

    #[test]
    fn no_two_types_of_a_crate_have_the_same_name() {
        let wrong = TREES
            .iter()
            .flat_map(|(name, tree)| words::wrong(name, tree));
        let wrong: Vec<String> = wrong.collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

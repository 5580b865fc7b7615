//! The module graph of a crate: what imports what, told as floors. A circle is an error.

mod graph;
mod tree;

use std::fmt::Write;

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
];

/// Prints the floors of `name`, a folder in `crates`; without one, those of every crate that has
/// to have them. Fails if modules import each other in a circle.
pub(crate) fn run(name: Option<&str>) -> anyhow::Result<()> {
    let names = match &name {
        Some(name) => std::slice::from_ref(name),
        None => CRATES,
    };
    let mut circles = String::new();
    for name in names {
        for level in levels(name)? {
            report(&level.to_string());
            if let Some(circle) = level.circle() {
                writeln!(circles, "{circle}")?;
            }
        }
    }
    match circles.is_empty() {
        true => Ok(()),
        false => bail!("modules import each other in a circle:\n{circles}"),
    }
}

/// Every folder of modules of the crate, the outermost first.
fn levels(name: &str) -> anyhow::Result<Vec<Level>> {
    let source = root().join("crates").join(name).join("src");
    let tree = Tree::load(&source).with_context(|| format!("no modules in {name}"))?;
    Ok(Level::all(name, &tree))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_every_listed_crate_stand_on_floors() {
        for name in CRATES {
            let levels = levels(name).unwrap();
            assert!(!levels.is_empty(), "{name}");
            let circles: Vec<String> = levels.iter().filter_map(Level::circle).collect();
            assert!(circles.is_empty(), "{}", circles.join("\n"));
        }
    }
}

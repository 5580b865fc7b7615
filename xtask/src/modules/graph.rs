//! [`Level`]: the modules of one folder, and which of them stand upon which.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::modules::tree::{Name, Tree};

/// What a folder's own file holds beside its modules.
const OWN: &str = "(own)";

/// The folder of tables written by `cargo xtask data`. A table is data of the module that declares
/// the type of its rows, and reads them: what it names of the crate's written modules does not
/// count, or no such module could stand anywhere.
const TABLES: &str = "generated";

/// The modules of one folder.
#[derive(Debug)]
pub(crate) struct Level {
    /// What the folder is called.
    folder: String,
    /// Every module, what it imports from the same folder, and between which modules below.
    edges: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Level {
    /// Every folder with modules of the crate `name`, the outermost first.
    pub(crate) fn all(name: &str, tree: &Tree) -> Vec<Self> {
        let mut levels: BTreeMap<Name, Self> = BTreeMap::new();
        for module in tree.names() {
            if let Some((own, parent)) = module.split_last() {
                let level = levels.entry(parent.to_vec()).or_insert_with(|| Self {
                    folder: [&[name.to_owned()], parent].concat().join("::"),
                    edges: BTreeMap::new(),
                });
                level.edges.entry(own.clone()).or_default();
            }
        }
        for from in tree.names() {
            for to in tree.used_by(from) {
                let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                let side = |name: &Name| name.get(common).cloned();
                if let Some(level) = levels.get_mut(&from[..common])
                    && *from != to
                    && (!is_table(from) || is_table(&to))
                {
                    level.add(
                        side(from),
                        side(&to),
                        format!("{} -> {}", from.join("::"), to.join("::")),
                    );
                }
            }
        }
        levels.into_values().collect()
    }

    fn add(&mut self, from: Option<String>, to: Option<String>, evidence: String) {
        let [from, to] = [from, to].map(|side| side.unwrap_or_else(|| OWN.to_owned()));
        self.edges.entry(to.clone()).or_default();
        let targets = self.edges.entry(from).or_default();
        targets.entry(to).or_default().insert(evidence);
    }

    /// The modules from the ground up: each floor imports only from those below it. What stands in
    /// a circle, or upon one, is left out.
    fn floors(&self) -> Vec<Vec<&str>> {
        let mut floors: Vec<Vec<&str>> = Vec::new();
        let mut placed: BTreeSet<&str> = BTreeSet::new();
        loop {
            let stands = |targets: &BTreeMap<String, _>| {
                targets
                    .keys()
                    .all(|target| placed.contains(target.as_str()))
            };
            let floor: Vec<&str> = self
                .edges
                .iter()
                .filter(|(module, targets)| !placed.contains(module.as_str()) && stands(targets))
                .map(|(module, _)| module.as_str())
                .collect();
            if floor.is_empty() {
                return floors;
            }
            placed.extend(&floor);
            floors.push(floor);
        }
    }

    /// The shortest circle, with the imports that make it.
    pub(crate) fn circle(&self) -> Option<String> {
        let circles = self
            .edges
            .keys()
            .filter_map(|module| self.way_back_to(module));
        let shortest = circles.min_by_key(Vec::len)?;
        let mut text = format!("{}: {}", self.folder, shortest.join(" -> "));
        for pair in shortest.windows(2) {
            for evidence in &self.edges[&pair[0]][&pair[1]] {
                text.push_str("\n    ");
                text.push_str(evidence);
            }
        }
        Some(text)
    }

    /// The shortest way from `start` over other modules back to itself.
    fn way_back_to(&self, start: &str) -> Option<Vec<String>> {
        let mut ways = vec![vec![start.to_owned()]];
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in &ways {
                for target in self.edges[way.last()?].keys() {
                    let mut way = way.clone();
                    way.push(target.clone());
                    if target == start {
                        return Some(way);
                    }
                    if seen.insert(target) {
                        longer.push(way);
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

fn is_table(module: &[String]) -> bool {
    module.first().is_some_and(|first| first == TABLES)
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.folder)?;
        for (number, floor) in self.floors().iter().enumerate() {
            write!(f, "\n  {number}  {}", floor.join(" "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The levels of a crate with these files.
    fn levels(test: &str, files: &[(&str, &str)]) -> Vec<Level> {
        let source = std::env::temp_dir().join(format!("{test}-{}", std::process::id()));
        for (file, text) in files {
            let file = source.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let tree = Tree::load(&source);
        fs::remove_dir_all(&source).unwrap();
        Level::all("example", &tree.unwrap())
    }

    #[test]
    fn modules_stand_on_what_they_import_through_re_exports_and_in_code() {
        let levels = levels(
            "modules-floors",
            &[
                (
                    "lib.rs",
                    "mod a; mod b; mod c { pub fn f() { crate::b::g() } }",
                ),
                (
                    "a/mod.rs",
                    "mod deep; pub(crate) use deep::Deep; use crate::c;",
                ),
                (
                    "a/deep.rs",
                    "pub(crate) struct Deep; #[cfg(test)] mod tests { use crate::a; }",
                ),
                ("b.rs", "pub fn g() {} #[cfg(test)] use crate::a::Deep;"),
            ],
        );
        let text: Vec<String> = levels.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            ["example\n  0  b\n  1  c\n  2  a", "example::a\n  0  deep"]
        );
        assert!(levels.iter().all(|level| level.circle().is_none()));
    }

    #[test]
    fn a_circle_is_found_behind_a_re_export_and_named() {
        let levels = levels(
            "modules-circle",
            &[
                ("lib.rs", "mod a; mod b; mod c;"),
                ("a/mod.rs", "mod deep; pub use deep::Deep;"),
                ("a/deep.rs", "use crate::b::B; pub struct Deep(B);"),
                ("b.rs", "use crate::c::C; pub struct B(Vec<C>);"),
                ("c.rs", "use crate::a::Deep; pub struct C(Deep);"),
            ],
        );
        let expected = "example: a -> b -> c -> a\n    a::deep -> b\n    b -> c\n    c -> a::deep";
        assert_eq!(levels[0].circle().as_deref(), Some(expected));
    }

    #[test]
    fn a_child_may_use_its_parents_items_unless_the_parent_uses_the_child() {
        let child = ("a/child.rs", "use super::X; pub struct Y(X);");
        let fine = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod child; pub use child::Y; struct X;"),
            child,
        ];
        assert_eq!(levels("modules-child", &fine)[1].circle(), None);
        let circle = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod child; struct X(child::Y);"),
            child,
        ];
        assert!(levels("modules-both", &circle)[1].circle().is_some());
    }

    #[test]
    fn modules_of_one_file_may_use_each_other() {
        let sealed = "use sealed::Sealed; pub trait T: Sealed {} mod sealed { use super::T; }";
        let levels = levels("modules-inline", &[("lib.rs", "mod a;"), ("a.rs", sealed)]);
        assert!(levels.iter().all(|level| level.circle().is_none()));
    }

    #[test]
    fn a_generated_table_stands_below_the_types_of_its_rows() {
        let rows = "use crate::generated::table::ROWS; pub struct Row; use crate::b::B;";
        let levels = levels(
            "modules-tables",
            &[
                ("lib.rs", "mod a; mod b; mod generated;"),
                ("a.rs", rows),
                ("b.rs", "pub struct B;"),
                ("generated/mod.rs", "mod keys; mod table;"),
                ("generated/keys.rs", "pub struct Key;"),
                (
                    "generated/table.rs",
                    "use crate::a::Row; use crate::generated::keys::Key;",
                ),
            ],
        );
        let text: Vec<String> = levels.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "example\n  0  b generated\n  1  a",
                "example::generated\n  0  keys\n  1  table"
            ]
        );
        assert!(levels.iter().all(|level| level.circle().is_none()));
    }

    #[test]
    fn what_only_tests_use_does_not_count() {
        let circle = [
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "#[cfg(all(test, unix))] mod tests { use crate::b::B; }",
            ),
            ("b.rs", "use crate::a::A; pub struct B(A);"),
        ];
        let levels = levels("modules-tests", &circle);
        assert_eq!(levels.len(), 1);
        assert_eq!(levels[0].to_string(), "example\n  0  a\n  1  b");
    }
}

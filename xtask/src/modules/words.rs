//! One word for one thing: no two types of a crate have the same name.

use std::collections::BTreeSet;

use crate::modules::tree::{Name, Tree};

/// Names that stand for the same thing in several places of a crate, and why they may.
const SAME: &[(&str, &[&str], &str)] = &[
    (
        "revoir",
        &["Client", "Reader", "Server", "Writer"],
        "a session's own are written `session::Client`",
    ),
    ("revoir", &["Shown"], "one for each system"),
    (
        "revoir-adapters",
        &["Packet", "Phase", "Request", "Said", "Subscription"],
        "each protocol has its own, and no module sees two of them",
    ),
    (
        "revoir-codes",
        &["Evidence"],
        "how a statement is known is `source::Evidence`, what is known of an ending `diagnosis::Evidence`",
    ),
    (
        "revoir-store",
        &["Head", "Shared"],
        "each store has its own, and neither sees the other",
    ),
    (
        "revoir-proto",
        &["Compression"],
        "one with the feature and one without",
    ),
];

/// What is wrong with the names of the types of the crate `name`, a line each.
pub(crate) fn wrong(name: &str, tree: &Tree) -> Vec<String> {
    let types = tree.types();
    let allowed: BTreeSet<&str> = SAME
        .iter()
        .filter(|(of, ..)| *of == name)
        .flat_map(|(_, names, _)| names.iter().copied())
        .collect();
    let repeated = types.iter().filter(|(_, modules)| modules.len() > 1);
    let (fine, again): (Vec<_>, Vec<_>) = repeated.partition(|(one, _)| allowed.contains(*one));
    let fine: BTreeSet<&str> = fine.into_iter().map(|(one, _)| *one).collect();
    let again = again.into_iter().map(|(one, modules)| {
        let places: Vec<String> = modules.iter().map(|module| place(module)).collect();
        format!("{name}: {one} is declared in {}", places.join(" and "))
    });
    let gone = allowed.difference(&fine);
    again
        .chain(gone.map(|one| format!("{name}: {one} may stand twice, and does not")))
        .collect()
}

fn place(module: &Name) -> String {
    match module.is_empty() {
        true => "the root".to_owned(),
        false => module.join("::"),
    }
}

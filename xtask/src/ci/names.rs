//! Names of types and files that pages for people mention: each is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use syn::visit::Visit;

/// Types of others that pages mention with a member.
const FOREIGN: &[&str] = &["BytesMut", "Errno"];

/// Its tables have names of other libraries in the first column.
const TABLES_OF_OTHERS: &str = "docs/coming-from.md";

/// A file that is mentioned is below one of these, or beside the page.
const BASES: &[&str] = &["", "crates", "crates/*", "crates/*/src", "clients/js"];

/// Compares the pages with the source.
pub(super) fn check() -> anyhow::Result<()> {
    let root = crate::root();
    let mut declared = Declared::default();
    for krate in folders(&root.join("crates"))? {
        for path in files(&krate.join("src"), "rs")? {
            let text = read(&path)?;
            let file = syn::parse_file(&text).with_context(|| path.display().to_string())?;
            declared.visit_file(&file);
        }
    }
    let mut wrong = Vec::new();
    for page in pages(&root)? {
        let text = read(&page)?;
        let name = page.strip_prefix(&root).unwrap_or(&page);
        for (line, code) in codes(&text, name == Path::new(TABLES_OF_OTHERS)) {
            let missing = declared
                .missing(code)
                .or_else(|| missing_file(&root, &page, code));
            wrong.extend(missing.map(|what| format!("{}:{line}: {what}", name.display())));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => bail!("old names:\n  {}", wrong.join("\n  ")),
    }
}

/// What is declared in the source.
#[derive(Default)]
struct Declared {
    /// Every type, and what it has.
    members: BTreeMap<String, BTreeSet<String>>,
    /// Words within macros, which may declare anything.
    in_macros: BTreeSet<String>,
}

impl Declared {
    fn add(&mut self, owner: &str, members: impl IntoIterator<Item = String>) {
        let known = self.members.entry(owner.to_owned()).or_default();
        known.extend(members);
    }

    /// What is wrong with `Type::member`, if that is what `code` begins with.
    fn missing(&self, code: &str) -> Option<String> {
        // A path: the type is the last one that is written like one.
        let parts: Vec<&str> = words(code)?;
        let at = parts.iter().rposition(|part| {
            let is_type = part.starts_with(|c: char| c.is_ascii_uppercase());
            is_type && part.contains(|c: char| c.is_ascii_lowercase())
        })?;
        let (owner, member) = match (parts.get(at), parts.get(at + 1)) {
            (Some(owner), Some(member)) => (*owner, *member),
            // A variant: its owner stands before it.
            (Some(member), None) if at > 0 => (*parts.get(at - 1)?, *member),
            _ => return None,
        };
        if FOREIGN.contains(&owner) || owner.starts_with(|c: char| c.is_ascii_lowercase()) {
            return None;
        }
        let is_in_macro = self.in_macros.contains(owner) || self.in_macros.contains(member);
        match self.members.get(owner) {
            Some(members) if members.contains(member) => None,
            _ if is_in_macro => None,
            Some(_) => Some(format!("{owner} has no {member}")),
            None => Some(format!("there is no type {owner} (of {owner}::{member})")),
        }
    }
}

/// The parts of a path that `code` begins with, if there are two or more.
fn words(code: &str) -> Option<Vec<&str>> {
    let end = code.find(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)));
    let path = code.get(..end.unwrap_or(code.len()))?;
    let parts: Vec<&str> = path.split("::").filter(|part| !part.is_empty()).collect();
    (parts.len() > 1).then_some(parts)
}

impl<'ast> Visit<'ast> for Declared {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        let fields = item.fields.iter().filter_map(|field| field.ident.as_ref());
        self.add(&item.ident.to_string(), fields.map(ToString::to_string));
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        let variants = item.variants.iter().map(|it| it.ident.to_string());
        self.add(&item.ident.to_string(), variants);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let names = item.items.iter().filter_map(|it| match it {
            syn::TraitItem::Fn(it) => Some(it.sig.ident.to_string()),
            syn::TraitItem::Const(it) => Some(it.ident.to_string()),
            syn::TraitItem::Type(it) => Some(it.ident.to_string()),
            _ => None,
        });
        self.add(&item.ident.to_string(), names);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.add(&item.ident.to_string(), []);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let syn::Type::Path(owner) = &*item.self_ty
            && let Some(owner) = owner.path.segments.last()
        {
            let names = item.items.iter().filter_map(|it| match it {
                syn::ImplItem::Fn(it) => Some(it.sig.ident.to_string()),
                syn::ImplItem::Const(it) => Some(it.ident.to_string()),
                syn::ImplItem::Type(it) => Some(it.ident.to_string()),
                _ => None,
            });
            self.add(&owner.ident.to_string(), names);
        }
        syn::visit::visit_item_impl(self, item);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        let tokens = item.mac.tokens.to_string();
        let words = tokens.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        self.in_macros.extend(words.map(str::to_owned));
    }
}

/// What stands in backticks, with its line. Blocks of code are compiled elsewhere, or not ours.
fn codes(text: &str, without_first_column: bool) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        let shown = match line
            .strip_prefix("| ")
            .and_then(|row| row.split_once(" | "))
        {
            Some((_, others)) if without_first_column => others,
            _ => line,
        };
        if !in_block {
            let odd = shown.split('`').skip(1).step_by(2);
            found.extend(odd.map(|code| (number + 1, code)));
        }
    }
    found
}

/// What is wrong with a path, `file.rs::name` or `folder/`, if `code` is one. A `*` stands for each
/// folder there.
fn missing_file(root: &Path, page: &Path, code: &str) -> Option<String> {
    let (file, name) = match code.split_once(".rs::") {
        Some((file, name)) => (format!("{file}.rs"), Some(name)),
        None => (code.to_owned(), None),
    };
    if !is_file_name(&file) {
        return None;
    }
    let found = matching(root, page, &file);
    if found.is_empty() {
        return Some(format!("there is no {file}"));
    }
    let name = name?;
    let declares = |path: &PathBuf| {
        let text = read(path).unwrap_or_default();
        let kinds = [
            "fn", "struct", "enum", "trait", "const", "static", "type", "mod",
        ];
        kinds.iter().any(|kind| {
            let declared = format!("{kind} {name}");
            text.match_indices(&declared).any(|(at, _)| {
                let rest = &text[at + declared.len()..];
                !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            })
        })
    };
    (!found.iter().any(declares)).then(|| format!("{file} has no {name}"))
}

/// A path within the repository, as people write it.
fn is_file_name(code: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./*".contains(c);
    let has_ending = [".rs", ".md", ".toml", ".mjs", ".ts", "/"]
        .iter()
        .any(|ending| code.ends_with(ending));
    // Where it is for the reader to say which one.
    let is_open = code.split(['/', '.']).any(|part| part == "NAME");
    let is_address = code.starts_with('/');
    !is_address && code.contains('/') && has_ending && !is_open && code.chars().all(is_plain)
}

/// The files of that name, beside the page or below one of the bases.
fn matching(root: &Path, page: &Path, name: &str) -> Vec<PathBuf> {
    let bases = BASES.iter().map(|base| root.join(base));
    let all = page.parent().map(Path::to_owned).into_iter().chain(bases);
    all.flat_map(|base| expanded(&base.join(name))).collect()
}

/// What is there of a path in which `*` is any folder.
fn expanded(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        found = match part.as_os_str() == "*" {
            true => found
                .iter()
                .flat_map(|folder| folders(folder).unwrap_or_default())
                .collect(),
            false => found.into_iter().map(|folder| folder.join(part)).collect(),
        };
    }
    found.retain(|path| path.exists());
    found
}

/// What people read of the product as it is: not what it was.
fn pages(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    let own = [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "README.md",
        "SECURITY.md",
    ];
    pages.extend(own.map(|name| root.join(name)));
    pages.extend(files(&root.join("docs"), "md")?);
    for krate in folders(&root.join("crates"))? {
        pages.extend(files(&krate.join("src"), "md")?);
        pages.push(krate.join("README.md"));
    }
    Ok(pages)
}

fn folders(of: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = entries(of)?;
    found.retain(|path| path.is_dir());
    Ok(found)
}

/// The files with this ending in a folder and below.
pub(super) fn files(below: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in entries(below)? {
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|it| it == ending) {
            found.push(path);
        }
    }
    Ok(found)
}

fn entries(of: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(of).with_context(|| format!("read {}", of.display()))?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|it| it.path())).collect();
    let mut paths = paths?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_gone_are_found() {
        let source =
            "pub struct Link { pub url: u8 } impl Link { pub fn to() {} } enum Cause { Eof }";
        let mut declared = Declared::default();
        declared.visit_file(&syn::parse_file(source).unwrap());
        for there in [
            "Link::to(url)",
            "Link::url",
            "revoir::Cause::Eof",
            "a::b",
            "BytesMut::new",
        ] {
            assert_eq!(declared.missing(there), None, "{there}");
        }
        for (gone, what) in [
            ("Link::builder(url)", "Link has no builder"),
            ("Cause::Reset", "Cause has no Reset"),
            (
                "Upgrade::accept",
                "there is no type Upgrade (of Upgrade::accept)",
            ),
        ] {
            assert_eq!(declared.missing(gone).as_deref(), Some(what));
        }
        let page = "`a` b\n```\n`c`\n```\n| `d` | `e` |";
        assert_eq!(codes(page, true), [(1, "a"), (5, "e")]);
        assert!(is_file_name("src/code.rs") && !is_file_name("code.rs"));
    }

    #[test]
    fn files_and_names_in_files_that_the_two_pages_for_developers_mention_are_there() {
        let root = crate::root();
        let mut wrong = Vec::new();
        let mut checked = 0;
        for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| root.join(name)) {
            let text = read(&page).unwrap();
            for (line, code) in codes(&text, false) {
                checked += usize::from(is_file_name(code));
                let missing = missing_file(&root, &page, code);
                wrong.extend(missing.map(|what| format!("{}:{line}: {what}", page.display())));
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert!(checked > 40, "{checked}");
    }

    #[test]
    fn a_file_or_a_name_in_it_that_is_gone_is_found() {
        let root = crate::root();
        let page = root.join("ARCHITECTURE.md");
        let missing = |code| missing_file(&root, &page, code);
        for there in [
            "xtask/src/ci/names.rs::missing_file",
            "xtask/src/ci/names.rs::BASES",
            "revoir-codes/data/locales/*/codes.toml",
            "revoir-cli/src/args/",
            "Cause::ALL",
        ] {
            assert_eq!(missing(there), None, "{there}");
        }
        for (gone, what) in [
            (
                "xtask/src/ci/names.rs::nothing_of_that_name",
                "xtask/src/ci/names.rs has no nothing_of_that_name",
            ),
            (
                "revoir-codes/src/no.rs",
                "there is no revoir-codes/src/no.rs",
            ),
            (
                "revoir-codes/data/locales/*/no.toml",
                "there is no revoir-codes/data/locales/*/no.toml",
            ),
            ("revoir-cli/src/no/", "there is no revoir-cli/src/no/"),
        ] {
            assert_eq!(missing(gone).as_deref(), Some(what));
        }
    }
}

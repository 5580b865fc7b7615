//! [`Tree`]: the modules of a crate and the paths that stand in them, read from its source.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, ItemUse, Meta, Token, UseTree};

/// The names of a module from the root of the crate, which itself has none.
pub(crate) type Name = Vec<String>;

/// The modules of a crate, without those for tests.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    modules: BTreeMap<Name, Module>,
}

/// One module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Whether it is written inside the file of its parent.
    is_inline: bool,
    /// What it brings into its own names: the name, and the path it stands for.
    aliases: BTreeMap<String, Name>,
    /// Paths whose every name it brings into its own.
    globs: Vec<Name>,
    /// Paths that it uses, from the root.
    uses: Vec<Name>,
    /// The types and traits that it declares.
    declares: Vec<String>,
}

impl Tree {
    /// Reads `lib.rs` or `main.rs` in `source`, and every module that is declared from there.
    pub(crate) fn load(source: &Path) -> anyhow::Result<Self> {
        let mut files = ["lib.rs", "main.rs"]
            .map(|file| source.join(file))
            .into_iter();
        let file = files
            .find(|file| file.exists())
            .context("no lib.rs and no main.rs")?;
        let mut tree = Self::default();
        tree.load_file(&Name::new(), &file, source)?;
        Ok(tree)
    }

    /// The names of all modules.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Name> {
        self.modules.keys()
    }

    /// Where each type and trait is declared.
    pub(crate) fn types(&self) -> BTreeMap<&str, Vec<&Name>> {
        let mut types: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
        for (module, declared) in &self.modules {
            for name in &declared.declares {
                types.entry(name).or_default().push(module);
            }
        }
        types
    }

    /// The modules in other files that `name` uses. What is written in one file is one thing.
    pub(crate) fn used_by(&self, name: &Name) -> Vec<Name> {
        let uses = self.modules[name].uses.iter();
        let found = uses.filter_map(|path| self.find(path, 0));
        found
            .filter(|found| self.file(found) != self.file(name))
            .collect()
    }

    /// The module in whose file `name` is written.
    fn file<'a>(&self, mut name: &'a [String]) -> &'a [String] {
        while self
            .modules
            .get(name)
            .is_some_and(|module| module.is_inline)
            && let Some((_, parent)) = name.split_last()
        {
            name = parent;
        }
        name
    }

    /// The module in which what `path` names is written down. `None` for another crate.
    fn find(&self, path: &[String], depth: usize) -> Option<Name> {
        let mut at = Name::new();
        for (index, segment) in path.iter().enumerate() {
            let mut inner = at.clone();
            inner.push(segment.clone());
            if self.modules.contains_key(&inner) {
                at = inner;
                continue;
            }
            // Re-exports of re-exports end somewhere, those in a circle do not.
            if depth > 16 {
                return Some(at);
            }
            let module = &self.modules[&at];
            if let Some(target) = module.aliases.get(segment) {
                let path: Name = target.iter().chain(&path[index + 1..]).cloned().collect();
                return self.find(&path, depth + 1);
            }
            let globs = module
                .globs
                .iter()
                .map(|glob| [&glob[..], &path[index..]].concat());
            let mut found = globs.filter_map(|path| self.find(&path, depth + 1));
            let elsewhere = found.find(|module| module.len() > at.len() && *module != at);
            return Some(elsewhere.unwrap_or(at));
        }
        Some(at)
    }

    /// Reads one file; modules declared in it lie in `folder`.
    fn load_file(&mut self, name: &Name, file: &Path, folder: &Path) -> anyhow::Result<()> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let parsed = syn::parse_file(&text).with_context(|| file.display().to_string())?;
        self.load_items(name, parsed.items, folder)
    }

    /// Reads the items of one module.
    fn load_items(&mut self, name: &Name, items: Vec<Item>, folder: &Path) -> anyhow::Result<()> {
        let (inner, items): (Vec<Item>, Vec<Item>) = items
            .into_iter()
            .filter(|item| !is_test(item))
            .partition(|item| matches!(item, Item::Mod(_)));
        let inner: Vec<ItemMod> = inner
            .into_iter()
            .filter_map(|item| match item {
                Item::Mod(module) => Some(module),
                _ => None,
            })
            .collect();
        let children = inner
            .iter()
            .map(|module| module.ident.to_string())
            .collect();
        let mut reader = Reader {
            name: name.clone(),
            children,
            module: Module::default(),
        };
        items.iter().for_each(|item| reader.visit_item(item));
        reader.module.declares = items.iter().filter_map(declared).collect();
        self.modules.insert(name.clone(), reader.module);
        for module in inner {
            let ident = module.ident.to_string();
            let mut child = name.clone();
            child.push(ident.clone());
            let below = folder.join(&ident);
            match module.content {
                Some((_, items)) => {
                    self.load_items(&child, items, &below)?;
                    if let Some(module) = self.modules.get_mut(&child) {
                        module.is_inline = true;
                    }
                }
                None => self.load_file(&child, &file_of(folder, &ident)?, &below)?,
            }
        }
        Ok(())
    }
}

/// Where the module `ident` of `folder` is written.
fn file_of(folder: &Path, ident: &str) -> anyhow::Result<PathBuf> {
    let files = [
        folder.join(format!("{ident}.rs")),
        folder.join(ident).join("mod.rs"),
    ];
    match files.into_iter().find(|file| file.exists()) {
        Some(file) => Ok(file),
        None => bail!("no file for module {ident} in {}", folder.display()),
    }
}

/// The name of a type or a trait.
fn declared(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Enum(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

/// Whether an item exists in tests only: `cfg(test)`, also among `all(…)`.
fn is_test(item: &Item) -> bool {
    let attributes: &[Attribute] = match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        _ => &[],
    };
    attributes.iter().any(|attribute| {
        let condition = || attribute.parse_args::<Meta>().ok();
        attribute.path().is_ident("cfg") && condition().is_some_and(|meta| needs_test(&meta))
    })
}

fn needs_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => {
            let all = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            all.is_ok_and(|all| all.iter().any(needs_test))
        }
        Meta::List(_) | Meta::NameValue(_) => false,
    }
}

/// Collects the paths of one module.
struct Reader {
    name: Name,
    children: Vec<String>,
    module: Module,
}

impl Reader {
    /// `path` from the root of the crate. `None` if it leads to another crate, or to a name of a
    /// function's own.
    fn absolute(&self, path: &[String]) -> Option<Name> {
        let mut at = self.name.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while let Some((first, after)) = rest.split_first()
                    && first == "super"
                {
                    at.pop();
                    rest = after;
                }
            }
            first if self.children.iter().any(|child| child == first) => {}
            _ => return None,
        }
        at.extend_from_slice(rest);
        Some(at)
    }

    fn note_use(&mut self, prefix: &mut Name, tree: &UseTree, is_shared: bool) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.note_use(prefix, &path.tree, is_shared);
                prefix.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_use(prefix, tree, is_shared);
                }
            }
            UseTree::Glob(_) => {
                if let Some(path) = self.absolute(prefix) {
                    self.module.globs.push(path.clone());
                    self.note_path(path, is_shared);
                }
            }
            UseTree::Name(name) => {
                let ident = name.ident.to_string();
                let alias = match ident.as_str() {
                    "self" => prefix.last().cloned().unwrap_or_default(),
                    _ => ident.clone(),
                };
                self.note_alias(prefix, &ident, alias, is_shared);
            }
            UseTree::Rename(rename) => {
                let (ident, alias) = (rename.ident.to_string(), rename.rename.to_string());
                self.note_alias(prefix, &ident, alias, is_shared);
            }
        }
    }

    fn note_alias(&mut self, prefix: &[String], ident: &str, alias: String, is_shared: bool) {
        let mut path = prefix.to_vec();
        if ident != "self" {
            path.push(ident.to_owned());
        }
        if let Some(path) = self.absolute(&path) {
            self.module.aliases.insert(alias, path.clone());
            self.note_path(path, is_shared);
        }
    }

    /// A module that only hands on what its own children have does not stand upon them.
    fn note_path(&mut self, path: Name, is_shared: bool) {
        let hands_on = is_shared && path.starts_with(&self.name);
        if !hands_on {
            self.module.uses.push(path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_shared = !matches!(item.vis, syn::Visibility::Inherited);
        self.note_use(&mut Name::new(), &item.tree, is_shared);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        let segments: Name = segments.map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1
            && let Some(path) = self.absolute(&segments)
        {
            self.module.uses.push(path);
        }
        syn::visit::visit_path(self, path);
    }
}

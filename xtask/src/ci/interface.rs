//! What a stranger can name of our libraries, from the JSON of rustdoc: every type in the interface of a crate is
//! exported by it, enums that can grow may do so, and a list of all values has no length in its type.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The crates that others add.
pub(super) const CRATES: &[&str] = &["revoir", "revoir_proto", "revoir_codes"];

/// The crates whose enums are `non_exhaustive`, but for these.
const GROWING: &[&str] = &["revoir", "revoir_proto"];

/// Enums that cannot grow, and why.
const CLOSED: &[(&str, &str)] = &[
    (
        "CauseKind",
        "a policy has a rule for each, so that no cause is forgotten",
    ),
    ("ClientOutcome", "an answer opens or refuses"),
    ("Initiator", "a connection has two sides"),
    ("Message", "text and binary: RFC 6455 section 5.6"),
    ("MessageKind", "the same"),
    ("Opcode", "those of RFC 6455 section 11.8"),
    ("Role", "a connection has two sides"),
    ("State", "the words of RFC 6455"),
];

/// It lists what stands at the root of `revoir`.
const FRONT_PAGE: &str = "docs/coming-from.md";

/// How the paragraph begins that does.
const LIST: &str = "\n- **After**";

#[derive(Debug, Deserialize)]
struct Docs {
    root: u64,
    index: BTreeMap<u64, Item>,
    paths: BTreeMap<u64, Summary>,
}

#[derive(Debug, Deserialize)]
struct Item {
    name: Option<String>,
    attrs: Vec<Value>,
    /// One: its kind, and what it is.
    inner: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Summary {
    crate_id: u32,
    path: Vec<String>,
}

/// An item, by its crate and its number there.
type Place<'a> = (&'a str, u64);

/// The crates, and where everything is declared.
struct Library<'a> {
    crates: BTreeMap<&'a str, &'a Docs>,
    declared: BTreeMap<String, Place<'a>>,
}

/// Reads what rustdoc has written to `folder`.
pub(super) fn check(folder: &Path) -> anyhow::Result<()> {
    let mut crates = BTreeMap::new();
    for name in CRATES {
        let path = folder.join(format!("{name}.json"));
        let text = fs::read_to_string(&path)
            .with_context(|| format!("read {}; remove target/doc", path.display()))?;
        let docs: Docs = serde_json::from_str(&text)
            .with_context(|| format!("{}: another format of rustdoc?", path.display()))?;
        crates.insert(*name, docs);
    }
    let library = Library::new(crates.iter().map(|(name, docs)| (*name, docs)).collect());
    let mut wrong = BTreeSet::new();
    for name in CRATES {
        wrong.extend(library.complaints(name));
    }
    wrong.extend(library.not_closed());
    let page = crate::root().join(FRONT_PAGE);
    let page = fs::read_to_string(&page).with_context(|| format!("read {}", page.display()))?;
    wrong.extend(library.not_as_listed("revoir", &page));
    match wrong.is_empty() {
        true => Ok(()),
        false => bail!("the interface:\n  {}", Vec::from_iter(wrong).join("\n  ")),
    }
}

impl Item {
    fn kind(&self) -> (&str, &Value) {
        let kind = self.inner.iter().next();
        kind.map_or(("", &Value::Null), |(kind, what)| (kind.as_str(), what))
    }

    fn is_exhaustive(&self) -> bool {
        let says = |attr: &Value| attr.to_string().contains("non_exhaustive");
        self.kind().0 == "enum" && !self.attrs.iter().any(says)
    }
}

impl<'a> Library<'a> {
    fn new(crates: BTreeMap<&'a str, &'a Docs>) -> Self {
        let mut declared = BTreeMap::new();
        for (name, docs) in &crates {
            let own = docs.paths.iter().filter(|(_, path)| path.crate_id == 0);
            for (id, summary) in own.filter(|(id, _)| docs.index.contains_key(id)) {
                declared.insert(summary.path.join("::"), (*name, *id));
            }
        }
        Self { crates, declared }
    }

    fn item(&self, (name, id): Place<'a>) -> Option<&'a Item> {
        self.crates.get(name)?.index.get(&id)
    }

    /// Where an item of one of the crates is declared, as a path.
    fn path(&self, (name, id): Place<'a>) -> Option<String> {
        let path = &self.crates.get(name)?.paths.get(&id)?.path;
        let is_ours = self.crates.contains_key(path.first()?.as_str());
        is_ours.then(|| path.join("::"))
    }

    /// What the crate `name` exports: where it is declared, and what a stranger calls it.
    fn exports(&self, name: &'a str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let root = self.crates.get(name).map(|docs| (name, docs.root));
        let mut open: Vec<(Place<'a>, String)> = Vec::new();
        open.extend(root.map(|root| (root, name.to_owned())));
        let mut seen = BTreeSet::new();
        while let Some((place, called)) = open.pop() {
            let Some(item) = self.item(place) else {
                continue;
            };
            match item.kind() {
                ("module", module) if seen.insert(place) => {
                    for id in ids(module.get("items")) {
                        let Some(item) = self.item((place.0, id)) else {
                            continue;
                        };
                        let (kind, what) = item.kind();
                        if kind == "use" {
                            let target = what.get("id").and_then(Value::as_u64);
                            let target = target.map(|id| (place.0, id));
                            let name = what.get("name").and_then(Value::as_str);
                            if let (Some(target), Some(name)) = (target, name) {
                                let path = self.path(target);
                                let there = path.and_then(|path| self.declared.get(&path));
                                let there = there.copied().unwrap_or(target);
                                open.push((there, format!("{called}::{name}")));
                            }
                        } else if let Some(name) = &item.name {
                            open.push(((place.0, id), format!("{called}::{name}")));
                        }
                    }
                }
                ("module", _) => {}
                _ => {
                    if let Some(path) = self.path(place) {
                        found.entry(path).or_insert(called);
                    }
                }
            }
        }
        found
    }

    fn complaints(&self, name: &'a str) -> BTreeSet<String> {
        let exports = self.exports(name);
        let mut wrong = BTreeSet::new();
        for (declared, called) in &exports {
            let Some(place) = self.declared.get(declared).copied() else {
                continue;
            };
            let mut types = BTreeSet::new();
            self.look(place, called, &mut types, &mut wrong);
            for (path, user) in types {
                // A function, a macro: not a type.
                if !exports.contains_key(&path) {
                    wrong.insert(format!("{name}: {path} cannot be named: {user}"));
                }
            }
            let Some(item) = self.item(place) else {
                continue;
            };
            let own = item.name.as_deref().unwrap_or_default();
            if GROWING.contains(&place.0)
                && item.is_exhaustive()
                && CLOSED.iter().all(|(closed, _)| *closed != own)
            {
                wrong.insert(format!("{called} is not non_exhaustive"));
            }
        }
        wrong
    }

    /// What is said to be closed, and is not there, or not so.
    fn not_closed(&self) -> BTreeSet<String> {
        let exhaustive: BTreeSet<_> = self
            .declared
            .values()
            .filter_map(|place| self.item(*place))
            .filter(|item| item.is_exhaustive())
            .filter_map(|item| item.name.as_deref())
            .collect();
        let gone = CLOSED.iter().filter(|(name, _)| !exhaustive.contains(name));
        gone.map(|(name, _)| format!("{name} is no exhaustive enum"))
            .collect()
    }

    /// How the front page of the crate `name` differs from the list in `page`.
    fn not_as_listed(&self, name: &'a str, page: &str) -> BTreeSet<String> {
        let list = page.split_once(LIST).map_or("", |(_, list)| list);
        let list = list.split("\n- ").next().unwrap_or_default();
        let listed: BTreeSet<&str> = list.split('`').skip(1).step_by(2).collect();
        let docs = self.crates.get(name);
        let root = docs.and_then(|docs| docs.index.get(&docs.root));
        let items = ids(root.and_then(|root| root.kind().1.get("items")));
        let items = items.into_iter().filter_map(|id| self.item((name, id)));
        let there: BTreeSet<&str> = items
            .filter_map(|item| match item.kind() {
                ("use", what) => what.get("name").and_then(Value::as_str),
                _ => item.name.as_deref(),
            })
            .collect();
        let differ = there.symmetric_difference(&listed);
        differ
            .map(|item| format!("{name}::{item}: {FRONT_PAGE} lists another front page"))
            .collect()
    }

    /// The types of ours that an item has in its interface, and who uses them.
    fn look(
        &self,
        place: Place<'a>,
        user: &str,
        types: &mut BTreeSet<(String, String)>,
        wrong: &mut BTreeSet<String>,
    ) {
        let Some(item) = self.item(place) else {
            return;
        };
        let (kind, what) = item.kind();
        let below = |list: Option<&Value>| ids(list).into_iter().map(|id| (place.0, id));
        let name = item.name.as_deref().unwrap_or_default();
        let member = format!("{user}::{name}");
        match kind {
            "function" => self.name(place.0, what.get("sig"), &member, types),
            "struct_field" | "type_alias" | "assoc_type" | "constant" | "static" => {
                self.name(place.0, Some(what), &member, types);
            }
            "assoc_const" => {
                self.name(place.0, Some(what), &member, types);
                let is_array = what.pointer("/type/array").is_some();
                if name == "ALL" && is_array {
                    wrong.insert(format!("{member} has its length in its type"));
                }
            }
            "trait" => {
                for member in below(what.get("items")) {
                    self.look(member, user, types, wrong);
                }
            }
            "variant" => {
                let kind = what.get("kind");
                let fields = kind.and_then(|kind| kind.pointer("/struct/fields"));
                for field in below(kind.and_then(|kind| kind.get("tuple"))).chain(below(fields)) {
                    self.look(field, &member, types, wrong);
                }
            }
            "struct" | "enum" => {
                let plain = what.pointer("/kind/plain/fields");
                let members = below(plain)
                    .chain(below(what.pointer("/kind/tuple")))
                    .chain(below(what.get("variants")));
                for member in members {
                    self.look(member, user, types, wrong);
                }
                for place in below(what.get("impls")) {
                    self.look_at_impl(place, user, types, wrong);
                }
            }
            _ => {}
        }
    }

    /// Of a trait's implementation, only what it gives is looked at: what it takes is made elsewhere.
    fn look_at_impl(
        &self,
        place: Place<'a>,
        user: &str,
        types: &mut BTreeSet<(String, String)>,
        wrong: &mut BTreeSet<String>,
    ) {
        let Some(("impl", what)) = self.item(place).map(Item::kind) else {
            return;
        };
        let is = |field: &str| {
            !matches!(
                what.get(field),
                None | Some(Value::Null | Value::Bool(false))
            )
        };
        if is("is_synthetic") || is("blanket_impl") {
            return;
        }
        for id in ids(what.get("items")) {
            let member = (place.0, id);
            let function = self.item(member).map(Item::kind);
            match function {
                Some(("function", what)) if is("trait") => {
                    self.name(place.0, what.pointer("/sig/output"), user, types);
                }
                _ => self.look(member, user, types, wrong),
            }
        }
    }

    /// The types of ours that are named anywhere in `value`.
    fn name(
        &self,
        krate: &'a str,
        value: Option<&Value>,
        user: &str,
        types: &mut BTreeSet<(String, String)>,
    ) {
        match value {
            Some(Value::Object(fields)) => {
                for (key, value) in fields {
                    let id = (key == "resolved_path").then(|| value.get("id")?.as_u64());
                    let path = id.flatten().and_then(|id| self.path((krate, id)));
                    types.extend(path.map(|path| (path, user.to_owned())));
                    self.name(krate, Some(value), user, types);
                }
            }
            Some(Value::Array(values)) => {
                for value in values {
                    self.name(krate, Some(value), user, types);
                }
            }
            _ => {}
        }
    }
}

fn ids(list: Option<&Value>) -> Vec<u64> {
    let list = list.and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_u64).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A crate with an error in a private module, which a function returns.
    fn docs(is_exported: bool, attrs: &Value) -> Docs {
        let path = |id| json!({ "resolved_path": { "path": "", "id": id, "args": null } });
        let item = |name: &str, inner: Value| json!({ "name": name, "attrs": [], "inner": inner });
        let mut items = vec![1];
        items.extend(is_exported.then_some(3));
        let mut index = json!({
            "0": item("revoir", json!({ "module": { "items": items } })),
            "1": item("open", json!({ "function": { "sig": { "inputs": [], "output": path(2) } } })),
            "2": item("Mistake", json!({ "enum": { "variants": [], "impls": [4] } })),
            "3": item("", json!({ "use": { "name": "Mistake", "id": 2, "is_glob": false } })),
            "4": item("", json!({ "impl": { "is_synthetic": false, "trait": null, "items": [5] } })),
            "5": item("ALL", json!({ "assoc_const": { "type": { "array": { "len": "2" } } } })),
        });
        index["2"]["attrs"] = attrs.clone();
        let summary = |path: &[&str]| json!({ "crate_id": 0, "kind": "", "path": path });
        let paths = json!({
            "0": summary(&["revoir"]),
            "1": summary(&["revoir", "open"]),
            "2": summary(&["revoir", "private", "Mistake"]),
        });
        let docs = json!({ "root": 0, "index": index, "paths": paths });
        serde_json::from_value(docs).unwrap()
    }

    #[test]
    fn a_front_page_that_is_listed_otherwise_is_found() {
        let docs = docs(true, &json!([]));
        let library = Library::new(BTreeMap::from([("revoir", &docs)]));
        let compare = |list: &str| {
            let page = format!("\n- **Before**: `old`\n- **After**: {list}\n- `more`");
            Vec::from_iter(library.not_as_listed("revoir", &page))
        };
        assert!(compare("`Mistake`, `open`").is_empty());
        let told = "docs/coming-from.md lists another front page";
        assert_eq!(compare("`open`"), [format!("revoir::Mistake: {told}")]);
        assert_eq!(
            compare("`open`, `Mistake`, `Link`"),
            [format!("revoir::Link: {told}")]
        );
    }

    fn complaints(docs: &Docs) -> Vec<String> {
        let library = Library::new(BTreeMap::from([("revoir", docs)]));
        library.complaints("revoir").into_iter().collect()
    }

    #[test]
    fn a_type_that_cannot_be_named_or_cannot_grow_is_found() {
        assert_eq!(
            complaints(&docs(false, &json!([]))),
            ["revoir: revoir::private::Mistake cannot be named: revoir::open::open"]
        );
        assert_eq!(
            complaints(&docs(true, &json!([]))),
            [
                "revoir::Mistake is not non_exhaustive",
                "revoir::Mistake::ALL has its length in its type"
            ]
        );
        assert_eq!(
            complaints(&docs(true, &json!(["non_exhaustive"]))),
            ["revoir::Mistake::ALL has its length in its type"]
        );
    }
}

//! Which pages are read.

use anyhow::Context;
use serde_json::Value;

use crate::visit::Visit;

/// How many of the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Every kind of page in every language.
    Kinds,
    /// Every page of the site map whose path begins so: `/`, or `/fr/`.
    All(String),
}

/// Every kind of page, and codes whose pages have parts that others lack.
const KINDS: [&str; 16] = [
    "",
    "codes",
    "codes/1006",
    "codes/1012",
    "codes/1005",
    "codes/4001",
    "ranges/private",
    "compare",
    "compare/1006-vs-1012",
    "causes",
    "implementations",
    "implementations/tungstenite",
    "products",
    "idle-timeouts",
    "fixes",
    "search?q=nginx",
];

/// The paths of pages, those of a language together.
pub(crate) async fn of(visit: &mut Visit<'_>, extent: &Extent) -> anyhow::Result<Vec<String>> {
    visit.go("/en/").await?;
    let asked = match extent {
        Extent::Kinds => "[...document.querySelectorAll('.languages a')].map((a) => a.pathname)",
        Extent::All(_) => {
            "fetch('/sitemap.xml').then((map) => map.text()).then((map) =>
            [...map.matchAll(/<loc>([^<]+)</g)].map(([, page]) => new URL(page).pathname))"
        }
    };
    let found = visit.evaluate(asked).await?;
    let found = found.as_array().context("a list")?;
    let found = found.iter().filter_map(Value::as_str);
    Ok(match extent {
        Extent::Kinds => {
            let of = |root: &str| KINDS.map(|kind| format!("{root}{kind}"));
            found.flat_map(of).collect()
        }
        Extent::All(root) => {
            let found = found.filter(|path| path.starts_with(root));
            found.map(str::to_owned).collect()
        }
    })
}

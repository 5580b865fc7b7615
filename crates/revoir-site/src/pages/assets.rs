//! The files beside the pages: style, scripts, icon, and the index that the search box loads.
//!
//! A page refers to an asset by a name that has a hash of its content, so that a browser may keep it
//! for good.

use std::hash::{DefaultHasher, Hasher};
use std::sync::LazyLock;

use bytes::Bytes;
use revoir_codes::catalog::Locale;

use crate::pages::address::folder;
use crate::pages::search_index;

/// A file that pages refer to.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Its name among the sources.
    pub(crate) plain: String,
    /// Below `assets/`: with the hash.
    pub(crate) name: String,
    pub(crate) text: Bytes,
    /// Whether only pages of a server load it.
    pub(crate) live: bool,
}

/// Every asset, those first that others name.
static ALL: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let connection = Asset::new(
        "connection.js",
        include_str!("../../assets/connection.js"),
        true,
    );
    // These two import it by its name.
    let importing = |plain, text: &str| {
        let text = text.replace("./connection.js", &format!("./{}", connection.name));
        Asset::new(plain, text, true)
    };
    let live = importing("live.js", include_str!("../../assets/live.js"));
    let lab = importing("lab.js", include_str!("../../assets/lab.js"));
    let mut all = vec![connection, live, lab];
    // The browser client of `clients/js`, and what it decides.
    for (plain, text, live) in [
        ("revoir.js", include_str!("../../assets/revoir.js"), true),
        (
            "revoir-policy.js",
            include_str!("../../assets/revoir-policy.js"),
            true,
        ),
        ("style.css", include_str!("../../assets/style.css"), false),
        ("search.js", include_str!("../../assets/search.js"), false),
        ("menu.js", include_str!("../../assets/menu.js"), false),
        ("stub.js", include_str!("../../assets/stub.js"), false),
        ("icon.svg", include_str!("../../assets/icon.svg"), false),
    ] {
        all.push(Asset::new(plain, text, live));
    }
    all.extend(Locale::all().iter().map(|locale| {
        let plain = search_index(locale);
        Asset::new(&plain, search_index::script(locale), false)
    }));
    all
});

impl Asset {
    fn new(plain: &str, text: impl Into<String>, live: bool) -> Self {
        let text = Bytes::from(lean(plain, &text.into()));
        let mut hasher = DefaultHasher::new();
        hasher.write(&text);
        let hash = hasher.finish() >> 24;
        let (stem, end) = plain.rsplit_once('.').unwrap_or((plain, ""));
        Self {
            plain: plain.to_owned(),
            name: format!("{stem}.{hash:010x}.{end}"),
            text,
            live,
        }
    }
}

/// A script or style without its comments and indentation, which weigh as much as a fifth of it. None of ours has
/// a text over more than one line.
fn lean(plain: &str, text: &str) -> String {
    let is_code = plain.ends_with(".js") || plain.ends_with(".css");
    let is_comment =
        |line: &str| line.starts_with("// ") || line.starts_with("/*") && line.ends_with("*/");
    let lines = text.lines().map(|line| match is_code {
        true => line.trim(),
        false => line,
    });
    let mut lean = String::with_capacity(text.len());
    for line in lines.filter(|line| !(line.is_empty() || is_code && is_comment(line))) {
        lean.push_str(line);
        lean.push('\n');
    }
    lean
}

/// The name of the index for the search in a language, without its hash.
pub(crate) fn search_index(locale: &Locale) -> String {
    format!("search-{}.js", folder(locale))
}

/// Every asset.
pub(crate) fn all() -> &'static [Asset] {
    &ALL
}

/// The name of an asset with its hash.
pub(crate) fn hashed(plain: &str) -> &str {
    let found = ALL.iter().find(|asset| asset.plain == plain);
    found.map_or(plain, |asset| &asset.name)
}

//! The files beside the pages: style, scripts, icon, and the index that the search box loads.
//!
//! A page refers to an asset by a name that has a hash of its content, so that a browser may keep it
//! for good.

use std::hash::{DefaultHasher, Hasher};
use std::sync::{LazyLock, OnceLock};

use bytes::Bytes;
use revoir_codes::catalog::Locale;

use crate::pages::address::folder;
use crate::pages::frame::Frame;
use crate::pages::search;

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
        ("codes.css", include_str!("../../assets/codes.css"), false),
        ("live.css", include_str!("../../assets/live.css"), true),
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

impl Frame {
    /// A file beside the pages.
    pub(crate) fn asset(&self, name: &str) -> String {
        self.hashed_asset(hashed(name))
    }

    /// The index that the search box loads when it is first used.
    pub(crate) fn search_index(&self) -> String {
        self.asset(&search_index(self.locale))
    }
}

/// The name of the index for the search in a language, without its hash.
pub(crate) fn search_index(locale: &Locale) -> String {
    format!("search-{}.js", folder(locale))
}

/// The index for the search in a language, made when it is first asked for.
fn index(locale: &'static Locale) -> &'static Asset {
    static INDEXES: OnceLock<Vec<OnceLock<Asset>>> = OnceLock::new();
    let all = Locale::all();
    let indexes = INDEXES.get_or_init(|| all.iter().map(|_| OnceLock::new()).collect());
    let place = all.iter().position(|own| std::ptr::eq(own, locale));
    indexes[place.unwrap_or_default()].get_or_init(|| {
        let plain = search_index(locale);
        Asset::new(&plain, search::script(locale), false)
    })
}

/// Every asset.
pub(crate) fn all() -> impl Iterator<Item = &'static Asset> {
    ALL.iter().chain(Locale::all().iter().map(index))
}

/// The asset with this name, with or without its hash.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    let is_it = |asset: &&Asset| asset.name == name || asset.plain == name;
    ALL.iter().find(is_it).or_else(|| {
        let stem = name.split('.').next()?;
        let mut locales = Locale::all().iter();
        let locale = locales.find(|locale| search_index(locale).split('.').next() == Some(stem))?;
        Some(index(locale)).filter(is_it)
    })
}

/// The name of an asset with its hash.
pub(crate) fn hashed(plain: &str) -> &str {
    find(plain).map_or(plain, |asset| &asset.name)
}

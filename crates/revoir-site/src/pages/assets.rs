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
use crate::pages::{diagnosis, search};

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
        ("tables.css", include_str!("../../assets/tables.css"), false),
        ("live.css", include_str!("../../assets/live.css"), true),
        ("lab.css", include_str!("../../assets/lab.css"), true),
        ("pairs.css", include_str!("../../assets/pairs.css"), false),
        ("quick.css", include_str!("../../assets/quick.css"), false),
        ("quick.js", include_str!("../../assets/quick.js"), false),
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

impl Asset {
    /// With or without its hash.
    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.plain == name
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
        self.hashed_asset(&SEARCHES.of(self.locale).name)
    }

    /// What is said of the causes that a page ranks, loaded when somebody asks for it.
    pub(crate) fn cause_texts(&self) -> String {
        self.hashed_asset(&TEXTS.of(self.locale.text_locale()).name)
    }
}

/// A script of which each language has its own.
struct PerLanguage {
    /// What its names begin with.
    stem: &'static str,
    script: fn(&'static Locale) -> String,
    /// Those that were asked for.
    made: OnceLock<Vec<OnceLock<Asset>>>,
}

/// What searches, and what ranks causes.
static SEARCHES: PerLanguage = PerLanguage {
    stem: "search",
    script: search::script,
    made: OnceLock::new(),
};

/// What is said of causes, in the languages that have texts of their own.
static TEXTS: PerLanguage = PerLanguage {
    stem: "causes",
    script: diagnosis::texts,
    made: OnceLock::new(),
};

impl PerLanguage {
    /// The name of the script of a language, without its hash.
    fn plain(&self, locale: &Locale) -> String {
        format!("{}-{}.js", self.stem, folder(locale))
    }

    /// The script of a language, made when it is first asked for.
    fn of(&self, locale: &'static Locale) -> &Asset {
        let all = Locale::all();
        let made = self
            .made
            .get_or_init(|| all.iter().map(|_| OnceLock::new()).collect());
        let place = all.iter().position(|own| std::ptr::eq(own, locale));
        made[place.unwrap_or_default()]
            .get_or_init(|| Asset::new(&self.plain(locale), (self.script)(locale), false))
    }

    /// The script with this name, with or without its hash.
    fn find(&self, name: &str) -> Option<&Asset> {
        let stem = name.split('.').next()?;
        let is_it = |locale: &&Locale| {
            let plain = self.plain(locale);
            plain.split('.').next() == Some(stem)
        };
        let locale = Locale::all().iter().find(is_it)?;
        Some(self.of(locale)).filter(|asset| asset.is_called(name))
    }
}

/// The languages that have texts of their own.
fn with_texts() -> impl Iterator<Item = &'static Locale> {
    Locale::all().iter().filter(|locale| locale.is_complete())
}

/// Every asset.
pub(crate) fn all() -> impl Iterator<Item = &'static Asset> {
    let searches = Locale::all().iter().map(|locale| SEARCHES.of(locale));
    let texts = with_texts().map(|locale| TEXTS.of(locale));
    ALL.iter().chain(searches).chain(texts)
}

/// The asset with this name, with or without its hash.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    let shared = ALL.iter().find(|asset| asset.is_called(name));
    shared
        .or_else(|| SEARCHES.find(name))
        .or_else(|| TEXTS.find(name))
}

/// The name of an asset with its hash.
pub(crate) fn hashed(plain: &str) -> &str {
    find(plain).map_or(plain, |asset| &asset.name)
}

//! The files beside the pages: style, script, icon, and the index that the search box loads.

use revoir_codes::catalog::Locale;

use crate::pages::address::folder;
use crate::pages::search_index;

/// A file that pages refer to.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Below `assets/`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The name of the index for the search in a language.
pub(crate) fn search_index(locale: &Locale) -> String {
    format!("search-{}.js", folder(locale))
}

/// What only pages of a server load: they talk with it. `revoir.js` and `revoir-policy.js` are the
/// browser client of `clients/js`, and what it decides.
pub(crate) fn live() -> impl Iterator<Item = Asset> {
    [
        ("revoir.js", include_str!("../../assets/revoir.js")),
        (
            "revoir-policy.js",
            include_str!("../../assets/revoir-policy.js"),
        ),
        ("connection.js", include_str!("../../assets/connection.js")),
        ("live.js", include_str!("../../assets/live.js")),
        ("lab.js", include_str!("../../assets/lab.js")),
    ]
    .map(|(name, text)| Asset {
        name: name.to_owned(),
        text: text.to_owned(),
    })
    .into_iter()
}

/// Every asset that all pages share.
pub(crate) fn all() -> impl Iterator<Item = Asset> {
    let fixed = [
        ("style.css", include_str!("../../assets/style.css")),
        ("search.js", include_str!("../../assets/search.js")),
        ("icon.svg", include_str!("../../assets/icon.svg")),
    ];
    let fixed = fixed.into_iter().map(|(name, text)| Asset {
        name: name.to_owned(),
        text: text.to_owned(),
    });
    fixed.chain(Locale::all().iter().map(|locale| Asset {
        name: search_index(locale),
        text: search_index::script(locale),
    }))
}

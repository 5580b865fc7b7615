//! The search: what can be found (`entries`), and what fits best (`matcher`, `named`); both also as a script.

mod entries;
mod matcher;
mod named;
mod script;

use std::sync::OnceLock;

use revoir_codes::catalog::Locale;

pub(crate) use matcher::Hit;
use matcher::{Index, heard};
pub(crate) use script::script;

use crate::pages::frame::Frame;

/// What fits what somebody typed, best first. A line of a console or a log is read as `revoir diagnose` reads it, too.
pub(crate) fn find(locale: &'static Locale, typed: &str) -> Vec<Hit> {
    index(locale).find(locale, typed, &heard(typed))
}

/// What is called by these words of an address that leads nowhere, best first.
pub(crate) fn named(locale: &'static Locale, words: &str) -> Vec<Hit> {
    index(locale).named(locale, words)
}

/// The index of a language, made when it is first used.
fn index(locale: &'static Locale) -> &'static Index {
    static INDEXES: OnceLock<Vec<OnceLock<Index>>> = OnceLock::new();
    let all = Locale::all();
    let indexes = INDEXES.get_or_init(|| all.iter().map(|_| OnceLock::new()).collect());
    let place = all.iter().position(|own| std::ptr::eq(own, locale));
    indexes[place.unwrap_or_default()].get_or_init(|| Index::of(locale))
}

impl Hit {
    /// Where it is, seen from a page.
    pub(crate) fn href(&self, frame: &Frame) -> String {
        let page = frame.page(self.address);
        match &self.anchor {
            Some(anchor) => format!("{page}#{anchor}"),
            None => page,
        }
    }
}

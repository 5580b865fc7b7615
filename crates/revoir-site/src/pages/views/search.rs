//! The search, and the page where a language is chosen.

use askama::Template;
use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;

use super::parts::written;
use crate::pages::address::Address;

use crate::pages::frame::{CodeLink, Frame};
use crate::pages::links::{Home, Links};
use crate::pages::prose::escaped;
use crate::pages::search::{Hit, find};

#[derive(Template)]
#[template(path = "search.html", whitespace = "minimize")]
struct SearchPage<'a> {
    frame: Frame,
    typed: &'a str,
    results: Vec<(String, Hit)>,
}

/// The search page with what fits `typed`; with nothing typed, every code.
#[must_use]
pub fn search_results(typed: &str, locale: &'static Locale, home: &Home) -> String {
    let frame = Frame::new(
        Address::Search,
        locale,
        home,
        locale.labels.search.to_owned(),
        locale.labels.search_hint,
    );
    let results = find(locale, typed)
        .into_iter()
        .map(|entry| (entry.href(&frame), entry))
        .collect();
    written(&SearchPage {
        frame,
        typed: typed.trim(),
        results,
    })
}

impl SearchPage<'_> {
    /// That nothing fits, with what was typed.
    fn nothing(&self) -> String {
        let phrases = self.frame.locale.phrases();
        let typed = format!("<q>{}</q>", escaped(self.typed));
        escaped(phrases.search_none)
            .replace("“{typed}”", &typed)
            .replace("«\u{a0}{typed}\u{a0}»", &typed)
    }

    fn codes(&self) -> Vec<CodeLink> {
        CloseCode::registered()
            .map(|code| self.frame.code_link(code))
            .collect()
    }
}

#[derive(Template)]
#[template(path = "front.html", whitespace = "minimize")]
struct FrontPage {
    frame: Frame,
}

/// The page at the root of the files, where nobody can ask the browser for its languages.
#[must_use]
pub fn front(home: &Home) -> String {
    let locale = Locale::english();
    let mut frame = Frame::new(
        Address::Home,
        locale,
        home,
        locale.labels.site_title.to_owned(),
        locale.phrases().site_intro,
    );
    frame.set_links(Links::new(home, 0));
    written(&FrontPage { frame })
}

//! The first page: a connection that lives, and where to go from there.

use askama::Template;
use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;

use super::parts::written;
use crate::pages::address::Address;
use crate::pages::frame::{CodeLink, Frame};
use crate::pages::links::Home;
use crate::pages::prose;

#[derive(Template)]
#[template(path = "home.html", whitespace = "minimize")]
struct HomePage {
    frame: Frame,
    codes: Vec<CodeLink>,
}

pub(in crate::pages) fn page(locale: &'static Locale, home: &Home) -> String {
    let frame = Frame::new(
        Address::Home,
        locale,
        home,
        locale.phrases().home_title.to_owned(),
        locale.phrases().site_intro,
    );
    let codes = CloseCode::registered()
        .map(|code| frame.code_link(code))
        .collect();
    written(&HomePage { frame, codes })
}

impl HomePage {
    /// What the live connection shows, or how to get one.
    fn live(&self) -> String {
        let phrases = self.frame.locale.phrases();
        let text = if self.frame.has_server() {
            phrases.home_intro
        } else {
            phrases.home_static
        };
        prose::html(text, |_| None)
    }
}

//! The first page: the search, the codes that people have, and a connection that lives.

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
    /// The codes that people have, and the others.
    common: Vec<CodeLink>,
    other: Vec<CodeLink>,
}

/// The codes that most questions are about, in that order.
const COMMON: [u16; 9] = [1006, 1000, 1001, 1005, 1011, 1012, 1008, 1009, 1015];

/// After so many seconds of silence the page takes its connection for dead (assets/live.js).
const SILENCE_S: &str = "5";

pub(in crate::pages) fn page(locale: &'static Locale, home: &Home) -> String {
    let frame = Frame::new(
        Address::Home,
        locale,
        home,
        locale.phrases().home_title.to_owned(),
        locale.phrases().site_intro,
    );
    let links = |codes: &mut dyn Iterator<Item = CloseCode>| -> Vec<CodeLink> {
        codes.map(|code| frame.code_link(code)).collect()
    };
    let common = links(&mut COMMON.into_iter().map(CloseCode::new));
    let other = links(&mut CloseCode::registered().filter(|code| !COMMON.contains(&code.get())));
    written(&HomePage {
        common,
        other,
        frame,
    })
}

impl HomePage {
    /// What happens when the cable is pulled.
    fn silence(&self) -> String {
        let locale = self.frame.locale;
        locale.filled(
            locale.phrases().live_silence_hint,
            &[("seconds", SILENCE_S)],
        )
    }

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

//! Fixes to copy, for each product.

use askama::Template;
use revoir_codes::catalog::Locale;

use super::parts::written;
use crate::pages::address::Address;
use crate::pages::fixes::{FIXES, Fix, Topic};
use crate::pages::frame::{CodeLink, Frame};
use crate::pages::links::Home;

#[derive(Template)]
#[template(path = "fixes.html", whitespace = "minimize")]
struct FixesPage {
    frame: Frame,
}

pub(in crate::pages) fn page(locale: &'static Locale, home: &Home) -> String {
    let phrases = locale.phrases();
    let frame = Frame::new(
        Address::Fixes,
        locale,
        home,
        phrases.snippets_title.to_owned(),
        phrases.fixes_intro,
    );
    written(&FixesPage { frame })
}

impl FixesPage {
    fn topics(&self) -> [Topic; 4] {
        Topic::ALL
    }

    fn title(&self, topic: &Topic) -> &'static str {
        topic.title(self.frame.locale)
    }

    fn codes(&self, topic: &Topic) -> Vec<CodeLink> {
        let codes = topic.codes().iter();
        codes.map(|code| self.frame.code_link(*code)).collect()
    }

    fn fixes(&self, topic: &Topic) -> impl Iterator<Item = &'static Fix> {
        let topic = *topic;
        FIXES.iter().filter(move |fix| fix.topic == topic)
    }

    /// Whether it was run, and with what.
    fn run(&self, fix: &Fix) -> String {
        let locale = self.frame.locale;
        let phrases = locale.phrases();
        let (template, version) = match fix.block.run_with() {
            Some(version) => (phrases.snippet_run, version),
            None => (phrases.snippet_not_run, fix.written_for),
        };
        locale.filled(template, &[("version", version)])
    }
}

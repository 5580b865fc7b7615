//! What one implementation tells its application, ending by ending.

use askama::Template;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::observed::{Implementation, Outcome, Seen};

use super::parts::written;
use crate::pages::address::Address;
use crate::pages::frame::Frame;
use crate::pages::links::Home;

#[derive(Template)]
#[template(path = "implementation.html", whitespace = "minimize")]
struct ImplementationPage {
    frame: Frame,
    intro: String,
    rows: Vec<&'static Implementation>,
}

impl ImplementationPage {
    fn title(&self, of: &Implementation) -> String {
        let side = of.side.map(|side| self.frame.locale.side(side));
        let version = of.to_string();
        side.map_or_else(
            || version.clone(),
            |side| self.frame.locale.aside(&version, side),
        )
    }

    fn evidence(&self, of: &Implementation) -> String {
        self.frame.dated(of.evidence, of.date)
    }

    fn ending(&self, seen: &Seen) -> String {
        self.frame.text(&self.frame.locale.ending(seen.case))
    }

    /// A code, or what stands for it. A registered code links to its page.
    fn told(&self, seen: &Seen) -> String {
        let labels = self.frame.labels;
        match seen.told {
            Outcome::Code(code) => self.frame.text(&code.get().to_string()),
            Outcome::Error => labels.error.to_owned(),
            Outcome::Nothing => labels.no_code.to_owned(),
        }
    }
}

pub(in crate::pages) fn page(name: &'static str, locale: &'static Locale, home: &Home) -> String {
    let rows: Vec<_> = Implementation::all()
        .iter()
        .filter(|of| of.name == name)
        .collect();
    let address = Address::Implementation(name);
    let intro = locale.filled(locale.phrases().implementation_intro, &[("name", name)]);
    written(&ImplementationPage {
        frame: Frame::new(address, locale, home, name.to_owned(), &intro),
        intro,
        rows,
    })
}

//! The pages, each a template with what it shows.

mod all_codes;
mod causes;
mod code;
mod home;
mod lab;
mod pair;
mod search;
mod tables;

use askama::Template;
use revoir_codes::catalog::source::Evidence;
use revoir_codes::catalog::{Explanation, Locale, Statement};

use crate::pages::Address;
use crate::pages::frame::Frame;
use crate::pages::links::Home;
use crate::pages::steps::{Side, Steps};

pub use search::{front, search_results};

/// A page in a language.
#[must_use]
pub fn render(address: Address, locale: &'static Locale, home: &Home) -> String {
    match address {
        Address::Home => home::page(locale, home),
        Address::AllCodes => all_codes::page(locale, home),
        Address::Code(code) => code::page(code, locale, home),
        Address::Range(range) => code::range_page(range, locale, home),
        Address::Pairs => pair::chooser(locale, home),
        Address::Pair(a, b) => pair::page(a, b, locale, home),
        Address::Causes => causes::page(locale, home),
        Address::Implementations => tables::implementations(locale, home),
        Address::Products => tables::products(locale, home),
        Address::IdleTimeouts => tables::idle_timeouts(locale, home),
        Address::Search => search_results("", locale, home),
        Address::Missing => search::missing(locale, home),
    }
}

/// Writes a template as text.
fn written(template: &impl Template) -> String {
    // Rendering into memory fails only if a template's own code does, and none of ours can.
    template.render().unwrap_or_default()
}

/// A sentence and where it comes from, ready to be shown.
struct Shown {
    html: String,
    source: &'static str,
    unverified: bool,
}

fn shown(frame: &Frame, statements: impl Iterator<Item = Statement>) -> Vec<Shown> {
    statements
        .map(|statement| Shown {
            html: frame.text(statement.text),
            source: statement.source.place,
            unverified: statement.source.evidence == Evidence::Unverified,
        })
        .collect()
}

/// The course of an ending as a picture that is also a list.
#[derive(Template)]
#[template(path = "steps.html")]
struct StepsView<'a> {
    frame: &'a Frame,
    severity: &'static str,
    steps: Steps,
}

impl<'a> StepsView<'a> {
    fn new(frame: &'a Frame, of: &Explanation) -> Self {
        Self {
            frame,
            severity: of.facts.severity.id(),
            steps: Steps::of(of),
        }
    }

    fn sides(&self) -> [(Side, &String); 2] {
        [
            (Side::Client, &self.steps.seen[0]),
            (Side::Server, &self.steps.seen[1]),
        ]
    }
}

//! The table of all codes.

use askama::Template;
use revoir_codes::advice::Direction;
use revoir_codes::catalog::Locale;
use revoir_codes::{CloseCode, CodeRange};

use super::parts::{LegendTag, legend, written};
use crate::pages::address::Address;
use crate::pages::frame::{CodeLink, Frame};
use crate::pages::links::Home;

#[derive(Template)]
#[template(path = "all_codes.html", whitespace = "minimize")]
struct AllCodesPage {
    frame: Frame,
    ranges: Vec<RangeSection>,
}

/// A range of the table, with its registered codes.
struct RangeSection {
    title: &'static str,
    /// The page of the range, where there is one.
    href: Option<String>,
    first: u16,
    last: u16,
    id: &'static str,
    codes: Vec<CodeRow>,
}

struct CodeRow {
    link: CodeLink,
    short: &'static str,
    wire: &'static str,
    senders: String,
    retry: String,
}

impl AllCodesPage {
    fn legend(&self) -> Vec<LegendTag> {
        legend(self.frame.locale)
    }
}

pub(in crate::pages) fn page(locale: &'static Locale, home: &Home) -> String {
    let frame = Frame::new(
        Address::AllCodes,
        locale,
        home,
        locale.labels.site_title.to_owned(),
        locale.phrases().site_intro,
    );
    let ranges = CodeRange::ALL
        .iter()
        .copied()
        .map(|range| range_of(range, &frame))
        .collect();
    written(&AllCodesPage { frame, ranges })
}

fn range_of(range: CodeRange, frame: &Frame) -> RangeSection {
    let locale = frame.locale;
    let (first, last) = range.bounds();
    let codes = CloseCode::registered()
        .filter(|code| code.range() == range)
        .map(|code| {
            let of = frame.explain(code);
            CodeRow {
                link: frame.code_link(code),
                short: of.text.short,
                wire: locale.wire(of.facts.wire),
                senders: locale.senders(of.facts.senders),
                retry: of.retry(Direction::AtClient),
            }
        })
        .collect();
    RangeSection {
        title: locale.range(range),
        href: (range != CodeRange::Protocol).then(|| frame.page(Address::Range(range))),
        first,
        last,
        id: range.id(),
        codes,
    }
}

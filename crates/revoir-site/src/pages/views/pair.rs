//! Two codes side by side, and the page to choose them from.

use askama::Template;
use revoir_codes::CloseCode;
use revoir_codes::catalog::{Comparison, Explanation, Locale, Row, compare, pairs};

use super::lab::LabView;
use super::parts::{Document, ShownStatement, StepsView, documents, shown, written};
use crate::pages::address::{Address, named_by_products, names_in_products};
use crate::pages::frame::{CodeLink, Frame};
use crate::pages::links::Home;

#[derive(Template)]
#[template(path = "pair.html", whitespace = "minimize")]
struct PairPage<'a> {
    frame: &'a Frame,
    comparison: &'a Comparison,
    sides: Vec<Compared<'a>>,
    lab: Option<LabView<'a>>,
    related: Vec<CodeLink>,
    documents: Vec<Document>,
}

/// What is said of one of the two codes.
struct Compared<'a> {
    of: &'a Explanation,
    severity: &'static str,
    href: String,
    steps: StepsView<'a>,
    seen: Vec<ShownStatement>,
}

pub(in crate::pages) fn page(
    a: CloseCode,
    b: CloseCode,
    locale: &'static Locale,
    home: &Home,
) -> String {
    let Ok(comparison) = compare(a, b, locale) else {
        // An address never names the same code twice; whoever builds one that does gets the code.
        return super::code::page(a, locale, home);
    };
    let frame = Frame::new(
        Address::Pair(a, b),
        locale,
        home,
        comparison.title.clone(),
        &comparison.introduction,
    );
    let codes = [&comparison.a, &comparison.b];
    let sides = codes.map(|of| Compared {
        of,
        severity: of.facts.severity.id(),
        href: frame.about(of.code),
        steps: StepsView::new(&frame, of),
        seen: shown(&frame, of.seen()),
    });
    let mut related: Vec<CloseCode> = codes
        .iter()
        .flat_map(|of| of.facts.related)
        .copied()
        .filter(|code| codes.iter().all(|of| of.code != *code))
        .collect();
    related.sort();
    related.dedup();
    written(&PairPage {
        frame: &frame,
        comparison: &comparison,
        sides: sides.into(),
        lab: LabView::of_pair(&frame, comparison.a.code, comparison.b.code),
        related: related
            .into_iter()
            .map(|code| frame.code_link(code))
            .collect(),
        documents: documents(codes),
    })
}

impl PairPage<'_> {
    fn label(&self, row: &Row) -> &'static str {
        row.aspect.label(self.frame.labels)
    }

    fn number(&self, side: usize) -> u16 {
        self.sides[side].of.code.get()
    }

    /// Whether both codes have the same text, because they are of one range.
    fn same(&self) -> bool {
        self.comparison.a.same_entry(&self.comparison.b)
    }

    /// The sides to speak of: one if the same is said of both.
    fn told(&self) -> &[Compared<'_>] {
        if self.same() {
            &self.sides[..1]
        } else {
            &self.sides
        }
    }
}

#[derive(Template)]
#[template(path = "pairs.html", whitespace = "minimize")]
struct PairsPage {
    frame: Frame,
    /// Every registered code, to choose from.
    all: Vec<CodeLink>,
    /// The codes of products, each with what they call it. Among files they have no comparisons.
    private: Vec<(u16, String)>,
    /// The pairs that are often compared: both numbers, where they are compared, and what separates them as HTML.
    often: Vec<(CloseCode, CloseCode, String, String)>,
    /// Every code but the last, and its comparisons with those above it: each pair once.
    codes: Vec<(CodeLink, Vec<CodeLink>)>,
}

/// What the two choosers begin with.
const FIRST: u16 = 1001;
const SECOND: u16 = 1006;

impl PairsPage {
    fn is_first(&self, code: &CodeLink) -> bool {
        code.number == FIRST
    }

    fn is_second(&self, code: &CodeLink) -> bool {
        code.number == SECOND
    }
}

pub(in crate::pages) fn chooser(locale: &'static Locale, home: &Home) -> String {
    let frame = Frame::new(
        Address::Pairs,
        locale,
        home,
        locale.labels.compare.to_owned(),
        locale.phrases().compare_intro,
    );
    let codes = CloseCode::registered()
        .map(|code| {
            let others = CloseCode::registered().filter(|other| *other > code);
            let pairs: Vec<_> = others.map(|other| frame.pair_link(code, other)).collect();
            (frame.code_link(code), pairs)
        })
        .filter(|(_, pairs)| !pairs.is_empty())
        .collect();
    let often = pairs(locale).map(|(a, b, intro)| {
        let href = frame.page(Address::pair(a, b));
        (a, b, href, frame.text(intro))
    });
    let private = named_by_products().iter().filter(|_| frame.has_server());
    let private = private.map(|code| (code.get(), names_in_products(*code)));
    written(&PairsPage {
        private: private.collect(),
        all: CloseCode::registered()
            .map(|code| frame.code_link(code))
            .collect(),
        often: often.collect(),
        codes,
        frame,
    })
}

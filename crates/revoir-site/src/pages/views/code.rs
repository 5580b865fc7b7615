//! The page of one code, and of the codes of a range that are not registered.

use askama::Template;
use revoir_codes::advice::Direction;
use revoir_codes::catalog::vendor::{Vendor, vendors};
use revoir_codes::catalog::{Explanation, Locale, fact_rows};
use revoir_codes::{CloseCode, CodeRange};

use super::lab::LabView;
use super::parts::{Document, ShownStatement, StepsView, documents, shown, written};
use super::quick::QuickView;
use crate::pages::address::{Address, anchor};
use crate::pages::fixes::Topic;
use crate::pages::frame::{CodeLink, Frame};
use crate::pages::links::Home;
use crate::pages::prose::capitalized;

#[derive(Template)]
#[template(path = "code.html", whitespace = "minimize")]
struct CodePage<'a> {
    frame: &'a Frame,
    of: Explanation,
    /// The number, or the bounds of the range.
    number: String,
    steps: StepsView<'a>,
    lab: Option<LabView<'a>>,
    quick: Option<QuickView<'a>>,
    facts: Vec<(&'static str, String)>,
    seen: Vec<ShownStatement>,
    notes: Vec<ShownStatement>,
    /// What implementations do with it, as sentences.
    record: Vec<String>,
    uses: Vec<ProductUse>,
    /// What to compare with: the related codes, then the others.
    near: Vec<CodeLink>,
    far: Vec<CodeLink>,
    related: Vec<CodeLink>,
    documents: Vec<Document>,
    before: Option<CodeLink>,
    after: Option<CodeLink>,
}

pub(in crate::pages) fn page(code: CloseCode, locale: &'static Locale, home: &Home) -> String {
    let of = revoir_codes::catalog::explain(code, locale);
    let title = format!("{} {}", code.get(), of.text.title);
    let frame = Frame::new(Address::Code(code), locale, home, title, of.text.short);
    written(&CodePage::new(&frame, of, code.get().to_string()))
}

pub(in crate::pages) fn range_page(
    range: CodeRange,
    locale: &'static Locale,
    home: &Home,
) -> String {
    let of = revoir_codes::catalog::explain(unregistered(range), locale);
    let title = locale.range(range).to_owned();
    let frame = Frame::new(Address::Range(range), locale, home, title, of.text.short);
    let (first, last) = range.bounds();
    written(&CodePage::new(&frame, of, format!("{first}–{last}")))
}

/// A code that stands for those of its range that are not registered.
fn unregistered(range: CodeRange) -> CloseCode {
    let (first, last) = range.bounds();
    (first..=last)
        .map(CloseCode::new)
        .find(|code| code.name().is_none())
        .unwrap_or_else(|| CloseCode::new(first))
}

impl<'a> CodePage<'a> {
    fn new(frame: &'a Frame, of: Explanation, number: String) -> Self {
        let is_range = matches!(frame.address, Address::Range(_));
        let related = of.facts.related;
        let mut facts = fact_rows(&of);
        if is_range {
            // Its codes are many, and a browser shows the one it got.
            facts.retain(|(label, _)| *label != of.locale.labels.browser_shows);
        }
        let versus = |other: CloseCode| frame.pair_link(of.code, other);
        // Among files there are the comparisons of registered codes only.
        let is_compared = of.code.name().is_some() || frame.has_server();
        let compared = |code: &CloseCode| is_compared && *code != of.code;
        let link = |code: CloseCode| frame.code_link(code);
        Self {
            frame,
            number,
            steps: StepsView::new(frame, &of),
            lab: LabView::new(frame, of.code),
            quick: (!is_range).then(|| QuickView::new(frame, &of)).flatten(),
            facts,
            seen: shown(frame, of.seen()),
            notes: shown(frame, of.notes()),
            record: of.on_record().iter().map(|one| capitalized(one)).collect(),
            uses: if is_range {
                range_uses(&of, frame)
            } else {
                uses(&of, frame)
            },
            near: related
                .iter()
                .copied()
                .filter(compared)
                .map(versus)
                .collect(),
            far: CloseCode::registered()
                .filter(compared)
                .filter(|code| !related.contains(code))
                .map(versus)
                .collect(),
            related: related.iter().copied().map(link).collect(),
            documents: documents([&of]),
            before: CloseCode::registered()
                .take_while(|code| *code < of.code)
                .last()
                .map(link),
            after: CloseCode::registered()
                .find(|code| *code > of.code)
                .map(link),
            of,
        }
    }

    fn is_abnormal(&self) -> bool {
        self.of.code == CloseCode::ABNORMAL_CLOSURE
    }

    /// What it is, in one sentence.
    fn lead(&self) -> &'static str {
        match self.is_abnormal() {
            true => self.frame.locale.phrases().quick_lead,
            false => self.of.text.short,
        }
    }

    fn is_range(&self) -> bool {
        matches!(self.frame.address, Address::Range(_))
    }

    /// What there is to copy for it.
    fn fixes(&self) -> Option<Topic> {
        Topic::of(self.of.code).filter(|_| !self.is_range())
    }

    fn severity(&self) -> &'static str {
        self.of.facts.severity.id()
    }

    fn severity_in_words(&self) -> &'static str {
        self.frame.locale.severity(self.of.facts.severity)
    }

    fn retry(&self) -> String {
        self.of.retry(Direction::AtClient)
    }

    fn session(&self) -> &'static str {
        self.frame.locale.session(&self.of.facts.client_advice)
    }

    fn basis(&self) -> String {
        let locale = self.frame.locale;
        let basis = locale.basis(self.of.facts.client_advice.basis);
        locale.paragraph(&[locale.phrases().advice_only, basis])
    }
}

/// What a product means by the code.
struct ProductUse {
    vendor: &'static str,
    href: String,
    meaning: String,
    /// What its clients do; empty where the product does not say.
    reconnect: &'static str,
    source: String,
}

/// What products mean by the code.
fn uses(of: &Explanation, frame: &Frame) -> Vec<ProductUse> {
    let phrases = of.locale.phrases();
    of.uses()
        .map(|product| ProductUse {
            reconnect: match product.reconnect {
                Some(true) => phrases.vendor_reconnect,
                Some(false) => phrases.vendor_stop,
                None => "",
            },
            ..ProductUse::new(frame, product.vendor, product.meaning())
        })
        .collect()
}

/// The products that use codes of the range.
fn range_uses(of: &Explanation, frame: &Frame) -> Vec<ProductUse> {
    let range = of.code.range();
    vendors()
        .iter()
        .filter_map(|vendor| {
            let codes = vendor.codes.iter().map(|named| named.code.get());
            let bands = vendor.bands.iter().flat_map(|band| [band.first, band.last]);
            let inside = |number: &u16| CloseCode::new(*number).range() == range;
            let numbers: Vec<u16> = codes.chain(bands).filter(inside).collect();
            let (first, last) = (numbers.iter().min()?, numbers.iter().max()?);
            Some(ProductUse::new(frame, vendor, format!("{first}–{last}")))
        })
        .collect()
}

impl ProductUse {
    fn new(frame: &Frame, vendor: &'static Vendor, meaning: String) -> Self {
        let page = frame.page(Address::Products);
        Self {
            vendor: vendor.name,
            href: format!("{page}#{}", anchor(vendor.name)),
            meaning,
            reconnect: "",
            source: frame.source(vendor.source),
        }
    }
}

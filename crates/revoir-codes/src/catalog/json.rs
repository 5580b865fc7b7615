//! The reference as JSON has it, for `serde` (feature `serde`).
//!
//! The fields are API: `docs/json.md` of the repository describes them.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::advice::{Advice, DelayClass, Direction};
use crate::catalog::causes::{CauseFacts, Witness, causes};
use crate::catalog::compare::{Comparison, Row};
use crate::catalog::explain::{Explanation, Statement};
use crate::catalog::text::CauseText;
use crate::catalog::vendor::{Use, Vendor, VendorCode};
use crate::code::CloseCode;
use crate::send::SendCode;

/// One code in a list.
#[derive(Debug, Serialize)]
pub struct CodeFields {
    kind: &'static str,
    code: u16,
    name: &'static str,
    range: &'static str,
    registered: bool,
    wire: &'static str,
    sendable: bool,
    senders: Vec<&'static str>,
    clean: &'static str,
    browser: &'static str,
    severity: &'static str,
    http: Option<u16>,
    reference: &'static str,
    client: AdviceFields,
    server: AdviceFields,
    lang: &'static str,
    title: &'static str,
    short: &'static str,
}

/// A product's own code in a list.
#[derive(Debug, Serialize)]
pub struct ProductFields {
    kind: &'static str,
    code: u16,
    vendor: &'static str,
    name: &'static str,
    reconnect: Option<bool>,
    source: &'static str,
}

/// What to do next at one end.
#[derive(Debug, Serialize)]
struct AdviceFields {
    retry: &'static str,
    first_class: Option<&'static str>,
    first_min_ms: Option<u32>,
    first_max_ms: Option<u32>,
    later_class: Option<&'static str>,
    cap_ms: Option<u32>,
    attempts: Option<u8>,
    resume: bool,
    rule: &'static str,
    basis: &'static str,
    summary: String,
    text: &'static str,
}

/// Everything about one code.
#[derive(Debug, Serialize)]
pub struct ExplanationFields {
    #[serde(flatten)]
    code: CodeFields,
    meaning: &'static str,
    trap: &'static str,
    peer: &'static str,
    cause: &'static str,
    usage: &'static str,
    seen: Vec<StatementFields>,
    fix: &'static [&'static str],
    notes: Vec<StatementFields>,
    on_record: Vec<String>,
    uses: Vec<UseFields>,
    causes: Vec<CauseFields>,
    related: Vec<u16>,
    links: Vec<String>,
}

#[derive(Debug, Serialize)]
struct StatementFields {
    text: &'static str,
    evidence: &'static str,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct UseFields {
    vendor: &'static str,
    name: Option<&'static str>,
    band: Option<[u16; 2]>,
    reconnect: Option<bool>,
    source: &'static str,
}

/// A cause of 1006.
#[derive(Debug, Serialize)]
pub struct CauseFields {
    id: &'static str,
    phase: &'static str,
    seen_by: Vec<&'static str>,
    title: &'static str,
    evidence: &'static [&'static str],
    confirm: &'static str,
    fix: &'static [&'static str],
}

/// How two codes differ.
#[derive(Debug, Serialize)]
pub struct ComparisonFields<'a> {
    lang: &'static str,
    title: &'a str,
    introduction: &'a str,
    differences: Vec<RowFields<'a>>,
    in_common: Vec<RowFields<'a>>,
    choice: &'a str,
    a: ExplanationFields,
    b: ExplanationFields,
}

#[derive(Debug, Serialize)]
struct RowFields<'a> {
    aspect: &'static str,
    label: &'static str,
    a: &'a str,
    b: &'a str,
}

impl CodeFields {
    /// The fields of a code that is explained.
    #[must_use]
    pub fn new(of: &Explanation) -> Self {
        let facts = of.facts;
        Self {
            kind: "code",
            code: of.code.get(),
            name: facts.name,
            range: of.code.range().id(),
            registered: of.code.name().is_some(),
            wire: facts.wire.id(),
            sendable: SendCode::try_from(of.code).is_ok(),
            senders: facts.senders.iter().map(|sender| sender.id()).collect(),
            clean: facts.clean.id(),
            browser: facts.browser.id(),
            severity: facts.severity.id(),
            http: facts.http,
            reference: facts.reference,
            client: AdviceFields::new(of, Direction::AtClient),
            server: AdviceFields::new(of, Direction::AtServer),
            lang: of.locale.text_locale().tag,
            title: of.text.title,
            short: of.text.short,
        }
    }
}

impl ProductFields {
    /// The fields of one of the codes of `vendor`.
    #[must_use]
    pub fn new(vendor: &Vendor, code: &VendorCode) -> Self {
        Self {
            kind: "product",
            code: code.code.get(),
            vendor: vendor.name,
            name: code.name,
            reconnect: code.reconnect,
            source: vendor.source,
        }
    }
}

impl AdviceFields {
    fn new(of: &Explanation, direction: Direction) -> Self {
        let (advice, text): (&Advice, _) = match direction {
            Direction::AtClient => (&of.facts.client_advice, of.text.next),
            Direction::AtServer => (&of.facts.server_advice, of.text.server_next),
        };
        let first = advice.first.map(|class| class.range(1));
        Self {
            retry: advice.retry.id(),
            first_class: advice.first.map(DelayClass::id),
            first_min_ms: first.map(|range| range.min_ms),
            first_max_ms: first.map(|range| range.max_ms),
            later_class: advice.later.map(DelayClass::id),
            cap_ms: advice.later.map(DelayClass::cap_ms),
            attempts: advice.attempts,
            resume: advice.resume,
            rule: advice.rule,
            basis: advice.basis.id(),
            summary: of.retry(direction),
            text,
        }
    }
}

impl ExplanationFields {
    /// The fields of an explanation.
    #[must_use]
    pub fn new(of: &Explanation) -> Self {
        let statements = |all: Vec<Statement>| all.into_iter().map(StatementFields::new).collect();
        Self {
            code: CodeFields::new(of),
            meaning: of.text.meaning,
            trap: of.text.trap,
            peer: of.text.peer,
            cause: of.text.cause,
            usage: of.text.usage,
            seen: statements(of.seen().collect()),
            fix: of.text.fix,
            notes: statements(of.notes().collect()),
            on_record: of.on_record(),
            uses: of.uses().map(UseFields::new).collect(),
            causes: if of.code == CloseCode::ABNORMAL_CLOSURE {
                causes(of.locale).map(CauseFields::new).collect()
            } else {
                Vec::new()
            },
            related: of.facts.related.iter().map(|code| code.get()).collect(),
            links: of.links(),
        }
    }
}

impl StatementFields {
    fn new(statement: Statement) -> Self {
        Self {
            text: statement.text,
            evidence: statement.source.evidence.id(),
            source: statement.source.place,
        }
    }
}

impl UseFields {
    fn new(product: Use) -> Self {
        Self {
            vendor: product.vendor.name,
            name: product.name,
            band: product.band.map(|band| [band.first, band.last]),
            reconnect: product.reconnect,
            source: product.vendor.source,
        }
    }
}

impl CauseFields {
    /// The fields of a cause, from [`causes`].
    #[must_use]
    pub fn new((facts, text): (&'static CauseFacts, &'static CauseText)) -> Self {
        Self {
            id: facts.id,
            phase: facts.phase.id(),
            seen_by: facts.seen_by.iter().copied().map(Witness::id).collect(),
            title: text.title,
            evidence: text.evidence,
            confirm: text.confirm,
            fix: text.fix,
        }
    }
}

impl<'a> ComparisonFields<'a> {
    /// The fields of a comparison.
    #[must_use]
    pub fn new(of: &'a Comparison) -> Self {
        let labels = &of.a.locale.labels;
        let rows = |rows: &'a [Row]| {
            let fields = |row: &'a Row| RowFields {
                aspect: row.aspect.id(),
                label: row.aspect.label(labels),
                a: &row.a,
                b: &row.b,
            };
            rows.iter().map(fields).collect()
        };
        Self {
            lang: of.a.locale.text_locale().tag,
            title: &of.title,
            introduction: &of.introduction,
            differences: rows(&of.differences),
            in_common: rows(&of.in_common),
            choice: &of.choice,
            a: ExplanationFields::new(&of.a),
            b: ExplanationFields::new(&of.b),
        }
    }
}

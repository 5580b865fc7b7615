//! The JSON of every command. The fields are API: docs/json.md lists them, and a test compares.

use revoir_codes::advice::{Advice, DelayClass, Direction};
use revoir_codes::catalog::causes::{CauseFacts, Witness, causes};
use revoir_codes::catalog::text::CauseText;
use revoir_codes::catalog::vendor::{Use, Vendor, VendorCode};
use revoir_codes::catalog::{Comparison, Explanation, Row, Statement};
use revoir_codes::{CloseCode, SendCode};
use serde::Serialize;

/// A value as one line.
pub(crate) fn line(value: &impl Serialize) -> String {
    // Serializing plain structs with string keys into memory has no way to fail.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

/// One code in a list.
#[derive(Serialize)]
pub(crate) struct CodeLine {
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
    client: AdviceLine,
    server: AdviceLine,
    lang: &'static str,
    title: &'static str,
    short: &'static str,
}

/// A product's own code in a list.
#[derive(Serialize)]
pub(crate) struct ProductLine {
    kind: &'static str,
    code: u16,
    vendor: &'static str,
    name: &'static str,
    reconnect: Option<bool>,
    source: &'static str,
}

/// What to do next at one end.
#[derive(Serialize)]
struct AdviceLine {
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
#[derive(Serialize)]
pub(crate) struct ExplanationLine {
    #[serde(flatten)]
    code: CodeLine,
    meaning: &'static str,
    trap: &'static str,
    peer: &'static str,
    cause: &'static str,
    usage: &'static str,
    seen: Vec<StatementLine>,
    fix: &'static [&'static str],
    notes: Vec<StatementLine>,
    on_record: Vec<String>,
    uses: Vec<UseLine>,
    causes: Vec<CauseLine>,
    related: Vec<u16>,
    links: Vec<String>,
}

#[derive(Serialize)]
struct StatementLine {
    text: &'static str,
    evidence: &'static str,
    source: &'static str,
}

#[derive(Serialize)]
struct UseLine {
    vendor: &'static str,
    name: Option<&'static str>,
    band: Option<[u16; 2]>,
    reconnect: Option<bool>,
    source: &'static str,
}

#[derive(Serialize)]
pub(crate) struct CauseLine {
    id: &'static str,
    phase: &'static str,
    seen_by: Vec<&'static str>,
    title: &'static str,
    evidence: &'static [&'static str],
    confirm: &'static str,
    fix: &'static [&'static str],
}

/// How two codes differ.
#[derive(Serialize)]
pub(crate) struct ComparisonLine<'a> {
    lang: &'static str,
    title: &'a str,
    introduction: &'a str,
    differences: Vec<RowLine<'a>>,
    in_common: Vec<RowLine<'a>>,
    choice: &'a str,
    a: ExplanationLine,
    b: ExplanationLine,
}

#[derive(Serialize)]
struct RowLine<'a> {
    aspect: &'static str,
    label: &'static str,
    a: &'a str,
    b: &'a str,
}

impl CodeLine {
    pub(crate) fn new(of: &Explanation) -> Self {
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
            client: AdviceLine::new(of, Direction::AtClient),
            server: AdviceLine::new(of, Direction::AtServer),
            lang: of.locale.text_locale().tag,
            title: of.text.title,
            short: of.text.short,
        }
    }
}

impl ProductLine {
    pub(crate) fn new(vendor: &Vendor, code: &VendorCode) -> Self {
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

impl AdviceLine {
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

impl ExplanationLine {
    pub(crate) fn new(of: &Explanation) -> Self {
        let statements = |all: Vec<Statement>| all.into_iter().map(StatementLine::new).collect();
        Self {
            code: CodeLine::new(of),
            meaning: of.text.meaning,
            trap: of.text.trap,
            peer: of.text.peer,
            cause: of.text.cause,
            usage: of.text.usage,
            seen: statements(of.seen().collect()),
            fix: of.text.fix,
            notes: statements(of.notes().collect()),
            on_record: of.on_record(),
            uses: of.uses().map(UseLine::new).collect(),
            causes: if of.code == CloseCode::ABNORMAL_CLOSURE {
                causes(of.locale).map(CauseLine::new).collect()
            } else {
                Vec::new()
            },
            related: of.facts.related.iter().map(|code| code.get()).collect(),
            links: of.links(),
        }
    }
}

impl StatementLine {
    fn new(statement: Statement) -> Self {
        Self {
            text: statement.text,
            evidence: statement.source.evidence.id(),
            source: statement.source.place,
        }
    }
}

impl UseLine {
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

impl CauseLine {
    pub(crate) fn new((facts, text): (&'static CauseFacts, &'static CauseText)) -> Self {
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

impl<'a> ComparisonLine<'a> {
    pub(crate) fn new(of: &'a Comparison) -> Self {
        let labels = &of.a.locale.labels;
        let rows = |rows: &'a [Row]| {
            let line = |row: &'a Row| RowLine {
                aspect: row.aspect.id(),
                label: row.aspect.label(labels),
                a: &row.a,
                b: &row.b,
            };
            rows.iter().map(line).collect()
        };
        Self {
            lang: of.a.locale.text_locale().tag,
            title: &of.title,
            introduction: &of.introduction,
            differences: rows(&of.differences),
            in_common: rows(&of.in_common),
            choice: &of.choice,
            a: ExplanationLine::new(&of.a),
            b: ExplanationLine::new(&of.b),
        }
    }
}

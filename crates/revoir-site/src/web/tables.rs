//! The tables of the reference as JSON: causes of 1006, products, implementations, idle timeouts.

use axum::http::HeaderMap;
use axum::response::Response;
use revoir_codes::advice::Direction;
use revoir_codes::catalog::causes::causes;
use revoir_codes::catalog::intermediaries::{Intermediary, SAFE_PING_S, intermediaries};
use revoir_codes::catalog::json::CauseFields;
use revoir_codes::catalog::observed::{Implementation, Outcome, Seen};
use revoir_codes::catalog::vendor::{Band, Vendor, VendorCode, vendors};
use serde::Serialize;

use super::lang_query::Language;
use crate::answer;

/// The causes of 1006, in the order of the page.
#[derive(Serialize)]
struct Causes {
    lang: &'static str,
    causes: Vec<CauseFields>,
}

/// Products with codes of their own.
#[derive(Serialize)]
struct Products {
    products: Vec<VendorFields>,
}

#[derive(Serialize)]
struct VendorFields {
    vendor: &'static str,
    source: &'static str,
    bands: Vec<BandFields>,
    codes: Vec<VendorCodeFields>,
}

#[derive(Serialize)]
struct BandFields {
    first: u16,
    last: u16,
    reconnect: bool,
}

#[derive(Serialize)]
struct VendorCodeFields {
    code: u16,
    name: &'static str,
    reconnect: Option<bool>,
}

/// What implementations tell their applications.
#[derive(Serialize)]
struct Implementations {
    implementations: Vec<ImplementationFields>,
}

#[derive(Serialize)]
struct ImplementationFields {
    name: &'static str,
    version: &'static str,
    released: Option<&'static str>,
    side: Option<&'static str>,
    basis: &'static str,
    date: &'static str,
    outdated: bool,
    accepts: Option<Vec<RangeFields>>,
    any_code: Option<OutcomeFields>,
    other_code: Option<OutcomeFields>,
    empty_close: Option<OutcomeFields>,
    fin: Option<OutcomeFields>,
    rst: Option<OutcomeFields>,
    http_error: Option<OutcomeFields>,
    sends_for_bad_text: Option<u16>,
    sends_for_bad_frame: Option<u16>,
    sees: Vec<SeenFields>,
}

/// What code sees of one ending of the conformance suite.
#[derive(Serialize)]
struct SeenFields {
    case: &'static str,
    told: OutcomeFields,
    how: &'static str,
    texts: &'static [&'static str],
}

#[derive(Serialize)]
struct RangeFields {
    first: u16,
    last: u16,
}

#[derive(Serialize)]
struct OutcomeFields {
    kind: &'static str,
    code: Option<u16>,
}

/// What ends idle connections on the way.
#[derive(Serialize)]
struct IdleTimeouts {
    safe_ping_s: u32,
    intermediaries: Vec<IntermediaryFields>,
}

#[derive(Serialize)]
struct IntermediaryFields {
    name: &'static str,
    idle_s: Option<u32>,
    life_s: Option<u32>,
    sees: &'static str,
    setting: Option<&'static str>,
    basis: &'static str,
    source: &'static str,
}

pub(super) async fn causes_of_1006(Language(locale): Language, headers: HeaderMap) -> Response {
    let lang = locale.text_locale().tag;
    let causes = causes(locale).map(CauseFields::new).collect();
    answer::json(&headers, &Causes { lang, causes })
}

pub(super) async fn products(headers: HeaderMap) -> Response {
    let products = vendors().iter().map(VendorFields::new).collect();
    answer::json(&headers, &Products { products })
}

pub(super) async fn implementations(headers: HeaderMap) -> Response {
    let implementations = Implementation::all()
        .iter()
        .map(ImplementationFields::new)
        .collect();
    answer::json(&headers, &Implementations { implementations })
}

pub(super) async fn idle_timeouts(headers: HeaderMap) -> Response {
    let all = IdleTimeouts {
        safe_ping_s: SAFE_PING_S,
        intermediaries: intermediaries()
            .iter()
            .map(IntermediaryFields::new)
            .collect(),
    };
    answer::json(&headers, &all)
}

impl VendorFields {
    fn new(of: &Vendor) -> Self {
        let band = |band: &Band| BandFields {
            first: band.first,
            last: band.last,
            reconnect: band.reconnect,
        };
        let code = |code: &VendorCode| VendorCodeFields {
            code: code.code.get(),
            name: code.name,
            reconnect: code.reconnect,
        };
        Self {
            vendor: of.name,
            source: of.source,
            bands: of.bands.iter().map(band).collect(),
            codes: of.codes.iter().map(code).collect(),
        }
    }
}

impl ImplementationFields {
    fn new(of: &Implementation) -> Self {
        let range = |&(first, last): &(u16, u16)| RangeFields { first, last };
        Self {
            name: of.name,
            version: of.version,
            released: of.released,
            side: of.side.map(|side| match side {
                Direction::AtClient => "client",
                Direction::AtServer => "server",
            }),
            basis: of.evidence.id(),
            date: of.date,
            outdated: of.outdated,
            accepts: of.accepts.map(|ranges| ranges.iter().map(range).collect()),
            any_code: of.any.map(OutcomeFields::new),
            other_code: of.refused.map(OutcomeFields::new),
            empty_close: of.empty.map(OutcomeFields::new),
            fin: of.fin.map(OutcomeFields::new),
            rst: of.rst.map(OutcomeFields::new),
            http_error: of.handshake.map(OutcomeFields::new),
            sends_for_bad_text: of.sends_for_bad_text.map(|code| code.get()),
            sends_for_bad_frame: of.sends_for_bad_frame.map(|code| code.get()),
            sees: of.sees.iter().map(SeenFields::new).collect(),
        }
    }
}

impl SeenFields {
    fn new(of: &Seen) -> Self {
        Self {
            case: of.case,
            told: OutcomeFields::new(of.told),
            how: of.how,
            texts: of.texts,
        }
    }
}

impl OutcomeFields {
    fn new(outcome: Outcome) -> Self {
        let (kind, code) = match outcome {
            Outcome::Code(code) => ("code", Some(code.get())),
            Outcome::Error => ("error", None),
            Outcome::Nothing => ("nothing", None),
        };
        Self { kind, code }
    }
}

impl IntermediaryFields {
    fn new(of: &Intermediary) -> Self {
        Self {
            name: of.name,
            idle_s: of.idle_s,
            life_s: of.life_s,
            sees: of.sees.id(),
            setting: of.setting,
            basis: of.source.evidence.id(),
            source: of.source.place,
        }
    }
}

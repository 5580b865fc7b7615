//! The tables of the reference as JSON: causes of 1006, products, implementations, idle timeouts.

use axum::http::HeaderMap;
use axum::response::Response;
use revoir_codes::catalog::causes::causes;
use revoir_codes::catalog::intermediaries::{Intermediary, SAFE_PING_S, intermediaries};
use revoir_codes::catalog::json::CauseFields;
use revoir_codes::catalog::observed::{Implementation, Outcome};
use revoir_codes::catalog::vendor::{Band, Vendor, VendorCode, vendors};
use serde::Serialize;

use super::api::{Language, locale};
use crate::answer::{self, JSON, line};

/// The causes of 1006, in the order of the page.
#[derive(Serialize)]
struct Causes {
    lang: &'static str,
    causes: Vec<CauseFields>,
}

/// Products with codes of their own.
#[derive(Serialize)]
struct Products {
    products: Vec<Product>,
}

#[derive(Serialize)]
struct Product {
    vendor: &'static str,
    source: &'static str,
    bands: Vec<BandOf>,
    codes: Vec<CodeOf>,
}

#[derive(Serialize)]
struct BandOf {
    first: u16,
    last: u16,
    reconnect: bool,
}

#[derive(Serialize)]
struct CodeOf {
    code: u16,
    name: &'static str,
    reconnect: Option<bool>,
}

/// What implementations tell their applications.
#[derive(Serialize)]
struct Implementations {
    implementations: Vec<Observed>,
}

#[derive(Serialize)]
struct Observed {
    name: &'static str,
    version: &'static str,
    basis: &'static str,
    accepts: Vec<Range>,
    other_code: Option<Told>,
    empty_close: Option<Told>,
    fin: Option<Told>,
    rst: Option<Told>,
    http_error: Option<Told>,
    sends_for_bad_text: Option<u16>,
}

#[derive(Serialize)]
struct Range {
    first: u16,
    last: u16,
}

#[derive(Serialize)]
struct Told {
    kind: &'static str,
    code: Option<u16>,
}

/// What ends idle connections on the way.
#[derive(Serialize)]
struct IdleTimeouts {
    safe_ping_s: u32,
    intermediaries: Vec<Limit>,
}

#[derive(Serialize)]
struct Limit {
    name: &'static str,
    idle_s: Option<u32>,
    life_s: Option<u32>,
    sees: &'static str,
    setting: Option<&'static str>,
    basis: &'static str,
    source: &'static str,
}

pub(super) async fn causes_of_1006(language: Language, asked: HeaderMap) -> Response {
    let locale = match locale(language) {
        Ok(locale) => locale,
        Err(refused) => return *refused,
    };
    let lang = locale.text_locale().tag;
    let causes = causes(locale).map(CauseFields::new).collect();
    answer::text(&asked, JSON, line(&Causes { lang, causes }))
}

pub(super) async fn products(asked: HeaderMap) -> Response {
    let products = vendors().iter().map(Product::new).collect();
    answer::text(&asked, JSON, line(&Products { products }))
}

pub(super) async fn implementations(asked: HeaderMap) -> Response {
    let implementations = Implementation::all().iter().map(Observed::new).collect();
    answer::text(&asked, JSON, line(&Implementations { implementations }))
}

pub(super) async fn idle_timeouts(asked: HeaderMap) -> Response {
    let all = IdleTimeouts {
        safe_ping_s: SAFE_PING_S,
        intermediaries: intermediaries().iter().map(Limit::new).collect(),
    };
    answer::text(&asked, JSON, line(&all))
}

impl Product {
    fn new(of: &Vendor) -> Self {
        let band = |band: &Band| BandOf {
            first: band.first,
            last: band.last,
            reconnect: band.reconnect,
        };
        let code = |code: &VendorCode| CodeOf {
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

impl Observed {
    fn new(of: &Implementation) -> Self {
        let range = |&(first, last): &(u16, u16)| Range { first, last };
        Self {
            name: of.name,
            version: of.version,
            basis: of.evidence.id(),
            accepts: of.accepts.iter().map(range).collect(),
            other_code: of.refused.map(Told::new),
            empty_close: of.empty.map(Told::new),
            fin: of.fin.map(Told::new),
            rst: of.rst.map(Told::new),
            http_error: of.handshake.map(Told::new),
            sends_for_bad_text: of.sends_for_bad_text.map(|code| code.get()),
        }
    }
}

impl Told {
    fn new(outcome: Outcome) -> Self {
        let (kind, code) = match outcome {
            Outcome::Code(code) => ("code", Some(code.get())),
            Outcome::Error => ("error", None),
            Outcome::Nothing => ("nothing", None),
        };
        Self { kind, code }
    }
}

impl Limit {
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

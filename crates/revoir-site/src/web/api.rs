//! The reference as JSON: the same objects as `--json`, described in `assets/openapi.json`.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use revoir_codes::CloseCode;
use revoir_codes::catalog::json::{CodeFields, ComparisonFields, ExplanationFields};
use revoir_codes::catalog::{compare, explain};
use serde::Serialize;

use super::lang_query::Language;
use super::tables;
use crate::answer::{self, Freshness, JSON, problem, redirect};
use crate::pages::code;

/// Below `/api`. Every answer is JSON, the errors too, and may be read from every page.
pub(super) fn router() -> Router {
    Router::new()
        .route("/v1", get(about))
        .route("/v1/", get(about))
        .route("/v1/openapi.json", get(description))
        .route("/v1/codes", get(codes))
        .route("/v1/codes/{code}", get(one))
        .route("/v1/compare/{a}/{b}", get(two))
        .route("/v1/causes", get(tables::causes_of_1006))
        .route("/v1/products", get(tables::products))
        .route("/v1/implementations", get(tables::implementations))
        .route("/v1/idle-timeouts", get(tables::idle_timeouts))
        .route("/openapi.json", get(moved_description))
        .route("/", get(moved_about))
        .route("/{*path}", get(unknown))
        .method_not_allowed_fallback(answer::only_get)
        .layer(axum::middleware::map_response(answer::for_every_page))
}

/// Where the interface is described.
const DESCRIPTION: &str = "/api/v1/openapi.json";

/// What this is, and where it is described.
#[derive(Serialize)]
struct About {
    name: &'static str,
    /// Of the interface.
    version: &'static str,
    /// Of the program that answers.
    program: &'static str,
    license: &'static str,
    description: &'static str,
}

async fn about(headers: HeaderMap) -> Response {
    let about = About {
        name: "revoir: WebSocket close codes",
        version: "1",
        program: concat!("revoir ", env!("CARGO_PKG_VERSION")),
        license: env!("CARGO_PKG_LICENSE"),
        description: DESCRIPTION,
    };
    answer::json(&headers, &about)
}

/// For who asks without the version.
async fn moved_about() -> Response {
    redirect(StatusCode::PERMANENT_REDIRECT, "/api/v1")
}

/// For who looks for the description where others have theirs: `/openapi.json`, `/api/openapi.json`.
pub(super) async fn moved_description() -> Response {
    redirect(StatusCode::PERMANENT_REDIRECT, DESCRIPTION)
}

/// Every registered code.
#[derive(Serialize)]
struct Codes {
    codes: Vec<CodeFields>,
}

async fn description(headers: HeaderMap) -> Response {
    let text = include_str!("../../assets/openapi.json");
    answer::text(&headers, JSON, text, Freshness::Asked)
}

async fn codes(Language(locale): Language, headers: HeaderMap) -> Response {
    let codes = CloseCode::registered()
        .map(|code| CodeFields::new(&explain(code, locale)))
        .collect();
    answer::json(&headers, &Codes { codes })
}

async fn one(
    Path(number): Path<String>,
    Language(locale): Language,
    headers: HeaderMap,
) -> Response {
    let Some(code) = code(&number) else {
        return no_code();
    };
    let explained = explain(code, locale);
    answer::json(&headers, &ExplanationFields::new(&explained))
}

async fn two(
    Path((a, b)): Path<(String, String)>,
    Language(locale): Language,
    headers: HeaderMap,
) -> Response {
    let (Some(a), Some(b)) = (code(&a), code(&b)) else {
        return no_code();
    };
    match compare(a, b, locale) {
        Ok(comparison) => answer::json(&headers, &ComparisonFields::new(&comparison)),
        Err(same) => problem(
            StatusCode::BAD_REQUEST,
            &same.to_string(),
            "put two different codes into the path",
        ),
    }
}

async fn unknown() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "there is nothing under this path",
        "/api/v1/openapi.json lists what is available",
    )
}

fn no_code() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "this is not a close code",
        "close codes are 1000 to 4999",
    )
}

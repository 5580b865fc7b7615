//! The reference as JSON: the same objects as `--json`, described in `assets/openapi.json`.

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use revoir_codes::CloseCode;
use revoir_codes::catalog::json::{CodeFields, ComparisonFields, ExplanationFields};
use revoir_codes::catalog::{Locale, compare, explain};
use serde::{Deserialize, Serialize};

use super::tables;
use crate::answer::{self, JSON, line, problem};
use crate::pages::code;

pub(super) fn router() -> Router {
    Router::new()
        .route("/openapi.json", get(description))
        .route("/codes", get(codes))
        .route("/codes/{code}", get(one))
        .route("/compare/{a}/{b}", get(two))
        .route("/causes", get(tables::causes_of_1006))
        .route("/products", get(tables::products))
        .route("/implementations", get(tables::implementations))
        .route("/idle-timeouts", get(tables::idle_timeouts))
        .fallback(unknown)
}

#[derive(Deserialize)]
pub(super) struct Asked {
    lang: Option<String>,
}

/// Every registered code.
#[derive(Serialize)]
struct Codes {
    codes: Vec<CodeFields>,
}

pub(super) type Language = Query<Asked>;

async fn description(asked: HeaderMap) -> Response {
    let text = include_str!("../../assets/openapi.json");
    answer::text(&asked, JSON, text.to_owned())
}

async fn codes(language: Language, asked: HeaderMap) -> Response {
    let locale = match locale(language) {
        Ok(locale) => locale,
        Err(refused) => return *refused,
    };
    let codes = CloseCode::registered()
        .map(|code| CodeFields::new(&explain(code, locale)))
        .collect();
    answer::text(&asked, JSON, line(&Codes { codes }))
}

async fn one(Path(number): Path<String>, language: Language, asked: HeaderMap) -> Response {
    let locale = match locale(language) {
        Ok(locale) => locale,
        Err(refused) => return *refused,
    };
    let Some(code) = code(&number) else {
        return no_code();
    };
    let explained = explain(code, locale);
    answer::text(&asked, JSON, line(&ExplanationFields::new(&explained)))
}

async fn two(
    Path((a, b)): Path<(String, String)>,
    language: Language,
    asked: HeaderMap,
) -> Response {
    let locale = match locale(language) {
        Ok(locale) => locale,
        Err(refused) => return *refused,
    };
    let (Some(a), Some(b)) = (code(&a), code(&b)) else {
        return no_code();
    };
    match compare(a, b, locale) {
        Ok(comparison) => answer::text(&asked, JSON, line(&ComparisonFields::new(&comparison))),
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
        "/api/v1/openapi.json says what there is",
    )
}

/// The language of `?lang=`, or English.
pub(super) fn locale(language: Language) -> Result<&'static Locale, Box<Response>> {
    let Query(Asked { lang }) = language;
    let Some(lang) = lang else {
        return Ok(Locale::english());
    };
    Locale::find(&lang).ok_or_else(|| {
        let tags: Vec<_> = Locale::all().iter().map(|locale| locale.tag).collect();
        let hint = format!("choose one of {}", tags.join(", "));
        let error = "there is no text in this language";
        Box::new(problem(StatusCode::BAD_REQUEST, error, &hint))
    })
}

fn no_code() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "this is not a close code",
        "close codes are 1000 to 4999",
    )
}

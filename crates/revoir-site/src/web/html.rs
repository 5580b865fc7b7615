//! Pages and assets.

use std::collections::HashMap;
use std::sync::OnceLock;

use axum::extract::{Path, Query};
use axum::http::header::{ACCEPT_LANGUAGE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use revoir_codes::catalog::Locale;
use serde::Deserialize;

use super::language;
use crate::answer::{self, HTML, redirect};
use crate::pages::{Address, Home, Requested, assets, folder, render, search_results};

/// What the search form sends.
#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
}

/// Leads to the start in a language that the browser asks for.
pub(super) async fn front(headers: HeaderMap) -> Response {
    let fields = headers.get_all(ACCEPT_LANGUAGE).iter();
    let fields: Vec<_> = fields.filter_map(|field| field.to_str().ok()).collect();
    let locale = language::accepted(&fields.join(","));
    let mut response = redirect(StatusCode::FOUND, &format!("/{}/", folder(locale)));
    let answered = response.headers_mut();
    answered.insert(VARY, HeaderValue::from_static("accept-language"));
    response
}

/// The start in the language of the path.
pub(super) async fn start(Path(lang): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let Some(locale) = language::of_path(&lang) else {
        return not_found(Locale::english());
    };
    let path = format!("/{}/", folder(locale));
    if uri.path() != path {
        return redirect(StatusCode::PERMANENT_REDIRECT, &path);
    }
    page_of(Address::Home, locale, &headers)
}

/// Any other page in the language of the path.
pub(super) async fn page(
    Path((lang, path)): Path<(String, String)>,
    Query(Search { q }): Query<Search>,
    headers: HeaderMap,
) -> Response {
    let Some(locale) = language::of_path(&lang) else {
        return not_found(Locale::english());
    };
    let moved = |address: Address| {
        let path = format!("/{}/{}", folder(locale), address.path());
        redirect(StatusCode::PERMANENT_REDIRECT, &path)
    };
    match Address::parse(&path) {
        None => not_found(locale),
        Some(Requested::Moved(address)) => moved(address),
        Some(Requested::Page(address)) if lang != folder(locale) => moved(address),
        Some(Requested::Page(Address::Search)) => {
            answer::text(&headers, HTML, search_results(&q, locale, &Home::Server))
        }
        Some(Requested::Page(address)) => page_of(address, locale, &headers),
    }
}

fn page_of(address: Address, locale: &'static Locale, headers: &HeaderMap) -> Response {
    answer::text(headers, HTML, render(address, locale, &Home::Server))
}

/// For every path that nobody knows, in the language it begins with.
pub(super) async fn missing(uri: Uri) -> Response {
    let first = uri.path().split('/').nth(1).unwrap_or_default();
    not_found(language::of_path(first).unwrap_or_else(Locale::english))
}

fn not_found(locale: &'static Locale) -> Response {
    let page = render(Address::Missing, locale, &Home::Server);
    answer::unkept(StatusCode::NOT_FOUND, HTML, page)
}

/// Style, script, icon, and the indexes of the search.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    static ASSETS: OnceLock<HashMap<String, String>> = OnceLock::new();
    let all = ASSETS.get_or_init(|| {
        assets::all()
            .chain(assets::live())
            .map(|asset| (asset.name, asset.text))
            .collect()
    });
    let content_type = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    };
    match all.get(&name) {
        Some(text) => answer::text(&headers, content_type, text.clone()),
        None => not_found(Locale::english()),
    }
}

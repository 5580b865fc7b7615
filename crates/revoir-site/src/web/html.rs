//! Pages, assets, and the files at the root.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use axum::http::header::{ACCEPT_LANGUAGE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use revoir_codes::catalog::Locale;
use serde::Deserialize;

use super::language;
use crate::answer::{self, Freshness, HTML, redirect};
use crate::pages::{
    Address, Home, Requested, assets, feed, folder, for_robots, missing, picture, render,
    search_results,
};

/// What the forms send: the search its text, the chooser of a comparison two codes.
#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    q: String,
    #[serde(default)]
    a: String,
    #[serde(default)]
    b: String,
}

impl Sent {
    /// The page of the two codes that were chosen.
    fn pair(&self) -> Option<Address> {
        let (Requested::Page(found) | Requested::Moved(found, _)) =
            Address::parse(&format!("compare/{}/{}", self.a, self.b))?;
        matches!(found, Address::Pair(..) | Address::Code(_)).then_some(found)
    }
}

/// Leads to the start in a language that the browser asks for.
pub(super) async fn front(headers: HeaderMap) -> Response {
    let locale = accepted(&headers);
    chosen(redirect(
        StatusCode::FOUND,
        &format!("/{}/", folder(locale)),
    ))
}

/// Any page, by whatever name. The first part of the path is a language, or the browser's is taken.
pub(super) async fn page(
    State(home): State<Arc<Home>>,
    Query(sent): Query<Sent>,
    decoded: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    // As somebody typed it, if that is text.
    let typed = decoded.map_or_else(|_| uri.path().to_owned(), |Path(path)| path);
    let path = uri.path().trim_start_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    if let Some(locale) = language::of_path(first) {
        let own = first == folder(locale) && path.contains('/');
        let target = format!("/{}/", folder(locale));
        return match Address::parse(rest) {
            Some(Requested::Page(address)) if own => {
                let chosen = (address == Address::Pairs).then(|| sent.pair()).flatten();
                if let Some(pair) = chosen {
                    return redirect(StatusCode::FOUND, &format!("{target}{}", pair.path()));
                }
                let text = match address {
                    Address::Search => search_results(&sent.q, locale, &home),
                    address => render(address, locale, &home),
                };
                answer::text(&headers, HTML, text, Freshness::Asked)
            }
            Some(found) => redirect(StatusCode::PERMANENT_REDIRECT, &moved(&target, found, &uri)),
            None => not_found(&typed, locale, &home),
        };
    }
    let locale = accepted(&headers);
    chosen(match Address::parse(path) {
        Some(found) => {
            let target = format!("/{}/", folder(locale));
            redirect(StatusCode::FOUND, &moved(&target, found, &uri))
        }
        None => not_found(&typed, locale, &home),
    })
}

/// Where a page is, below the folder of a language.
fn moved(root: &str, found: Requested, asked: &Uri) -> String {
    let (address, place) = match found {
        Requested::Page(address) => (address, None),
        Requested::Moved(address, place) => (address, place),
    };
    let mut target = format!("{root}{}", address.path());
    if let Some(query) = asked.query() {
        target.push_str(&format!("?{query}"));
    }
    if let Some(place) = place {
        target.push_str(&format!("#{place}"));
    }
    target
}

/// The language that the browser asks for.
fn accepted(headers: &HeaderMap) -> &'static Locale {
    let fields = headers.get_all(ACCEPT_LANGUAGE).iter();
    let fields: Vec<_> = fields.filter_map(|field| field.to_str().ok()).collect();
    language::accepted(&fields.join(","))
}

/// An answer that depends on the language that the browser asks for.
fn chosen(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-language"));
    response
}

fn not_found(path: &str, locale: &'static Locale, home: &Home) -> Response {
    let page = missing(path, locale, home);
    answer::unkept(StatusCode::NOT_FOUND, HTML, page)
}

/// Style, scripts, icon, pictures, and the indexes of the search.
pub(super) async fn asset(
    State(home): State<Arc<Home>>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let content_type = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        Some((_, "png")) => "image/png",
        _ => "text/javascript; charset=utf-8",
    };
    if let Some(asset) = assets::find(&name) {
        let kept = match asset.name == name {
            true => Freshness::ForGood,
            false => Freshness::Asked,
        };
        return answer::text(&headers, content_type, asset.text.clone(), kept);
    }
    match picture::by_name(&name) {
        Some(picture) => answer::text(&headers, content_type, picture, Freshness::ForADay),
        None => chosen(not_found(uri.path(), accepted(&headers), &home)),
    }
}

pub(super) async fn robots(State(home): State<Arc<Home>>, headers: HeaderMap) -> Response {
    let text = for_robots::robots(&home);
    answer::text(
        &headers,
        "text/plain; charset=utf-8",
        text,
        Freshness::Asked,
    )
}

pub(super) async fn sitemap(
    State(home): State<Arc<Home>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match for_robots::sitemap(&home) {
        Some(map) => answer::text(&headers, "application/xml", map, Freshness::Asked),
        None => chosen(not_found(uri.path(), accepted(&headers), &home)),
    }
}

pub(super) async fn feed(State(home): State<Arc<Home>>, headers: HeaderMap) -> Response {
    let text = feed::atom(&home);
    answer::text(
        &headers,
        "application/atom+xml; charset=utf-8",
        text,
        Freshness::Asked,
    )
}

pub(super) async fn favicon(headers: HeaderMap) -> Response {
    answer::text(
        &headers,
        "image/x-icon",
        picture::favicon(),
        Freshness::ForADay,
    )
}

//! [`Language`]: the language that an answer in JSON is asked for in.

use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use revoir_codes::catalog::Locale;
use serde::Deserialize;

use crate::answer::problem;

/// The language of `?lang=`, or English.
pub(super) struct Language(pub(super) &'static Locale);

#[derive(Deserialize)]
struct LangQuery {
    lang: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let query = Query::<LangQuery>::try_from_uri(&parts.uri);
        let Query(LangQuery { lang }) = query.map_err(IntoResponse::into_response)?;
        let Some(lang) = lang else {
            return Ok(Self(Locale::english()));
        };
        Locale::find(&lang).map(Self).ok_or_else(|| {
            let tags: Vec<_> = Locale::all().iter().map(|locale| locale.tag).collect();
            let hint = format!("choose one of {}", tags.join(", "));
            let error = "there is no text in this language";
            problem(StatusCode::BAD_REQUEST, error, &hint)
        })
    }
}

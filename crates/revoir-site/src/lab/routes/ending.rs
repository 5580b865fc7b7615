//! What the server says of a connection that ended.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use revoir::Ending;
use serde::Serialize;

use crate::answer;
use crate::lab::shared::Lab;
use crate::lab::token::Token;

#[derive(Serialize)]
struct Found<'a> {
    ending: &'a Ending,
}

/// `GET /lab/endings/{token}`: waits until the connection has ended.
pub(super) async fn ending(State(lab): State<Lab>, Path(token): Path<String>) -> Response {
    let ending = match Token::parse(&token) {
        Some(token) => lab.endings.of(token).await,
        None => None,
    };
    match ending {
        Some(ending) => answer::unkept_json(StatusCode::OK, &Found { ending: &ending }),
        None => answer::problem(
            StatusCode::NOT_FOUND,
            "no connection with this token has ended",
            "open one at /lab/end/{way}?token=, and ask within a minute",
        ),
    }
}

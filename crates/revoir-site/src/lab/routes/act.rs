//! The buttons of the first page: what happens to its one connection.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use revoir::server::{Origins, is_origin_allowed};
use serde::Serialize;

use crate::answer;
use crate::lab::shared::{Clients, Lab};
use crate::lab::token::{Token, TokenQuery};

/// Pages of other hosts that may press the buttons.
const NO_OTHERS: [&str; 0] = [];

#[derive(Serialize)]
struct Done<'a> {
    done: &'a str,
}

/// `POST /lab/do/{act}?token=…`: `restart` is for the backend of all pages, `close`, `silence`
/// and `cut` for the connection with this token.
pub(super) async fn act(
    State(lab): State<Lab>,
    Path(act): Path<String>,
    Query(TokenQuery { token }): Query<TokenQuery>,
    request: Request,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Err(wait) = lab.pace.count(peer.map(|ConnectInfo(peer)| peer.ip())) {
        return answer::too_many(wait);
    }
    if !is_own(request.headers()) {
        let hint = "use the buttons of this server's own page";
        return answer::problem(StatusCode::FORBIDDEN, "another site asks for this", hint);
    }
    let backend = &lab.backend;
    let with_client = |act: fn(&dyn Clients, &str) -> bool| {
        let name = Token::parse(&token).and_then(|token| backend.name(token));
        name.is_some_and(|name| lab.clients().is_some_and(|clients| act(clients, &name)))
    };
    let done = match &*act {
        "restart" => backend.restart(),
        "silence" => Token::parse(&token).is_some_and(|token| backend.fall_silent(token)),
        "close" => with_client(|clients, name| clients.close(name)),
        "cut" => with_client(|clients, name| clients.cut(name)),
        _ => {
            let hint = "there are restart, close, silence and cut";
            return answer::problem(StatusCode::NOT_FOUND, "there is no such button", hint);
        }
    };
    if done {
        return answer::unkept_json(StatusCode::OK, &Done { done: &act });
    }
    answer::problem(
        StatusCode::CONFLICT,
        "the backend is away",
        "wait until it answers again",
    )
}

/// Whether no other site is behind a request: browsers say so. Without TLS they send only Origin to
/// other hosts than this machine.
fn is_own(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    let is_same_site = site.is_none_or(|site| site == "same-origin" || site == "none");
    is_same_site && is_origin_allowed(headers, &Origins::only(NO_OTHERS))
}

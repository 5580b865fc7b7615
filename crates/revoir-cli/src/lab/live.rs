//! The buttons of the first page: what happens to its one connection.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use revoir::Origins;
use serde::Serialize;

use super::Lab;
use super::end::{Asked, too_many};
use super::endings::Token;
use crate::web::answer::{self, JSON, line};
use revoir_gateway::{Gateway, Goodbye, may_connect};

/// Pages of other hosts that may press the buttons.
const NO_OTHERS: [&str; 0] = [];

#[derive(Serialize)]
struct Done<'a> {
    done: &'a str,
}

/// `POST /lab/do/{act}?token=…`: `restart` is for the backend of all pages, `close` and `cut` for
/// the connection with this token.
pub(super) async fn act(
    State(lab): State<Lab>,
    Path(act): Path<String>,
    Query(Asked { token }): Query<Asked>,
    request: Request,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Err(wait) = lab.pace.count(peer.map(|ConnectInfo(peer)| peer.ip())) {
        return too_many(wait);
    }
    if !is_own(request.headers()) {
        let hint = "use the buttons of this server's own page";
        return answer::problem(StatusCode::FORBIDDEN, "another site asks for this", hint);
    }
    let backend = &lab.backend;
    let handle = || {
        let name = backend.name(Token::parse(&token)?)?;
        lab.gateway()?.handle(&name)
    };
    let done = match &*act {
        "restart" => backend.restart(),
        "close" => handle().is_some_and(|handle| {
            handle.leave(Goodbye::restart("the lab was asked to close"));
            true
        }),
        "cut" => handle().is_some_and(|handle| {
            handle.cut();
            true
        }),
        _ => {
            let hint = "there are restart, close and cut";
            return answer::problem(StatusCode::NOT_FOUND, "there is no such button", hint);
        }
    };
    if done {
        return answer::unkept(StatusCode::OK, JSON, line(&Done { done: &act }));
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
    is_same_site && may_connect(headers, &Origins::only(NO_OTHERS))
}

impl Lab {
    /// The gateway in front of the backend.
    pub(crate) fn attach(&self, gateway: &Arc<Gateway>) {
        // A second one would be a mistake in this program, and the first one stays.
        let _ = self.gateway.set(Arc::downgrade(gateway));
    }

    fn gateway(&self) -> Option<Arc<Gateway>> {
        self.gateway.get()?.upgrade()
    }
}

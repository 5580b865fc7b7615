//! What shows connections and steers the gateway, behind the required header field.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use revoir_codes::{Reason, SendCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::admin::guard::{has_header, is_host_allowed};
use crate::admin::request::ReloadRequest;
use crate::admin::state::Admin;
use crate::admin::wire::{
    ConnectionLine, DrainAs, DrainLine, EndWith, EndingLine, Problem, StatusLine, milliseconds,
};
use crate::relay::Goodbye;
use crate::watch::line;

const JSON: &str = "application/json";
/// One object per line.
const LINES: &str = "application/x-ndjson";

pub(super) fn router() -> Router<Arc<Admin>> {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/connections", get(connections))
        .route("/v1/connections/{id}/end", post(end))
        .route("/v1/drain", post(drain))
        .route("/v1/reload", post(reload))
        .route_layer(from_fn(header_is_there))
}

/// Lets only those through that ask for a name of this machine.
pub(super) async fn host_is_allowed(
    State(admin): State<Arc<Admin>>,
    request: Request,
    next: Next,
) -> Response {
    if is_host_allowed(request.headers(), &admin.hosts) {
        return next.run(request).await;
    }
    problem(
        StatusCode::MISDIRECTED_REQUEST,
        "the admin interface does not answer to this Host",
        "ask for localhost or an address, or allow the name with --admin-host",
    )
}

async fn header_is_there(request: Request, next: Next) -> Response {
    if has_header(request.headers()) {
        return next.run(request).await;
    }
    problem(
        StatusCode::FORBIDDEN,
        "the header field Revoir-Admin is missing",
        "send `Revoir-Admin: 1`; it keeps pages in a browser out",
    )
}

async fn status(State(admin): State<Arc<Admin>>) -> Response {
    let overview = admin.gateway.overview();
    answer(
        StatusCode::OK,
        &StatusLine {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_ms: milliseconds(admin.started.elapsed()),
            draining: overview.draining,
            connections: overview.connections,
            held: overview.held,
            held_bytes: overview.held_bytes,
            from_clients: overview.from_clients,
            from_backends: overview.from_backends,
            upstreams: overview.upstreams,
            dropped_lines: admin.operations.dropped_lines(),
        },
    )
}

/// The oldest one first.
async fn connections(State(admin): State<Arc<Admin>>) -> Response {
    let now = admin.gateway.now();
    let mut handles = admin.gateway.handles();
    handles.sort_by_key(|handle| handle.opened);
    let lines = handles
        .iter()
        .map(|handle| line(&ConnectionLine::new(handle, now)));
    response(StatusCode::OK, LINES, lines.collect())
}

async fn end(
    State(admin): State<Arc<Admin>>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let EndWith { code, reason } = match read(body, "{\"code\": 4000, \"reason\": \"\"}") {
        Ok(with) => with,
        Err(refused) => return *refused,
    };
    let code = match SendCode::try_from(code) {
        Ok(SendCode::MANDATORY_EXT) => Err("1010 is sent by clients only".to_owned()),
        Ok(code) => Ok(code),
        Err(error) => Err(error.to_string()),
    };
    let checked = code.and_then(|code| match Reason::new(&reason) {
        Ok(_) => Ok(code),
        Err(error) => Err(error.to_string()),
    });
    let code = match checked {
        Ok(code) => code,
        Err(error) => {
            let hint =
                "`revoir codes` shows who may send which code; a reason has at most 123 bytes";
            return problem(StatusCode::UNPROCESSABLE_ENTITY, &error, hint);
        }
    };
    let Some(handle) = admin.gateway.find(&id) else {
        let hint = "`revoir ctl list` shows the open connections";
        return problem(StatusCode::NOT_FOUND, "there is no such connection", hint);
    };
    handle.leave(Goodbye::plain(code, reason.clone()));
    answer(
        StatusCode::ACCEPTED,
        &EndingLine {
            id: handle.name.to_string(),
            code: code.get(),
            reason,
        },
    )
}

async fn drain(State(admin): State<Arc<Admin>>, body: Result<Bytes, BytesRejection>) -> Response {
    let how: DrainAs = match read(body, "{} or {\"restart\": true}") {
        Ok(how) => how,
        Err(refused) => return *refused,
    };
    let connections = admin.gateway.connections();
    // Counted first: once the drain is told, it may begin at once.
    if admin.gateway.is_draining() || admin.drains.try_send(how).is_err() {
        let hint = "it ends by itself; SIGTERM shortens it";
        return problem(StatusCode::CONFLICT, "a drain has begun already", hint);
    }
    answer(StatusCode::ACCEPTED, &DrainLine { connections })
}

async fn reload(State(admin): State<Arc<Admin>>) -> Response {
    let (asking, answered) = oneshot::channel();
    // Who embeds a gateway may not listen.
    let is_asked = admin.reloads.send(ReloadRequest(asking)).await.is_ok();
    match answered.await {
        Ok(Ok(line)) if is_asked => answer(StatusCode::OK, &line),
        Ok(Err(problem)) => answer(StatusCode::UNPROCESSABLE_ENTITY, &problem),
        Ok(Ok(_)) | Err(_) => {
            let hint = "restart the process instead";
            let error = "this process cannot read its configuration again";
            problem(StatusCode::NOT_IMPLEMENTED, error, hint)
        }
    }
}

fn read<T: DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
    form: &str,
) -> Result<T, Box<Response>> {
    let refused = |error: &str| {
        let hint = format!("send JSON such as {form}");
        Box::new(problem(StatusCode::BAD_REQUEST, error, &hint))
    };
    let body = body.map_err(|rejection| refused(&rejection.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| refused(&error.to_string()))
}

fn answer(status: StatusCode, value: &impl Serialize) -> Response {
    response(status, JSON, line(value))
}

fn problem(status: StatusCode, error: &str, hint: &str) -> Response {
    let (error, hint) = (error.to_owned(), hint.to_owned());
    answer(status, &Problem { error, hint })
}

fn response(status: StatusCode, content_type: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let value = axum::http::HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

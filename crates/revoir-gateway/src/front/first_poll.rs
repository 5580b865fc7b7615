//! The first request of a session that begins by polling: it waits for a backend as an opening handshake
//! does, because its client comes back with it after the loss of a WebSocket.

use std::sync::Arc;

use axum::body::Body;
use hyper::{Method, Request, Response};

use crate::connection::begun;
use crate::front::granted::Granted;
use crate::front::head::{has_body, head_bytes};
use crate::front::patience::Patience;
use crate::front::plain::HttpProxy;
use crate::front::progress::Progress;
use crate::front::refusal::{self, unavailable};
use crate::front::settings::{HttpTimes, Settings};
use crate::front::source::Source;
use crate::front::state::Front;
use crate::proxy_protocol::Header;
use crate::relay::is_there;
use crate::upstream::{Affinity, Asking, PathId, Pool, Priority, Reached};

/// Whether a request is the first one of a client of Engine.IO that begins by polling. Later ones name a
/// session, which another backend does not know.
pub(super) fn is_first_poll(request: &Request<Body>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let has = |wanted: &str| query.split('&').any(|field| field == wanted);
    request.method() == Method::GET
        && !has_body(request)
        && has("transport=polling")
        && (has("EIO=4") || has("EIO=3"))
        && !query.split('&').any(|field| field.starts_with("sid="))
}

/// Passes a first poll on, once there is a backend.
pub(super) async fn pass(
    (front, settings): (&Front, &Settings),
    (plain, pool): (&HttpProxy, &Arc<Pool>),
    request: Request<Body>,
    (source, granted): (Source, Granted),
    (affinity, client): (Option<Affinity>, Header),
    (progress, times): (&Progress, HttpTimes),
) -> Response<Body> {
    let bytes = head_bytes(&request);
    let (parts, _) = request.into_parts();
    let asking = Asking {
        path: PathId::of(parts.uri.path()),
        priority: Priority::Normal,
        is_new: true,
    };
    // The backend answers it at once, as it does a handshake.
    let times = HttpTimes {
        response: times.response.min(settings.handshake_limit),
        ..times
    };
    let draining = &front.registry.draining;
    let mut draining_begins = draining.listen();
    let mut patience = Patience::new(front, settings, bytes);
    loop {
        // As a handshake: once a drain has begun, nobody gets a backend any more.
        let permit = tokio::select! {
            biased;
            () = begun(Some(&mut draining_begins)) => {
                let wait = draining.turn_away(front.registry.now());
                return refusal::draining(wait.unwrap_or_default());
            }
            permit = patience.permit(pool, asking) => permit,
        };
        let Some(permit) = permit else {
            return unavailable();
        };
        // It waits for a backend, and not for the rest of a body.
        progress.goes_on();
        let request = Request::from_parts(parts.clone(), Body::empty());
        let who = (source.clone(), granted.clone());
        let place = (affinity, client);
        let passing = plain.pass(pool, request, who, place, (progress, times));
        let response = passing.await;
        let ours = response.extensions().get::<Reached>().copied();
        permit.report(match ours {
            Some(reached) => reached,
            None if is_there(response.status().as_u16()) => Reached::Well,
            None => Reached::Badly,
        });
        if ours != Some(Reached::Not) {
            return response;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_request_of_a_session_waits() {
        let is_first = |method: &str, query: &str| {
            let uri = format!("/socket.io/?{query}");
            let request = Request::builder().method(method).uri(uri);
            is_first_poll(&request.body(Body::empty()).unwrap())
        };
        assert!(is_first("GET", "EIO=4&transport=polling&t=abc"));
        assert!(!is_first("GET", "EIO=4&transport=polling&sid=x"));
        assert!(!is_first("POST", "EIO=4&transport=polling"));
        assert!(!is_first("GET", "EIO=4&transport=websocket"));
        assert!(!is_first("GET", "transport=polling"));
    }
}

//! The first request of a session that does not begin with an opening handshake: it waits for a backend as one
//! does, because its client comes back with it after the loss of a WebSocket.

use std::sync::Arc;
use std::sync::atomic::Ordering;

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

/// Whether a request is the first one of a session. Later ones name the session, which another backend does
/// not know.
pub(super) fn starts_session(request: &Request<Body>) -> bool {
    !has_body(request) && (polls_first(request) || negotiates(request))
}

/// Whether a client of Engine.IO begins by polling.
fn polls_first(request: &Request<Body>) -> bool {
    request.method() == Method::GET
        && has_parameter(request, |one| one == "transport=polling")
        && has_parameter(request, |one| one == "EIO=4" || one == "EIO=3")
        && !has_parameter(request, |one| one.starts_with("sid="))
}

/// Whether a client of SignalR asks for the id of a connection.
fn negotiates(request: &Request<Body>) -> bool {
    request.method() == Method::POST
        && request.uri().path().ends_with("/negotiate")
        && has_parameter(request, |one| one.starts_with("negotiateVersion="))
}

fn has_parameter(request: &Request<Body>, is_wanted: impl Fn(&str) -> bool) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').any(is_wanted)
}

/// Passes one on, once there is a backend.
pub(super) async fn pass(
    (front, settings): (&Front, &Settings),
    (plain, pool): (&HttpProxy, &Arc<Pool>),
    request: Request<Body>,
    (source, granted): (Source, Granted),
    (affinity, client): (Option<Affinity>, Header),
    (progress, times): (&Progress, HttpTimes),
) -> Response<Body> {
    let asks_for_id = negotiates(&request);
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
            if asks_for_id && response.status().is_success() {
                pool.has_negotiated.store(true, Ordering::Relaxed);
            }
            return response;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_request_of_a_session_waits() {
        let starts = |method: &str, target: &str, body: &'static str| {
            let request = Request::builder().method(method).uri(target);
            starts_session(&request.body(Body::from(body)).unwrap())
        };
        let polls = |method: &str, query: &str| starts(method, &format!("/socket.io/?{query}"), "");
        assert!(polls("GET", "EIO=4&transport=polling&t=abc"));
        assert!(!polls("GET", "EIO=4&transport=polling&sid=x"));
        assert!(!polls("POST", "EIO=4&transport=polling"));
        assert!(!polls("GET", "EIO=4&transport=websocket"));
        assert!(!polls("GET", "transport=polling"));
        assert!(starts("POST", "/hub/negotiate?negotiateVersion=1", ""));
        assert!(!starts("POST", "/hub/negotiate?negotiateVersion=1", "x"));
        assert!(!starts("GET", "/hub/negotiate?negotiateVersion=1", ""));
        assert!(!starts("POST", "/hub?negotiateVersion=1", ""));
        assert!(!starts("POST", "/prices/negotiate", ""));
    }
}

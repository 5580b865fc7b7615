//! What a client does after the ending that a browser saw.

use std::time::{Duration, SystemTime};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use revoir::ending::{CloseFrame, Detail, Finish};
use revoir::reconnect::{Decision, History};
use revoir::{Cause, CloseCode, Ending, Policy};
use serde::{Deserialize, Serialize};

use crate::answer;
use crate::lab::shared::Lab;

/// What a page knows: its `CloseEvent`, and what came before.
#[derive(Debug, Deserialize)]
pub(super) struct CloseEvent {
    code: u16,
    #[serde(default)]
    reason: String,
    /// Whether there was an `open` event.
    #[serde(default)]
    opened: bool,
    /// How long it was open.
    #[serde(default)]
    open_ms: u32,
    /// Whether the page itself had called `close()`.
    #[serde(default)]
    own: bool,
    /// The attempts since the last stable connection.
    #[serde(default)]
    attempts: u32,
    /// The delay before the last of them.
    #[serde(default)]
    last_delay_ms: u32,
}

#[derive(Serialize)]
struct Decided {
    decision: Decision,
    text: String,
}

/// `GET /lab/decision`: whether and when the page should come back, by the default policy.
pub(super) async fn decision(State(_): State<Lab>, Query(seen): Query<CloseEvent>) -> Response {
    let decision = seen.decide(fastrand::u32(..));
    let text = decision.to_string();
    answer::unkept_json(StatusCode::OK, &Decided { decision, text })
}

impl CloseEvent {
    fn decide(&self, random: u32) -> Decision {
        let history = History::after(
            self.attempts,
            Duration::from_millis(self.last_delay_ms.into()),
        );
        Policy::new().decide(&self.ending(), &history, SystemTime::now(), random)
    }

    /// The ending as far as a browser tells it.
    fn ending(&self) -> Ending {
        let code = CloseCode::new(self.code);
        let (cause, received) = match code {
            _ if self.own => (Cause::ClosedLocally, None),
            // A browser does not say which it was.
            CloseCode::ABNORMAL_CLOSURE => (Cause::Eof, None),
            // Firefox reports a failed TLS handshake as 1015; after `open`, a frame said so.
            CloseCode::TLS_HANDSHAKE if !self.opened => (Cause::TlsFailed, None),
            CloseCode::NO_STATUS_RCVD => (Cause::ClosedByPeer, CloseFrame::parse(&[]).ok()),
            _ => {
                let payload = [&self.code.to_be_bytes(), self.reason.as_bytes()].concat();
                match CloseFrame::parse(&payload) {
                    Ok(frame) => (Cause::ClosedByPeer, Some(frame)),
                    // Some browsers let numbers through that may not be sent.
                    Err(_) => (Cause::ProtocolError, None),
                }
            }
        };
        let mut ending = Ending::never_opened(cause, Detail::None);
        ending.received = received;
        if self.opened {
            ending.finish = Finish::Answered;
            ending.open_for = Duration::from_millis(self.open_ms.into());
        }
        ending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(query: &str) -> (String, Option<u64>) {
        let uri = format!("/lab/decision?{query}").parse().unwrap();
        let Query(seen) = Query::<CloseEvent>::try_from_uri(&uri).unwrap();
        let decision = seen.decide(0);
        let delay = decision.delay.map(|delay| delay.as_millis() as u64);
        (decision.rule.into_owned(), delay)
    }

    #[test]
    fn what_the_browser_saw_decides() {
        for (query, rule, delay) in [
            ("code=1000", "code-1000", None),
            ("code=1006", "code-1006", Some(250)),
            ("code=1006&opened=true&attempts=3", "code-1006", Some(500)),
            ("code=1005", "code-1005", Some(250)),
            ("code=1012&reason=bye", "code-1012", Some(1_000)),
            (
                "code=1012&reason=bye%20%5Bafter%3D2500ms%5D",
                "code-1012",
                Some(2_500),
            ),
            ("code=1004", "protocol-error", Some(250)),
            ("code=1015", "code-1015", Some(5_000)),
            ("code=1015&opened=true", "protocol-error", Some(250)),
        ] {
            assert_eq!(decided(query), (rule.to_owned(), delay), "{query}");
        }
    }

    #[test]
    fn a_page_that_closed_itself_stays_away() {
        assert_eq!(decided("code=1005&own=true").1, None);
    }

    #[test]
    fn attempts_are_forgotten_after_a_stable_connection() {
        let short = decided("code=1001&opened=true&open_ms=9000&attempts=5");
        let long = decided("code=1001&opened=true&open_ms=11000&attempts=5");
        assert_eq!((short.1, long.1), (Some(500), Some(250)));
    }
}

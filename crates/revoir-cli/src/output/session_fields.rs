//! What happens to a session as JSON. The fields are API: docs/json.md lists them, and a test compares.

use std::time::Duration;

use revoir::session::{
    Attached, BackendChanged, Bye, Ended, Event, GapReason, GoAway, Key, SessionEnding,
};
use serde::Serialize;

use crate::output::message_fields::MessageFields;

/// The name of an event and its fields; `None` if it has no place in the JSON.
pub(super) fn session_fields(event: &Event) -> Option<(&'static str, SessionFields<'_>)> {
    Some(match event {
        Event::Attached(attached) => ("attached", attached_fields(attached)),
        Event::Gap {
            key, count, reason, ..
        } => ("gap", gap_fields(*key, *count, *reason)),
        Event::Returned {
            key, message, fate, ..
        } => {
            let message = MessageFields::new(message, Some(key.to_string()));
            let fate = fate.id();
            ("returned", SessionFields::Returned { message, fate })
        }
        Event::SentAgain { from, to, .. } => {
            let (from, to) = (from.to_string(), to.to_string());
            ("sent-again", SessionFields::SentAgain { from, to })
        }
        Event::BackendChanged(change) => ("backend-changed", backend_fields(*change)),
        Event::GoAway(goaway) => ("goaway", goaway_fields(goaway)),
        Event::Volatile(volatile) => {
            let volatile = *volatile;
            ("volatile", SessionFields::Volatile { volatile })
        }
        Event::Ended(ending) => ("session-ending", ending_fields(ending)),
        // Messages and connections have events of their own.
        _ => return None,
    })
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum SessionFields<'a> {
    Attached {
        session: String,
        verdict: &'static str,
        generation: u64,
        received: Option<u64>,
        lost: Option<u64>,
        bound: bool,
        ttl_ms: u64,
        subprotocol: Option<&'a str>,
    },
    Gap {
        key: String,
        count: u64,
        exact: bool,
        reason: &'static str,
    },
    Returned {
        #[serde(flatten)]
        message: MessageFields<'a>,
        fate: &'static str,
    },
    SentAgain {
        from: String,
        to: String,
    },
    BackendChanged {
        written: u64,
        received: u64,
        maybe_lost: u64,
    },
    GoAway {
        origin: &'static str,
        code: u16,
        resumable: bool,
        after_ms: u64,
        spread_ms: u64,
        reason: &'a str,
    },
    Volatile {
        volatile: bool,
    },
    Ending {
        cause: &'static str,
        origin: Option<&'static str>,
        code: Option<u16>,
        reason: Option<&'a str>,
        detail: Option<&'static str>,
        text: String,
    },
}

fn attached_fields(attached: &Attached) -> SessionFields<'_> {
    SessionFields::Attached {
        session: attached.session.to_string(),
        verdict: attached.verdict.id(),
        generation: attached.generation,
        received: attached.received,
        lost: attached.lost,
        bound: attached.bound,
        ttl_ms: milliseconds(attached.ttl),
        subprotocol: attached.protocol.as_deref(),
    }
}

fn gap_fields(key: Key, count: u64, reason: GapReason) -> SessionFields<'static> {
    SessionFields::Gap {
        key: key.to_string(),
        count,
        exact: reason.is_exact(),
        reason: reason.id(),
    }
}

const fn backend_fields(change: BackendChanged) -> SessionFields<'static> {
    SessionFields::BackendChanged {
        written: change.written,
        received: change.received,
        maybe_lost: change.maybe_lost,
    }
}

fn goaway_fields(goaway: &GoAway) -> SessionFields<'_> {
    SessionFields::GoAway {
        origin: goaway.origin.id(),
        code: goaway.code.get(),
        resumable: goaway.resumable,
        after_ms: milliseconds(goaway.after),
        spread_ms: milliseconds(goaway.spread),
        reason: &goaway.reason,
    }
}

fn ending_fields(ending: &SessionEnding) -> SessionFields<'_> {
    let bye: Option<&Bye> = ending.bye();
    let (cause, detail) = match ending {
        SessionEnding::Ended(Ended::ByPeer(_)) => ("closed-by-peer", None),
        SessionEnding::Ended(Ended::Locally(_)) => ("closed-locally", None),
        SessionEnding::Ended(Ended::Lost(loss)) => ("lost", Some(loss.verdict().id())),
        SessionEnding::Ended(Ended::TakenOver) => ("taken-over", None),
        SessionEnding::Ended(Ended::Violation(rule)) => ("protocol-error", Some(rule.id())),
        SessionEnding::GaveUp { .. } => ("gave-up", None),
        SessionEnding::NotSpoken => ("not-spoken", None),
        SessionEnding::Abandoned => ("abandoned", None),
        // Of those that are known now: the peer says that this side broke a rule.
        _ => ("refused", None),
    };
    SessionFields::Ending {
        cause,
        origin: bye.map(|bye| bye.origin.id()),
        code: bye.map(|bye| bye.code.get()),
        reason: bye.map(|bye| bye.reason.as_str()),
        detail,
        text: ending.to_string(),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

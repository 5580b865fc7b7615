//! What each side says of an ending, and what it has to say.

use std::collections::BTreeMap;

use anyhow::Context;
use revoir::ending::{CloseFrame, Detail, ProtocolError};
use revoir::{Cause, Ending, SendCode};
use serde_json::{Value, json};

use crate::case::{Answer, By, End};

/// Named values, to compare and to print.
pub(crate) type Facts = BTreeMap<String, Value>;

/// The whole of our [`Ending`] but its durations, in the words of the command line's JSON.
pub(crate) fn of_ending(ending: &Ending) -> Facts {
    let order = match ending.sent_first() {
        Some(true) => json!("sent-first"),
        Some(false) => json!("received-first"),
        None => Value::Null,
    };
    facts(json!({
        "code": ending.code().get(),
        "reason": ending.reason(),
        "cause": ending.cause.id(),
        "detail": ending.detail.to_string(),
        "finish": ending.finish.id(),
        "clean": ending.is_clean(),
        "initiator": ending.initiator.map(revoir::ending::Initiator::id),
        "sent": ending.sent.as_ref().map(frame),
        "received": ending.received.as_ref().map(frame),
        "refused_code": refused_code(ending),
        "order": order,
        "in_frame": ending.in_frame,
        "closed_here": ending.closed_at.is_some(),
        "discarded": ending.discarded,
        "unsent": ending.unsent,
    }))
}

fn frame(frame: &CloseFrame) -> Value {
    let code = frame.wire_code().map(revoir::CloseCode::get);
    json!({ "code": code, "reason": frame.reason().as_str() })
}

/// The number in a Close frame from the peer that may not stand in one.
fn refused_code(ending: &Ending) -> Option<u16> {
    match ending.detail {
        Detail::Rule(ProtocolError::CloseCodeNotAllowed { code }) => Some(code.get()),
        _ => None,
    }
}

/// What a peer's reply says.
pub(crate) fn of_reply(reply: &Value) -> anyhow::Result<Facts> {
    let object = reply.as_object().context("the reply is no object")?;
    Ok(object.clone().into_iter().collect())
}

/// What our `Ending` has to be. The peers answer a Close frame with its code and its reason.
pub(crate) fn expected_of_us(end: End) -> Facts {
    let answered = |cause: Cause, first: By, code: Option<u16>, sent: &str, received: &str| {
        json!({
            "code": code.unwrap_or(1005),
            "reason": received,
            "cause": cause.id(),
            "detail": "",
            "finish": "answered",
            "clean": true,
            "initiator": if first == By::Us { "local" } else { "remote" },
            "sent": { "code": code, "reason": sent },
            "received": { "code": code, "reason": received },
            "order": if first == By::Us { "sent-first" } else { "received-first" },
            "closed_here": cause == Cause::ClosedLocally,
        })
    };
    // The answer has a code that may not stand in a Close frame. Ours to it goes nowhere.
    let refused = |code: u16| {
        let rule = format!("code {code} may not stand in a Close frame (RFC 6455 section 7.4)");
        json!({
            "code": 1006,
            "reason": "",
            "cause": Cause::ProtocolError.id(),
            "detail": rule,
            "finish": "eof",
            "clean": false,
            "initiator": "local",
            "sent": { "code": 1002, "reason": rule },
            "received": null,
            "refused_code": code,
            "order": null,
            "closed_here": false,
        })
    };
    let lost = |cause: Cause, finish: &str, detail: &str| {
        json!({
            "code": 1006,
            "reason": "",
            "cause": cause.id(),
            "detail": detail,
            "finish": finish,
            "clean": false,
            "initiator": null,
            "sent": null,
            "received": null,
            "order": null,
            "closed_here": false,
        })
    };
    let expected = match end {
        End::Close { by, code, reason } => match by {
            By::Us => answered(Cause::ClosedLocally, by, Some(code), reason, reason),
            By::Peer => answered(Cause::ClosedByPeer, by, Some(code), "", reason),
        },
        // A frame that goes past the library leaves it the first it knows of: the peer's answer.
        End::Empty { .. } => answered(Cause::ClosedByPeer, By::Peer, None, "", ""),
        End::PastLibrary {
            answer: Answer::Refused,
            ..
        } => answered(Cause::ClosedByPeer, By::Peer, Some(1002), "", ""),
        End::PastLibrary { code, .. } if SendCode::try_from(code).is_ok() => {
            answered(Cause::ClosedByPeer, By::Peer, Some(code), "", "")
        }
        End::PastLibrary { code, .. } => refused(code),
        End::Fin { .. } => lost(Cause::Eof, "eof", ""),
        End::Reset { by: By::Us } => lost(Cause::Reset, "reset", "connection reset"),
        End::Reset { by: By::Peer } => lost(Cause::Reset, "reset", "os error 104"),
    };
    let mut facts = facts(expected);
    facts.insert("in_frame".into(), json!(false));
    facts.insert("discarded".into(), json!(0));
    facts.insert("unsent".into(), json!(0));
    facts
}

/// What a peer's API has to say (RFC 6455 sections 7.1.4 to 7.1.6). Our library answers a Close
/// frame with its code and without its reason.
pub(crate) fn expected_of_peer(end: End) -> Facts {
    let (code, reason, order) = match end {
        End::Close {
            by: By::Us,
            code,
            reason,
        } => (code, reason, Some("received-first")),
        End::Close {
            by: By::Peer, code, ..
        } => (code, "", Some("sent-first")),
        End::Empty { by: By::Us } => (1005, "", Some("received-first")),
        End::Empty { by: By::Peer } => (1005, "", Some("sent-first")),
        End::PastLibrary {
            code,
            answer: Answer::Echoed,
        } => (code, "", Some("received-first")),
        End::PastLibrary { .. } | End::Fin { .. } | End::Reset { .. } => (1006, "", None),
    };
    facts(json!({
        "code": code,
        "reason": reason,
        "clean": order.is_some(),
        "order": order,
        "error": null,
    }))
}

fn facts(object: Value) -> Facts {
    match object {
        Value::Object(object) => object.into_iter().collect(),
        other => Facts::from([("value".into(), other)]),
    }
}

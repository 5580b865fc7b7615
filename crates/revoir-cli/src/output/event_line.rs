//! Events as JSON. The fields are API: docs/json.md lists them, and a test compares.

use std::time::Duration;

use revoir::{
    CallSite, Class, CloseCode, CloseFrame, Decision, Detail, DrainReport, Ending, Initiator,
    Message,
};
use revoir_codes::catalog::{Locale, explain};
use serde::Serialize;

use crate::events::{Event, Opened, What};
use crate::output::json;

/// An event as one line; `None` if it has no place in the JSON.
pub(crate) fn event_line(event: &Event) -> Option<String> {
    let (name, fields) = match &event.what {
        What::Listening(listening) => {
            let addr = listening.addr.to_string();
            ("listening", Fields::Listening { addr })
        }
        What::Open(opened) => ("open", Fields::Open(OpenFields::new(opened))),
        What::Message(message) => ("message", Fields::Message(MessageFields::new(message))),
        What::Ending(ending) => ("ending", Fields::Ending(EndingFields::new(ending))),
        What::Drained(report) => ("drained", Fields::Drained(DrainedFields::new(report))),
        What::Decision(decision) => {
            let fields = DecisionFields::new(decision);
            ("decision", Fields::Decision(fields))
        }
        What::Note(_) | What::Countdown(_) => return None,
    };
    Some(json::line(&Line {
        event: name,
        conn: event.conn,
        t_ms: milliseconds(event.at),
        fields,
    }))
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    conn: Option<u64>,
    t_ms: u64,
    #[serde(flatten)]
    fields: Fields<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    Listening { addr: String },
    Open(OpenFields<'a>),
    Message(MessageFields<'a>),
    Ending(EndingFields<'a>),
    Decision(DecisionFields<'a>),
    Drained(DrainedFields),
}

#[derive(Serialize)]
struct OpenFields<'a> {
    peer: &'a str,
    subprotocol: Option<&'a str>,
    extensions: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
}

#[derive(Serialize)]
struct MessageFields<'a> {
    kind: &'static str,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// One ending.
#[derive(Serialize)]
pub(crate) struct EndingFields<'a> {
    code: u16,
    name: &'static str,
    reason: &'a str,
    cause: &'static str,
    detail: Option<String>,
    finish: &'static str,
    clean: bool,
    initiator: Option<&'static str>,
    sent: Option<FrameFields<'a>>,
    received: Option<FrameFields<'a>>,
    order: Option<&'static str>,
    open_ms: u64,
    idle_ms: u64,
    in_frame: bool,
    closed_at: Option<String>,
    status: Option<u16>,
    discarded: u64,
    unsent: u64,
    text: String,
}

#[derive(Serialize)]
pub(crate) struct DecisionFields<'a> {
    retry: bool,
    delay_ms: Option<u64>,
    rule: &'a str,
    class: &'static str,
    stop: Option<&'static str>,
    attempt: u32,
    advised: bool,
}

#[derive(Serialize)]
struct DrainedFields {
    connections: usize,
    answered: usize,
    timeout: usize,
    eof: usize,
    reset: usize,
    cut: usize,
    otherwise: usize,
    unsent: usize,
    refused: usize,
    took_ms: u64,
}

#[derive(Serialize)]
struct FrameFields<'a> {
    code: Option<u16>,
    reason: &'a str,
}

impl<'a> OpenFields<'a> {
    fn new(opened: &'a Opened) -> Self {
        Self {
            peer: &opened.peer,
            subprotocol: opened.subprotocol.as_deref(),
            extensions: opened.extensions.as_deref(),
            attempt: opened.attempt,
        }
    }
}

impl<'a> MessageFields<'a> {
    fn new(message: &'a Message) -> Self {
        let (kind, text) = match message {
            Message::Text(text) => ("text", Some(text.as_str())),
            Message::Binary(_) => ("binary", None),
        };
        Self {
            kind,
            bytes: message.as_bytes().len(),
            text,
        }
    }
}

impl<'a> EndingFields<'a> {
    pub(crate) fn new(ending: &'a Ending) -> Self {
        let code = ending.code();
        Self {
            code: code.get(),
            name: explain(code, Locale::english()).facts.name,
            reason: ending.reason(),
            cause: ending.cause.id(),
            detail: (ending.detail != Detail::None).then(|| ending.detail.to_string()),
            finish: ending.finish.id(),
            clean: ending.is_clean(),
            initiator: ending.initiator.map(Initiator::id),
            sent: ending.sent.as_ref().map(FrameFields::new),
            received: ending.received.as_ref().map(FrameFields::new),
            order: ending.sent_first().map(|sent_first| match sent_first {
                true => "sent-first",
                false => "received-first",
            }),
            open_ms: milliseconds(ending.open_for),
            idle_ms: milliseconds(ending.idle_for),
            in_frame: ending.in_frame,
            closed_at: ending.closed_at.as_ref().map(place),
            status: ending.response.as_ref().map(|response| response.status),
            discarded: ending.discarded,
            unsent: ending.unsent,
            text: ending.to_string(),
        }
    }
}

impl<'a> DecisionFields<'a> {
    pub(crate) fn new(decision: &'a Decision) -> Self {
        Self {
            retry: decision.is_retry(),
            delay_ms: decision.delay.map(milliseconds),
            rule: &decision.rule,
            class: decision.class.id(),
            stop: match decision.class {
                Class::Stop(why) => Some(why.id()),
                _ => None,
            },
            attempt: decision.attempt,
            advised: decision.is_advised(),
        }
    }
}

impl DrainedFields {
    fn new(report: &DrainReport) -> Self {
        Self {
            connections: report.connections(),
            answered: report.answered,
            timeout: report.timeout,
            eof: report.eof,
            reset: report.reset,
            cut: report.cut,
            otherwise: report.otherwise,
            unsent: report.unsent,
            refused: report.refused,
            took_ms: milliseconds(report.took),
        }
    }
}

impl<'a> FrameFields<'a> {
    fn new(frame: &'a CloseFrame) -> Self {
        Self {
            code: frame.wire_code().map(CloseCode::get),
            reason: frame.reason(),
        }
    }
}

fn place(site: &CallSite) -> String {
    format!("{}:{}", site.file, site.line)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

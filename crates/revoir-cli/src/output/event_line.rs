//! Events as JSON. The fields are API: docs/json.md lists them, and a test compares.

use std::ops::Range;
use std::time::Duration;

use revoir::Ending;
use revoir::drain::DrainReport;
use revoir::reconnect::Decision;
use serde::Serialize;

use crate::events::{Event, Opened, What};
use crate::output::json;
use crate::output::message_fields::MessageFields;
use crate::output::session_fields::{SessionFields, session_fields};

/// An event as one line; `None` if it has no place in the JSON.
pub(crate) fn event_line(event: &Event) -> Option<String> {
    let (name, fields) = match &event.what {
        What::Listening(listening) => {
            let addr = listening.addr.to_string();
            ("listening", Fields::Listening { addr })
        }
        What::Open(opened) => ("open", Fields::Open(OpenFields::new(opened))),
        What::Message { message, key } => {
            let key = key.map(|key| key.to_string());
            ("message", Fields::Message(MessageFields::new(message, key)))
        }
        What::Session(event) => {
            let (name, fields) = session_fields(event)?;
            (name, Fields::Session(fields))
        }
        What::Ending { ending, in_doubt } => {
            let in_doubt = in_doubt.as_ref().map(first_and_last);
            ("ending", Fields::Ending { ending, in_doubt })
        }
        What::Drained(report) => ("drained", Fields::Drained(DrainedFields::new(report))),
        What::Decision(decision) => ("decision", Fields::Decision(decision)),
        What::Note(_) | What::Countdown(_) => return None,
    };
    Some(json::line(&EventLine {
        event: name,
        conn: event.conn,
        t_ms: milliseconds(event.at),
        fields,
    }))
}

#[derive(Serialize)]
struct EventLine<'a> {
    event: &'static str,
    conn: Option<u64>,
    t_ms: u64,
    #[serde(flatten)]
    fields: Fields<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    Listening {
        addr: String,
    },
    Open(OpenFields<'a>),
    Message(MessageFields<'a>),
    Ending {
        #[serde(flatten)]
        ending: &'a Ending,
        /// At a client: the first and the last one, or null.
        #[serde(skip_serializing_if = "Option::is_none")]
        in_doubt: Option<Option<[u64; 2]>>,
    },
    Session(SessionFields<'a>),
    Decision(&'a Decision),
    Drained(DrainedFields),
}

fn first_and_last(numbers: &Range<u64>) -> Option<[u64; 2]> {
    (!numbers.is_empty()).then(|| [numbers.start, numbers.end - 1])
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

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

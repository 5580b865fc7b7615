//! [`Form`]: an entry of the access log as a line. The fields are API: docs/json.md lists them, and
//! a test compares.

use std::time::{Duration, SystemTime};

use humantime::format_rfc3339_millis;
use revoir::json::EndingFields;
use serde::Serialize;

use crate::gateway::asked::Asked;
use crate::gateway::connection::Record;
use crate::gateway::exchange::Exchange;
use crate::gateway::session::{Ended, Side};
use crate::gateway::traffic::Sum;
use crate::output::printable::one_line;
use crate::output::{Screen, json};

/// The longest text from outside on a line for people, in characters.
const SHOWN_CHARACTERS: usize = 200;

/// How lines look.
#[derive(Debug)]
pub(crate) enum Form<'a> {
    Json,
    Text(&'a Screen),
}

impl Form<'_> {
    pub(super) fn connection(&self, record: &Record) -> String {
        match self {
            Self::Json => json::line(&ConnectionFields::new(record)),
            Self::Text(screen) => connection(screen, record),
        }
    }

    pub(super) fn request(&self, exchange: &Exchange) -> String {
        match self {
            Self::Json => json::line(&RequestFields::new(exchange)),
            Self::Text(screen) => request(screen, exchange),
        }
    }

    /// So many lines are missing here.
    pub(super) fn dropped(&self, lines: u64) -> String {
        match self {
            Self::Json => json::line(&DroppedFields {
                event: "dropped",
                time: time(SystemTime::now()),
                lines,
            }),
            Self::Text(_) => format!("{lines} lines are missing here: they came too fast\n"),
        }
    }
}

#[derive(Serialize)]
struct ConnectionFields<'a> {
    event: &'static str,
    time: String,
    id: &'a str,
    #[serde(flatten)]
    asked: AskedFields<'a>,
    upstream: String,
    subprotocol: Option<&'a str>,
    extensions: Option<&'a str>,
    open_ms: u64,
    holds: u32,
    held_ms: u64,
    backends: u32,
    from_client: Sum,
    from_backend: Sum,
    client: Option<EndingFields<'a>>,
    backend: Option<EndingFields<'a>>,
}

#[derive(Serialize)]
struct RequestFields<'a> {
    event: &'static str,
    time: String,
    #[serde(flatten)]
    asked: AskedFields<'a>,
    method: &'a str,
    websocket: bool,
    status: u16,
    request_bytes: u64,
    response_bytes: u64,
    complete: bool,
    took_ms: u64,
}

#[derive(Serialize)]
struct AskedFields<'a> {
    peer: String,
    host: Option<&'a str>,
    path: &'a str,
    query: bool,
    origin: Option<&'a str>,
    user_agent: Option<&'a str>,
}

#[derive(Serialize)]
struct DroppedFields {
    event: &'static str,
    time: String,
    lines: u64,
}

impl<'a> ConnectionFields<'a> {
    fn new(record: &'a Record) -> Self {
        let handle = &record.handle;
        let ending = |ended: &'a Option<Ended>| {
            let ended = ended.as_ref();
            ended.map(|ended| EndingFields::new(&ended.ending))
        };
        Self {
            event: "connection",
            time: time(record.at),
            id: &handle.name,
            asked: AskedFields::new(&handle.asked),
            upstream: handle.upstream().to_string(),
            subprotocol: handle.agreement.subprotocol.as_deref(),
            extensions: handle.agreement.extensions.as_deref(),
            open_ms: milliseconds(record.open_for),
            holds: record.holds,
            held_ms: milliseconds(record.held),
            backends: record.backends,
            from_client: handle.traffic.sum(Side::Client),
            from_backend: handle.traffic.sum(Side::Backend),
            client: ending(&record.client),
            backend: ending(&record.backend),
        }
    }
}

impl<'a> RequestFields<'a> {
    fn new(exchange: &'a Exchange) -> Self {
        Self {
            event: "request",
            time: time(exchange.at),
            asked: AskedFields::new(&exchange.asked),
            method: &exchange.asked.method,
            websocket: exchange.is_handshake,
            status: exchange.status,
            request_bytes: exchange.request_bytes,
            response_bytes: exchange.response_bytes,
            complete: exchange.is_whole,
            took_ms: milliseconds(exchange.took),
        }
    }
}

impl<'a> AskedFields<'a> {
    fn new(asked: &'a Asked) -> Self {
        Self {
            peer: asked.peer.to_string(),
            host: asked.host.as_deref(),
            path: &asked.path,
            query: asked.has_query,
            origin: asked.origin.as_deref(),
            user_agent: asked.user_agent.as_deref(),
        }
    }
}

fn connection(screen: &Screen, record: &Record) -> String {
    let handle = &record.handle;
    let lead = lead(screen, record.at, &handle.name);
    let Asked { peer, path, .. } = &handle.asked;
    let path = one_line(path, SHOWN_CHARACTERS);
    let open = record.open_for.as_secs_f64();
    let mut line = format!("{lead} {peer} {path}: {open:.1} s");
    let mut came = |side, name| {
        let Sum { messages, bytes } = handle.traffic.sum(side);
        line += &format!(", {messages} messages ({bytes} bytes) from the {name}");
    };
    came(Side::Client, "client");
    came(Side::Backend, "backend");
    if record.holds > 0 {
        let held = record.held.as_secs_f64();
        line += &format!(", held {held:.1} s in {} holds", record.holds);
    }
    for (name, ended) in [("client", &record.client), ("backend", &record.backend)] {
        let ending = match ended {
            Some(ended) => one_line(&ended.ending.to_string(), usize::MAX),
            None => "still open when the gateway stopped".to_owned(),
        };
        line += &format!("; {} {ending}", screen.faint(&format!("{name}:")));
    }
    line + "\n"
}

fn request(screen: &Screen, exchange: &Exchange) -> String {
    let Asked {
        peer, method, path, ..
    } = &exchange.asked;
    let lead = lead(screen, exchange.at, "-");
    let (method, path) = (one_line(method, 20), one_line(path, SHOWN_CHARACTERS));
    let (status, bytes) = (exchange.status, exchange.response_bytes);
    let took = exchange.took.as_secs_f64();
    let mut line = format!("{lead} {peer} {method} {path}: {status}, {bytes} bytes, {took:.3} s");
    if exchange.is_handshake {
        line += ", no WebSocket";
    }
    if !exchange.is_whole {
        line += ", the client left";
    }
    line + "\n"
}

fn lead(screen: &Screen, at: SystemTime, name: &str) -> String {
    format!("{} {}", screen.faint(&time(at)), screen.strong(name))
}

fn time(at: SystemTime) -> String {
    format_rfc3339_millis(at).to_string()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
